// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "atom/context.hpp"
#include "core/device.hpp"
#include "core/va_allocator.hpp"

namespace atom::core {

/** What contexts and queues have in common. Throws invalid_argument; @p what is made, for people.
 */
void check_options(const char *what, const context_options &options, const device_info &info);

/** An address space. Thread-safe. */
class context {
public:
	explicit context(std::shared_ptr<core::device> dev, context_options options = {});
	~context();
	context(const context &) = delete;
	context &operator=(const context &) = delete;

	[[nodiscard]] const std::shared_ptr<core::device> &dev() const { return device_; }
	[[nodiscard]] const kmd::node &node() const { return device_->node(); }
	[[nodiscard]] std::uint32_t id() const { return id_; }
	[[nodiscard]] const context_options &options() const { return options_; }

	/** Maps a buffer of @p bytes, a multiple of 4 KiB, and returns its address. Throws. */
	std::uint64_t map(std::uint32_t handle, std::uint64_t bytes, bool read_only);
	/** The same with memory of the program, in whole pages. */
	std::uint64_t map_user(const void *memory, std::uint64_t bytes, bool read_only);
	/** When it returns, no job reaches the memory any more. */
	void unmap(std::uint64_t va, std::uint64_t bytes) noexcept;

private:
	std::uint64_t place(std::uint64_t bytes, const std::function<int(std::uint64_t va)> &bind);

	std::shared_ptr<core::device> device_;
	const context_options options_;
	std::uint32_t id_ = 0;
	std::mutex mutex_; // protects va_
	va_allocator va_;
};

} // namespace atom::core
