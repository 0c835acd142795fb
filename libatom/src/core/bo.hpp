// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "atom/buffer.hpp"
#include "core/context.hpp"

namespace atom::core {

/** A buffer object of the kernel, mapped in its context for as long as it lives. Thread-safe. */
class bo {
public:
	enum class device_access {
		read_write,
		read_only,
	};

	bo(std::shared_ptr<core::context> ctx, std::uint64_t bytes, const buffer_options &options,
	   device_access access = device_access::read_write);
	~bo();
	bo(const bo &) = delete;
	bo &operator=(const bo &) = delete;

	[[nodiscard]] const std::shared_ptr<core::context> &ctx() const { return context_; }
	[[nodiscard]] atom::placement where() const { return placement_; }
	/** As asked for. */
	[[nodiscard]] std::uint64_t size() const { return size_; }
	[[nodiscard]] std::uint64_t va() const { return va_; }

	/** Address of the first byte for the CPU, the same each time. Throws. */
	std::byte *map();

private:
	std::shared_ptr<core::context> context_;
	atom::placement placement_;
	bool mappable_;
	std::uint32_t handle_ = 0;
	std::uint64_t size_;
	std::uint64_t real_size_ = 0;
	std::uint64_t va_ = 0;
	std::mutex mutex_; // protects address_
	void *address_ = nullptr;
};

} // namespace atom::core
