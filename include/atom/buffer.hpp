// SPDX-License-Identifier: MIT
/**
 * @file buffer.hpp
 * @brief Memory that the device can reach.
 */
#ifndef ATOM_BUFFER_HPP
#define ATOM_BUFFER_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>

#include "atom/context.hpp"
#include "atom/span.hpp"

namespace atom {
namespace core {
class bo;
} // namespace core

inline namespace v1 {

/** Where a buffer lives, for all its life. */
enum class placement : std::uint8_t {
	system = 0, ///< host memory, reached by DMA; cached for the CPU
	local = 1,  ///< memory of the device; the CPU reaches it over the bus
	shm = 2,    ///< on-chip memory shared by the engines; the CPU cannot map it
};

/** How a buffer is made. */
struct buffer_options {
	atom::placement placement = atom::placement::system; ///< for all its life
	bool cpu_access = true; ///< false: map() fails; LOCAL may then lie outside the CPU's window
	std::string label{};    ///< for debugging, at most 63 bytes
	bool shareable = false; ///< export_dmabuf() works; jobs cost a little more to submit
};

/** What the device may do with memory. */
enum class device_access : std::uint8_t {
	read_write = 0,
	read_only = 1, ///< a job that writes faults
};

/** What the CPU is about to do, or has done, with a mapping. */
enum class cpu_use : std::uint8_t {
	read = 1,
	write = 2,
	read_write = 3,
};

/**
 * The CPU's view of a buffer. Moves, does not copy. The memory stays mapped at
 * least as long as a mapping of it lives, also when its buffer is gone.
 *
 * Coherent: what the CPU wrote before submit() the device sees, what the device wrote the
 * CPU sees after the fence. Access to bytes that a running job uses is a race.
 * If the device is lost, reads give undefined bytes; nothing crashes. Only memory that another
 * driver shares (buffer::import_dmabuf()) is not coherent by itself: begin() and end() there.
 */
class ATOM_API mapping {
public:
	mapping() noexcept = default;
	/** Takes what the other has, which is empty afterwards. */
	mapping(mapping &&other) noexcept;
	/** Lets go of what it had, and takes what the other has. */
	mapping &operator=(mapping &&other) noexcept;
	~mapping();

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return data_ != nullptr; }
	/** First byte; null if empty. */
	[[nodiscard]] std::byte *data() const noexcept { return data_; }
	/** Bytes. */
	[[nodiscard]] std::size_t size() const noexcept { return size_; }
	/** All of it as bytes. */
	[[nodiscard]] span<std::byte> bytes() const noexcept { return {data_, size_}; }

	/** As elements of T; bytes behind the last whole element are left out. */
	template <class T>
	[[nodiscard]] span<T> as() const noexcept
	{
		static_assert(std::is_trivially_copyable_v<T>, "the device writes bytes");
		return {reinterpret_cast<T *>(data_), size_ / sizeof(T)};
	}

	/**
	 * Before the CPU uses it: what devices wrote is seen. A system call for a dma-buf of
	 * others, nothing otherwise. May wait for what that driver does with it.
	 * @throws system_error invalid_argument if empty
	 */
	void begin(cpu_use use) const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	void begin(cpu_use use, std::error_code &ec) const noexcept;
	/** After the CPU has used it: what it wrote is seen by devices. As begin(). */
	void end(cpu_use use) const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	void end(cpu_use use, std::error_code &ec) const noexcept;

private:
	friend struct core::access;
	std::shared_ptr<core::bo> bo_;
	std::byte *data_ = nullptr;
	std::size_t size_ = 0;
};

/**
 * A range of a buffer. A cheap handle that keeps the memory alive. Const
 * methods are thread-safe.
 */
class ATOM_API buffer_view {
public:
	/** An empty view. */
	buffer_view() noexcept = default;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return bo_ != nullptr; }
	/** Bytes from the start of the buffer. */
	[[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
	/** Bytes. */
	[[nodiscard]] std::uint64_t size() const noexcept { return size_; }
	/** Address of the first byte in the context's address space. 0 if empty. */
	[[nodiscard]] std::uint64_t device_address() const noexcept;

	/**
	 * @p bytes bytes from @p offset of this view.
	 * @throws system_error out_of_range
	 */
	[[nodiscard]] buffer_view slice(std::uint64_t offset, std::uint64_t bytes) const;

	/**
	 * Maps the range for the CPU. The first mapping of a buffer is a system call.
	 * @throws system_error unsupported (SHM, or cpu_access off), out_of_host_memory
	 */
	[[nodiscard]] mapping map() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] mapping map(std::error_code &ec) const noexcept;

private:
	friend class buffer;
	friend struct core::access;
	std::shared_ptr<core::bo> bo_;
	std::uint64_t offset_ = 0;
	std::uint64_t size_ = 0;
};

/**
 * Memory of a context. Moves, does not copy; zero when it is new.
 *
 * It may be destroyed while jobs use it: command buffers and jobs keep the memory until
 * they are done with it. The destructor does not wait for jobs. Const methods are
 * thread-safe.
 */
class ATOM_API buffer {
public:
	/** An empty buffer. */
	buffer() noexcept = default;

	/**
	 * @param bytes 1 or more; the device rounds up to pages, size() is what was asked for
	 * @throws system_error out_of_device_memory (LOCAL, SHM), out_of_host_memory,
	 *         unsupported (no SHM), invalid_argument, device_lost
	 */
	buffer(const context &ctx, std::uint64_t bytes, const buffer_options &options = {});
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static buffer create(const context &ctx, std::uint64_t bytes,
	                                   const buffer_options &options,
	                                   std::error_code &ec) noexcept;

	/**
	 * Memory of the program, which the device reaches in place. It must stay mapped as long as
	 * the buffer or a job that uses it lives, and is pinned in that time; a child of fork may
	 * see other bytes than the device. What else lies on its first and last page the device
	 * can reach as well. placement() is system.
	 * @throws system_error unsupported, invalid_argument (null, 0 bytes), out_of_host_memory
	 *         (also: more than RLIMIT_MEMLOCK), EFAULT of the system (not the program's to write)
	 */
	[[nodiscard]] static buffer from_user(const context &ctx, void *memory, std::uint64_t bytes,
	                                      device_access access = device_access::read_write);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static buffer from_user(const context &ctx, void *memory, std::uint64_t bytes,
	                                      device_access access, std::error_code &ec) noexcept;

	/**
	 * The memory behind a dma-buf, whole: of this device (also in another process or context),
	 * of another one, or of another driver. @p fd stays the caller's and may be closed then.
	 * @throws system_error invalid_argument (no dma-buf), unsupported (memory that this
	 *         device cannot reach), out_of_host_memory, device_lost
	 */
	[[nodiscard]] static buffer import_dmabuf(const context &ctx, int fd);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static buffer import_dmabuf(const context &ctx, int fd,
	                                          std::error_code &ec) noexcept;

	/**
	 * A new dma-buf file, close-on-exec, for another process, device or driver. The caller
	 * closes it; the memory lives as long as anybody has it.
	 * @throws system_error invalid_argument (not shareable, empty), unsupported, device_lost
	 */
	[[nodiscard]] int export_dmabuf() const;
	/** The same; -1 if @p ec is set. */
	[[nodiscard]] int export_dmabuf(std::error_code &ec) const noexcept;

	/** Takes what the other has, which is empty afterwards. */
	buffer(buffer &&other) noexcept = default;
	/** Lets go of what it had, and takes what the other has. */
	buffer &operator=(buffer &&other) noexcept = default;
	~buffer() = default;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(all_); }
	/** Bytes, as asked for. */
	[[nodiscard]] std::uint64_t size() const noexcept { return all_.size(); }
	/** As buffer_view::device_address(). */
	[[nodiscard]] std::uint64_t device_address() const noexcept
	{
		return all_.device_address();
	}
	/** Where it lives. @throws system_error invalid_argument if empty */
	[[nodiscard]] atom::placement placement() const;

	/** All of it. */
	[[nodiscard]] const buffer_view &view() const noexcept { return all_; }
	/** The whole buffer, as view(). */
	operator const buffer_view &() const noexcept { return all_; }

	/** As buffer_view::slice(). */
	[[nodiscard]] buffer_view slice(std::uint64_t offset, std::uint64_t bytes) const
	{
		return all_.slice(offset, bytes);
	}
	/** As buffer_view::map(). */
	[[nodiscard]] mapping map() const { return all_.map(); }
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] mapping map(std::error_code &ec) const noexcept { return all_.map(ec); }

private:
	buffer_view all_;
};

} // namespace v1
} // namespace atom

#endif
