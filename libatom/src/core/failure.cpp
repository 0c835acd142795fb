// SPDX-License-Identifier: MIT
#include "core/failure.hpp"

#include <cerrno>

namespace atom::core {

void fail(errc code, const std::string &what) { throw system_error(code, what); }

std::error_code code_of(int error, errc full) noexcept
{
	switch (error) {
	case 0:
		return {};
	case EINVAL:
	case ENOENT:
	case EBADF:
		return errc::invalid_argument;
	case EACCES:
	case EPERM:
		return errc::permission_denied;
	case ENOMEM:
		return errc::out_of_host_memory;
	case ENOSPC:
		return full;
	case E2BIG:
		return errc::too_large;
	case ENODEV:
	case ENXIO:
	case EIO:
		return errc::device_lost;
	case ECANCELED:
		return errc::queue_banned;
	case EOPNOTSUPP:
	case ENOTTY:
		return errc::unsupported;
	case ETIME:
	case ETIMEDOUT:
		return errc::timed_out;
	default:
		return {error, std::system_category()};
	}
}

void fail_errno(int error, const std::string &operation, errc full)
{
	const std::error_code code = code_of(error, full);
	std::string what = operation + ": " + code.message();
	if (code.category() == error_category())
		what += " (" + std::system_category().message(error) + ")";
	if (code == errc::device_lost)
		what += ": close it, and open it again once it is back (device_monitor tells)";
	throw system_error(code, what);
}

} // namespace atom::core
