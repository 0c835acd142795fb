// SPDX-License-Identifier: MIT
#include "job.hpp"

#include "atom/error.hpp"

namespace atom_ort {

bool job::ready() const noexcept
{
	try {
		return done_.ready();
	} catch (const std::exception &) {
		return true; // the device is lost: nothing runs any more
	}
}

atom::completion job::wait_quietly() noexcept
{
	std::error_code error;
	atom::completion result = done_.wait(atom::no_deadline, error);
	if (error && !result.error)
		result.error = error;
	if (!counted_.exchange(true))
		count_job(result);
	return result;
}

void job::wait()
{
	const atom::completion result = wait_quietly();
	if (!result.error)
		return;
	told_ = true;
	const bool lost = result.error == atom::errc::device_lost;
	throw atom::system_error(result.error,
	                         what_(result) + ": " + result.to_string() +
	                                 (lost ? "; make a new session once the device is back"
	                                       : "; the next run starts anew"));
}

} // namespace atom_ort
