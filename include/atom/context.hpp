// SPDX-License-Identifier: MIT
/**
 * @file context.hpp
 * @brief An address space of a device: what isolates one user from another.
 */
#ifndef ATOM_CONTEXT_HPP
#define ATOM_CONTEXT_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include "atom/device.hpp"

namespace atom {
namespace core {
class context;
} // namespace core

inline namespace v1 {

/** Of the jobs that are ready the device prefers those of the queue with the highest. */
enum class priority : std::uint8_t {
	low = 0,
	normal = 1,
	high = 2,         ///< needs CAP_SYS_NICE
	realtime = 3,     ///< needs CAP_SYS_NICE
	of_context = 255, ///< of queues: what context_options say
};

/** How a context is made: what holds for its queues unless their options say otherwise. */
struct context_options {
	/** Whether the program may have it is seen when a queue is made. */
	atom::priority priority = atom::priority::normal;
	/**
	 * Time without progress after which a job is given up, at most the administrator's limit,
	 * device_info::job_timeout_max; 0 = device_info::job_timeout.
	 */
	std::chrono::milliseconds job_timeout{0};
	/** For debugging, at most 15 bytes of printable ASCII; of its queues and in the log. */
	std::string name{};
};

/**
 * An address space. Its buffers, command buffers and queues work together; those of
 * two contexts cannot reach each other, even in the same process.
 *
 * A cheap handle: copies share it, and what is made in a context keeps it alive.
 * Thread-safe.
 */
class ATOM_API context {
public:
	/** An empty handle. */
	context() noexcept = default;

	/**
	 * @throws system_error limit_reached (no address space left), device_lost,
	 *         out_of_host_memory, invalid_argument (empty device)
	 */
	explicit context(const atom::device &dev);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static context create(const atom::device &dev, std::error_code &ec) noexcept;
	/** @throws as the other one, and invalid_argument (priority, time-out, name) */
	context(const atom::device &dev, const context_options &options);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static context create(const atom::device &dev, const context_options &options,
	                                    std::error_code &ec) noexcept;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

	/** The device that it was made on. @throws system_error invalid_argument if empty */
	[[nodiscard]] atom::device device() const;

	/** As it was made. @throws system_error invalid_argument if empty */
	[[nodiscard]] context_options options() const;

private:
	friend struct core::access;
	explicit context(std::shared_ptr<core::context> impl) noexcept : impl_(std::move(impl)) {}
	std::shared_ptr<core::context> impl_;
};

} // namespace v1
} // namespace atom

#endif
