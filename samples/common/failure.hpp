// SPDX-License-Identifier: MIT
// How the samples fail: one sentence for the person, one exit status for scripts.
#pragma once

#include <stdexcept>
#include <string>

namespace samples {

/** Exit statuses of the samples. */
enum class status {
	wrong = 1,      ///< a result is wrong
	usage = 2,      ///< the call is wrong
	no_device = 3,  ///< no device, or none that can be used
	job = 4,        ///< a job or a call failed on the way
	input = 5,      ///< a model or a picture is missing or cannot be read
	damaged = 6,    ///< a language model that is cut short, or no model
	permission = 7, ///< there is a device, but not for this user
	memory = 8,     ///< what does not fit into the device
};

class failure : public std::runtime_error {
public:
	failure(status s, const std::string &what) : std::runtime_error(what), status_(s) {}
	[[nodiscard]] int exit_status() const noexcept { return static_cast<int>(status_); }

private:
	status status_;
};

} // namespace samples
