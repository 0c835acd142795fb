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

// A destructor runs as soon as the first constructor is done: it cleans up after the rest of them.
bo::bo(std::shared_ptr<core::context> ctx, std::uint64_t bytes, const buffer_options &options,
       device_access access)
	: bo(std::move(ctx))
{
	create(bytes, options, access);
}

void bo::create(std::uint64_t bytes, const buffer_options &options, device_access access)
{
	placement_ = options.placement;
	mappable_ = may_be_mapped(options);
	made_ = true;
	size_ = bytes;
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
	const std::uint32_t only_vm = options.shareable ? 0 : context_->id();
	if (const int error =
	            node.bo_create(bytes, placement_, mappable_, only_vm, handle_, real_size_))
		fail_errno(error, describe(bytes, placement_));
	if (options.shareable) {
		context_->dev()->handles().add(handle_);
		shared_ = true;
	}
	if (real_size_ < bytes || real_size_ % page != 0)
		fail(errc::incompatible_kernel, describe(bytes, placement_) + ": the driver gave " +
		                                        std::to_string(real_size_) + " bytes");
	if (!options.label.empty())
		node.bo_set_label(handle_, options.label); // for people: may fail
	va_ = context_->map(handle_, real_size_, access == device_access::read_only);
}

std::shared_ptr<bo> bo::import(std::shared_ptr<core::context> ctx, int dmabuf)
{
	std::shared_ptr<bo> made(new bo(std::move(ctx)));
	made->take(dmabuf);
	return made;
}

void bo::take(int dmabuf)
{
	const kmd::node &node = context_->node();
	context_->dev()->check_process("import dma-buf");
	check(context_->dev()->handles().import(node, dmabuf, handle_), "import dma-buf");
	shared_ = true;
	kmd::bo_facts facts;
	check(node.bo_info(handle_, facts), "import dma-buf: query buffer");
	placement_ = facts.where;
	mappable_ = facts.mappable || facts.imported;
	size_ = real_size_ = facts.bytes;
	if (facts.imported) {
		int own = -1; // the caller may close the one that he gave
		check(node.bo_export(handle_, own), "import dma-buf: keep its file");
		dmabuf_ = sys::unique_fd(context_->dev()->system(), own);
	}
	va_ = context_->map(handle_, real_size_, false);
}

std::shared_ptr<bo> bo::of_user(std::shared_ptr<core::context> ctx, void *memory,
                                std::uint64_t bytes, device_access access)
{
	std::shared_ptr<bo> made(new bo(std::move(ctx)));
	made->take(memory, bytes, access);
	return made;
}

void bo::take(void *memory, std::uint64_t bytes, device_access access)
{
	context_->dev()->check_process("use memory of the program");
	const auto start = reinterpret_cast<std::uintptr_t>(memory);
	if (memory == nullptr || bytes == 0 || bytes > std::numeric_limits<std::uint64_t>::max() / 2)
		fail(errc::invalid_argument,
		     "use memory of the program: it is null, of 0 bytes, or of too many");
	if (!kmd::node::has_user_memory(context_->dev()->info()))
		fail(errc::unsupported, "use memory of the program: " +
		                                context_->dev()->info().path + " cannot reach it");
	user_ = true;
	skew_ = start % page;
	size_ = bytes;
	real_size_ = (bytes + skew_ + page - 1) / page * page;
	address_ = memory;
	va_ = context_->map_user(reinterpret_cast<void *>(start - skew_), real_size_,
	                         access == device_access::read_only);
}

bo::~bo()
{
	if (!context_->dev()->owned())
		return;
	if (address_ != nullptr && !user_)
		context_->node().system().munmap(address_, real_size_);
	if (va_ != 0)
		context_->unmap(va_, real_size_);
	if (shared_)
		context_->dev()->handles().close(context_->node(), handle_);
	else if (handle_ != 0)
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
		const bool foreign = dmabuf_.get() >= 0;
		std::uint64_t offset = 0;
		if (!foreign)
			check(node.bo_mmap_offset(handle_, offset), "map buffer");
		const int error =
			node.system().mmap(real_size_, PROT_READ | PROT_WRITE,
		                           foreign ? dmabuf_.get() : node.fd(), offset, &address_);
		if (error < 0)
			fail_errno(-error, "map buffer of " + std::to_string(size_) + " bytes");
	}
	return static_cast<std::byte *>(address_);
}

void bo::sync(bool end, cpu_use use) const
{
	if (dmabuf_.get() < 0)
		return; // coherent
	const auto bits = static_cast<unsigned>(use);
	check(context_->node().dmabuf_sync(dmabuf_.get(), end, (bits & 1) != 0, (bits & 2) != 0),
	      end ? "end access to dma-buf" : "begin access to dma-buf");
}

int bo::export_dmabuf() const
{
	context_->dev()->check_process("export buffer");
	if (!shared_)
		fail(errc::invalid_argument,
		     user_ ? "export buffer: it is memory of the program, which cannot be shared"
		           : "export buffer: it was created without shareable = true");
	int dmabuf = -1;
	check(context_->node().bo_export(handle_, dmabuf), "export buffer");
	return dmabuf;
}

} // namespace atom::core
