// SPDX-License-Identifier: MIT
#include "core/bo.hpp"

#include <limits>
#include <string>

#include <sys/mman.h>

#include "core/failure.hpp"

namespace atom::core {
namespace {

constexpr std::size_t label_max = 63;
constexpr std::uint64_t page = 4096;

const char *name_of(placement where)
{
	switch (where) {
	case placement::system:
		return "system";
	case placement::local:
		return "local";
	case placement::shm:
		return "shm";
	}
	return "unknown";
}

std::string describe(std::uint64_t bytes, placement where)
{
	return "create buffer of " + std::to_string(bytes) + " bytes in " + name_of(where) +
	       " memory";
}

} // namespace

bo::bo(std::shared_ptr<core::context> ctx, std::uint64_t bytes, const buffer_options &options,
       device_access access)
	: context_(std::move(ctx)), placement_(options.placement),
	  mappable_(options.cpu_access && options.placement != placement::shm), size_(bytes)
{
	const kmd::node &node = context_->node();
	context_->dev()->check_process("create buffer");
	if (bytes == 0)
		fail(errc::invalid_argument, "create buffer: its size is 0; give 1 byte or more");
	if (bytes > std::numeric_limits<std::uint64_t>::max() - 2 * page)
		fail(errc::out_of_host_memory,
		     describe(bytes, placement_) + ": no machine has so much");
	if (options.label.size() > label_max)
		fail(errc::invalid_argument, "create buffer: label \"" + options.label +
		                                     "\" is longer than " +
		                                     std::to_string(label_max) + " bytes");
	if (const int error = node.bo_create(bytes, placement_, mappable_, context_->id(), handle_,
	                                     real_size_))
		fail_errno(error, describe(bytes, placement_));
	try {
		if (real_size_ < bytes || real_size_ % page != 0)
			fail(errc::incompatible_kernel,
			     describe(bytes, placement_) + ": the driver gave " +
			             std::to_string(real_size_) + " bytes");
		if (!options.label.empty())
			node.bo_set_label(handle_, options.label); // for people: may fail
		va_ = context_->map(handle_, real_size_, access == device_access::read_only);
	} catch (...) {
		node.bo_close(handle_);
		throw;
	}
}

bo::~bo()
{
	if (!context_->dev()->owned())
		return;
	if (address_ != nullptr)
		context_->node().system().munmap(address_, real_size_);
	context_->unmap(va_, real_size_);
	context_->node().bo_close(handle_);
}

std::byte *bo::map()
{
	const std::lock_guard lock(mutex_);
	if (address_ == nullptr) {
		if (!mappable_)
			fail(errc::unsupported,
			     placement_ == placement::shm
			             ? "map buffer: the CPU cannot reach shm memory; copy by the "
			               "device"
			             : "map buffer: it was created with cpu_access = false");
		context_->dev()->check_process("map buffer");
		const kmd::node &node = context_->node();
		std::uint64_t offset = 0;
		check(node.bo_mmap_offset(handle_, offset), "map buffer");
		const int error = node.system().mmap(real_size_, PROT_READ | PROT_WRITE, node.fd(),
		                                     offset, &address_);
		if (error < 0)
			fail_errno(-error, "map buffer of " + std::to_string(size_) + " bytes");
	}
	return static_cast<std::byte *>(address_);
}

} // namespace atom::core
