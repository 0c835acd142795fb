// SPDX-License-Identifier: MIT
// How atom-smi ends; the same numbers as the samples, in atom-smi(1).
#pragma once

#include <stdexcept>
#include <string>

namespace smi {

enum class exit_status : int {
	ok = 0,
	unhealthy = 1,     ///< a device does not work, or a check or test found something wrong
	usage = 2,         ///< the call is wrong
	no_device = 3,     ///< there is none, or none that was asked for
	failed = 4,        ///< an operation failed on the way
	no_permission = 7, ///< the user may not do this
};

/** Ends the program: what() is one sentence that says what is wrong and what to do. */
class failure : public std::runtime_error {
public:
	failure(exit_status status, const std::string &what)
		: std::runtime_error(what), status_(status)
	{
	}
	[[nodiscard]] exit_status status() const noexcept { return status_; }

private:
	exit_status status_;
};

} // namespace smi
