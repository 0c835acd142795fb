// SPDX-License-Identifier: MIT
#include "core/context.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/failure.hpp"

namespace atom::core {
namespace {

// An unmapped page behind every buffer: what runs over its end faults.
constexpr std::uint64_t guard_bytes = 4096;

// Large buffers start where the device can use its large pages.
std::uint64_t alignment_for(std::uint64_t bytes, std::uint64_t page_sizes)
{
	for (const unsigned log2 : {21U, 16U})
		if (bytes >= std::uint64_t{1} << log2 && (page_sizes >> log2 & 1) != 0)
			return std::uint64_t{1} << log2;
	return 4096;
}

constexpr std::size_t name_max = 15;

} // namespace

void check_options(const char *what, const context_options &options, const device_info &info)
{
	const std::string create = "create " + std::string(what);
	if (options.priority > priority::realtime)
		fail(errc::invalid_argument,
		     create + ": there is no priority " +
		             std::to_string(static_cast<unsigned>(options.priority)));
	if (options.name.size() > name_max)
		fail(errc::invalid_argument, create + ": name \"" + options.name +
		                                     "\" is longer than " +
		                                     std::to_string(name_max) + " bytes");
	if (std::any_of(options.name.begin(), options.name.end(),
	                [](char c) { return c < ' ' || c > '~'; }))
		fail(errc::invalid_argument, create + ": its name is not of printable ASCII");
	if (options.job_timeout.count() < 0 || options.job_timeout > info.job_timeout_max)
		fail(errc::invalid_argument, create + ": job_timeout of " +
		                                     std::to_string(options.job_timeout.count()) +
		                                     " ms is not within 0 and " +
		                                     std::to_string(info.job_timeout_max.count()) +
		                                     " ms (the administrator's limit)");
}

context::context(std::shared_ptr<core::device> dev, context_options options)
	: device_(std::move(dev)), options_(std::move(options)),
	  va_(device_->info().va_start, device_->info().va_end)
{
	device_->check_process("create context");
	check_options("context", options_, device_->info());
	check(node().vm_create(id_), "create context", errc::limit_reached);
	device_->say(log_level::debug, [&] {
		return "context " + std::to_string(id_) +
		       (options_.name.empty() ? "" : " \"" + options_.name + "\"") + ": created";
	});
}

context::~context()
{
	if (device_->owned())
		node().vm_destroy(id_);
}

std::uint64_t context::map(std::uint32_t handle, std::uint64_t bytes, bool read_only)
{
	return place(bytes, [&](std::uint64_t va) {
		return node().vm_map(id_, handle, va, bytes, read_only);
	});
}

std::uint64_t context::map_user(const void *memory, std::uint64_t bytes, bool read_only)
{
	return place(bytes, [&](std::uint64_t va) {
		return node().vm_map_user(id_, memory, va, bytes, read_only);
	});
}

std::uint64_t context::place(std::uint64_t bytes, const std::function<int(std::uint64_t va)> &bind)
{
	std::uint64_t va = 0;
	{
		const std::lock_guard lock(mutex_);
		va = va_.allocate(bytes + guard_bytes,
		                  alignment_for(bytes, device_->info().page_sizes));
	}
	if (va == 0)
		fail(errc::out_of_device_memory,
		     "map buffer of " + std::to_string(bytes) +
		             " bytes: the context's address space is full");
	if (const int error = bind(va)) {
		{
			const std::lock_guard lock(mutex_);
			va_.release(va, bytes + guard_bytes);
		}
		fail_errno(error,
		           "map buffer of " + std::to_string(bytes) + " bytes for the device");
	}
	return va;
}

void context::unmap(std::uint64_t va, std::uint64_t bytes) noexcept
{
	// Should it fail (the device is gone), the address may be used again all the
	// same: mapping replaces what is there.
	node().vm_unmap(id_, va, bytes);
	const std::lock_guard lock(mutex_);
	va_.release(va, bytes + guard_bytes);
}

} // namespace atom::core
