// SPDX-License-Identifier: MIT
// Turning errno values and mistakes into the exceptions of the API, and those into codes.
#pragma once

#include <new>
#include <string>
#include <utility>

#include "atom/error.hpp"
#include "core/device.hpp"

namespace atom::core {

/** Throws system_error with @p what as its whole sentence. */
[[noreturn]] void fail(errc code, const std::string &what);

/** A few words; null for what is no errc. */
const char *text_of(errc code) noexcept;

/** The code for an errno of the driver; @p full is what ENOSPC means here. */
std::error_code code_of(int error, errc full = errc::out_of_device_memory) noexcept;

/** Throws "@p operation: <reason of @p error>". */
[[noreturn]] void fail_errno(int error, const std::string &operation,
                             errc full = errc::out_of_device_memory);

inline void check(int error, const char *operation, errc full = errc::out_of_device_memory)
{
	if (error != 0)
		fail_errno(error, operation, full);
}

/**
 * Runs @p function; its exception becomes @p ec and its result an empty object. @p who, a device or
 * null, tells its log the sentence that is lost by that.
 */
template <class F>
auto guarded(std::error_code &ec, const device *who, F &&function) noexcept -> decltype(function())
{
	try {
		ec.clear();
		return function();
	} catch (const std::system_error &e) {
		ec = e.code();
		// A wait that ends at its time has not failed.
		if (who != nullptr && ec != errc::timed_out)
			who->say(log_level::info, [&e] { return std::string(e.what()); });
	} catch (const std::bad_alloc &) {
		ec = errc::out_of_host_memory;
	} catch (...) {
		ec = errc::invalid_argument;
	}
	if constexpr (!std::is_void_v<decltype(function())>)
		return {};
}

/** Where there is no device yet. */
template <class F>
auto guarded(std::error_code &ec, F &&function) noexcept -> decltype(function())
{
	return guarded(ec, static_cast<const device *>(nullptr), std::forward<F>(function));
}

/** As guarded(), for a function that returns a file descriptor: -1 if it throws. */
template <class F>
int guarded_file(std::error_code &ec, const device *who, F &&function) noexcept
{
	const int file = guarded(ec, who, std::forward<F>(function));
	return ec ? -1 : file;
}

} // namespace atom::core
