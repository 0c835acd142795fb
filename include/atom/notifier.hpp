// SPDX-License-Identifier: MIT
/**
 * @file notifier.hpp
 * @brief Fences for event loops: a file descriptor that becomes readable.
 */
#ifndef ATOM_NOTIFIER_HPP
#define ATOM_NOTIFIER_HPP

#include <memory>
#include <system_error>

#include "atom/fence.hpp"

namespace atom {
namespace core {
class notifier;
} // namespace core

inline namespace v1 {

/**
 * A file descriptor that becomes readable when fences are ready: for poll(), epoll, io_uring and
 * whatever is built on them. Moves, does not copy.
 *
 * It tells that something has come, not what: many fences may share one wake-up. So that none is
 * missed: clear() first, then look at the fences (fence::ready(), queue::reap()), then poll.
 *
 * The kernel has no way to stop watching. A fence stays watched until it is ready, whatever
 * becomes of the notifier, which costs some 200 bytes of the kernel; watching the same moment again
 * costs nothing. So watch the next fence that you wait for, not every one. Thread-safe.
 */
class ATOM_API notifier {
public:
	/** An empty notifier. */
	notifier() noexcept;
	/** @throws system_error out_of_host_memory, EMFILE (of the system), invalid_argument */
	explicit notifier(const device &dev);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static notifier create(const device &dev, std::error_code &ec) noexcept;
	/** Takes what the other has, which is empty afterwards. */
	notifier(notifier &&other) noexcept;
	/** Lets go of what it had, and takes what the other has. */
	notifier &operator=(notifier &&other) noexcept;
	~notifier();

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

	/**
	 * Readable (POLLIN) when a fence that was watched is ready. Owned by the notifier: never
	 * close it; dup() it for a reactor that owns its files. Non-blocking, close-on-exec.
	 */
	[[nodiscard]] int fd() const;

	/**
	 * Has fd() become readable when @p what is ready, also when its job failed or its device
	 * was lost; at once if it is ready now. At most one system call. The fence may be of any
	 * device.
	 *
	 * @throws system_error invalid_argument (empty), device_lost (a timeline of a lost
	 *         device, which nobody can signal any more), out_of_host_memory, forked_child
	 */
	void watch(const fence &what);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	void watch(const fence &what, std::error_code &ec) noexcept;

	/**
	 * As watch(), but does nothing if the fence is known to be ready: for who would take it up
	 * at once, without a wake-up. @return whether it is watched
	 */
	[[nodiscard]] bool watch_unless_ready(const fence &what);
	/** The same; @p ec tells what went wrong, and is cleared otherwise; false then, too. */
	[[nodiscard]] bool watch_unless_ready(const fence &what, std::error_code &ec) noexcept;

	/** Makes fd() unreadable until the next fence is ready. Does not block. */
	void clear();

private:
	std::unique_ptr<core::notifier> impl_;
};

} // namespace v1
} // namespace atom

#endif
