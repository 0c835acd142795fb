// SPDX-License-Identifier: MIT
#include "atom/error.hpp"

#include "atom/fence.hpp"
#include "core/failure.hpp"

namespace atom {

const char *core::text_of(errc code) noexcept
{
	switch (code) {
	case errc::no_device:
		return "no such device";
	case errc::permission_denied:
		return "permission denied";
	case errc::incompatible_kernel:
		return "incompatible driver or device";
	case errc::unsupported:
		return "not supported";
	case errc::invalid_argument:
		return "invalid argument";
	case errc::out_of_range:
		return "out of range";
	case errc::wrong_context:
		return "objects of different contexts";
	case errc::too_large:
		return "too large";
	case errc::out_of_host_memory:
		return "out of system memory";
	case errc::out_of_device_memory:
		return "out of device memory";
	case errc::limit_reached:
		return "the device has no more of them";
	case errc::timed_out:
		return "timed out";
	case errc::canceled:
		return "canceled";
	case errc::job_fault:
		return "the job faulted";
	case errc::job_timed_out:
		return "the job made no progress in time";
	case errc::queue_banned:
		return "the queue takes no more jobs";
	case errc::device_reset:
		return "lost to a reset that another job caused";
	case errc::device_lost:
		return "the device is gone or dead";
	case errc::forked_child:
		return "the object belongs to the parent process";
	}
	return nullptr;
}

inline namespace v1 {
namespace {

class category final : public std::error_category {
public:
	[[nodiscard]] const char *name() const noexcept override { return "atom"; }

	[[nodiscard]] std::string message(int value) const override
	{
		const char *text = core::text_of(static_cast<errc>(value));
		return text != nullptr ? text : "unknown error " + std::to_string(value);
	}

	[[nodiscard]] std::error_condition
	default_error_condition(int value) const noexcept override
	{
		switch (static_cast<errc>(value)) {
		case errc::no_device:
		case errc::device_lost:
			return std::errc::no_such_device;
		case errc::permission_denied:
			return std::errc::permission_denied;
		case errc::incompatible_kernel:
		case errc::unsupported:
			return std::errc::not_supported;
		case errc::invalid_argument:
		case errc::wrong_context:
			return std::errc::invalid_argument;
		case errc::out_of_range:
			return std::errc::result_out_of_range;
		case errc::too_large:
			return std::errc::value_too_large;
		case errc::out_of_host_memory:
			return std::errc::not_enough_memory;
		case errc::out_of_device_memory:
		case errc::limit_reached:
			return std::errc::no_space_on_device;
		case errc::timed_out:
		case errc::job_timed_out:
			return std::errc::timed_out;
		case errc::canceled:
		case errc::queue_banned:
			return std::errc::operation_canceled;
		case errc::job_fault:
		case errc::device_reset:
			return std::errc::io_error;
		case errc::forked_child:
			return std::errc::operation_not_permitted;
		}
		return {value, *this};
	}
};

std::error_code code_or_canceled(const completion &result)
{
	return result.error ? result.error : make_error_code(errc::canceled);
}

} // namespace

const std::error_category &error_category() noexcept
{
	static const category instance;
	return instance;
}

system_error::system_error(std::error_code code, const std::string &what)
	: std::system_error(code), what_(std::make_shared<const std::string>(what))
{
}
system_error::system_error(const system_error &) noexcept = default;
system_error &system_error::operator=(const system_error &) noexcept = default;
system_error::~system_error() = default;

const char *system_error::what() const noexcept { return what_->c_str(); }

job_error::job_error(const completion &result)
	: system_error(code_or_canceled(result), result.to_string()),
	  result_(std::make_shared<const completion>(result))
{
}
job_error::job_error(const job_error &) noexcept = default;
job_error &job_error::operator=(const job_error &) noexcept = default;
job_error::~job_error() = default;

const completion &job_error::result() const noexcept { return *result_; }

} // namespace v1
} // namespace atom
