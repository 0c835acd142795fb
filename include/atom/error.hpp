// SPDX-License-Identifier: MIT
/**
 * @file error.hpp
 * @brief How libatom tells that something went wrong.
 *
 * Every operation that can fail comes twice: `f(args)` throws atom::system_error,
 * `f(args, std::error_code &)` sets the code and does not throw (a class's
 * constructor throws; its static create() is the other one and returns an empty
 * object on failure). The exception's what() names the operation, the object, the
 * reason and, where there is one, the remedy.
 */
#ifndef ATOM_ERROR_HPP
#define ATOM_ERROR_HPP

#include <memory>
#include <string>
#include <system_error>

#include "atom/config.hpp"

namespace atom {
inline namespace v1 {

/** What went wrong, by what a program can do about it. 0 is success. */
enum class errc : int {
	no_device = 1,        ///< no such device: load the module, check the address
	permission_denied,    ///< the user may not do this: what() says who may
	incompatible_kernel,  ///< the driver or the device speaks another interface
	unsupported,          ///< this device, driver or placement cannot do it
	invalid_argument,     ///< the caller's mistake, also use of an empty object
	out_of_range,         ///< a view reaches outside its buffer, or a tensor outside its view
	wrong_context,        ///< objects of two contexts or devices were mixed
	too_large,            ///< more than a limit of device_info
	out_of_host_memory,   ///< system memory is exhausted
	out_of_device_memory, ///< LOCAL or SHM memory is exhausted: free buffers, then again
	limit_reached,        ///< no queue or address space is left on the device
	timed_out,            ///< the deadline of a wait passed; the job goes on
	canceled,             ///< the job did not run to its end because its queue ended
	job_fault,            ///< the job did something wrong: completion::fault says what
	job_timed_out,        ///< the job made no progress within the queue's job_timeout
	queue_banned,         ///< a job of this queue failed: make a new queue
	device_reset,         ///< the job was lost to a reset that another caused: submit again
	device_lost,          ///< the device is gone or dead: open it again
	forked_child,         ///< the object belongs to the parent process
};

/** The category "atom". Compares equal to matching std::errc conditions. */
ATOM_API const std::error_category &error_category() noexcept;

/** Lets an errc be a std::error_code. */
inline std::error_code make_error_code(errc code) noexcept
{
	return {static_cast<int>(code), error_category()};
}

/** What libatom throws. code() is of error_category(), or of the system for what it did not expect.
 */
class ATOM_API system_error : public std::system_error {
public:
	/** @param what the whole sentence that what() returns */
	system_error(std::error_code code, const std::string &what);
	/** A copy; does not throw. */
	system_error(const system_error &) noexcept;
	/** A copy; does not throw. */
	system_error &operator=(const system_error &) noexcept;
	~system_error() override;

	/** Operation, object, reason and remedy, in a sentence. */
	[[nodiscard]] const char *what() const noexcept override;

private:
	std::shared_ptr<const std::string> what_; // copying an exception must not throw
};

} // namespace v1
} // namespace atom

template <>
struct std::is_error_code_enum<atom::errc> : std::true_type {
};

#endif
