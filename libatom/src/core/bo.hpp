// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "atom/buffer.hpp"
#include "core/context.hpp"
#include "sys/unique_fd.hpp"

namespace atom::core {

/** Memory that is mapped in a context for as long as it lives. Thread-safe. */
class bo {
public:
	/** A new buffer object of the kernel. */
	bo(std::shared_ptr<core::context> ctx, std::uint64_t bytes, const buffer_options &options,
	   device_access access = device_access::read_write);
	/** The buffer behind a dma-buf. */
	static std::shared_ptr<bo> import(std::shared_ptr<core::context> ctx, int dmabuf);
	/** Memory of the program. */
	static std::shared_ptr<bo> of_user(std::shared_ptr<core::context> ctx, void *memory,
	                                   std::uint64_t bytes, device_access access);
	~bo();
	bo(const bo &) = delete;
	bo &operator=(const bo &) = delete;

	[[nodiscard]] const std::shared_ptr<core::context> &ctx() const { return context_; }
	[[nodiscard]] const std::shared_ptr<core::device> &dev() const { return context_->dev(); }
	[[nodiscard]] atom::placement where() const { return placement_; }
	/** Whether it was made anew, as these say, and not of memory of others. */
	[[nodiscard]] bool made_as(const buffer_options &options) const
	{
		return made_ && placement_ == options.placement &&
		       mappable_ == may_be_mapped(options) && shared_ == options.shareable;
	}
	/** As asked for. */
	[[nodiscard]] std::uint64_t size() const { return size_; }
	[[nodiscard]] std::uint64_t va() const { return va_ + skew_; }

	/** Address of the first byte for the CPU, the same each time. Throws. */
	std::byte *map();
	/** Begins or ends an access of the CPU to what map() gave. Throws. */
	void sync(bool end, cpu_use use) const;
	/** A new file of the process. Throws. */
	[[nodiscard]] int export_dmabuf() const;

private:
	explicit bo(std::shared_ptr<core::context> ctx) : context_(std::move(ctx)) {}
	static bool may_be_mapped(const buffer_options &options)
	{
		return options.cpu_access && options.placement != placement::shm;
	}
	void create(std::uint64_t bytes, const buffer_options &options, device_access access);
	void take(int dmabuf);
	void take(void *memory, std::uint64_t bytes, device_access access);

	std::shared_ptr<core::context> context_;
	atom::placement placement_ = atom::placement::system;
	bool mappable_ = true;
	bool made_ = false;   ///< by create()
	bool shared_ = false; ///< counted by the device
	bool user_ = false;   ///< memory of the program, which has no handle
	std::uint32_t handle_ = 0;
	sys::unique_fd dmabuf_; ///< of memory of others: the way of the CPU to it
	std::uint64_t size_ = 0;
	std::uint64_t real_size_ = 0;
	std::uint64_t va_ = 0;   ///< of the first page
	std::uint64_t skew_ = 0; ///< bytes of that page before the first byte
	std::mutex mutex_;       // protects address_
	void *address_ = nullptr;
};

} // namespace atom::core
