// SPDX-License-Identifier: MIT
#include "npu.hpp"

#include "atom/error.hpp"

namespace atom_ort {
namespace {

/** Of a device that this process had open and lost. */
std::shared_ptr<opened> open_again(const std::string &path)
{
	try {
		return std::make_shared<opened>(path);
	} catch (const atom::system_error &e) {
		if (e.code() != atom::errc::no_device)
			throw;
		throw atom::system_error(
			atom::errc::device_lost,
			path + " is gone: it was removed while this process used it (" + e.what() +
				"); make a new session once the device is back");
	}
}

} // namespace

std::shared_ptr<opened> npu::open()
{
	const std::lock_guard lock(mutex_);
	if (opened_) {
		std::error_code error;
		static_cast<void>(opened_->device.memory(error));
		if (error != atom::errc::device_lost)
			return opened_;
		return opened_ = open_again(node_.path);
	}
	opened_ = std::make_shared<opened>(node_.path);
	return opened_;
}

std::shared_ptr<opened> npu::current()
{
	const std::lock_guard lock(mutex_);
	return opened_;
}

std::string npu::memory_error()
{
	const std::lock_guard lock(mutex_);
	return memory_error_;
}

void npu::set_memory_error(const std::string &what)
{
	const std::lock_guard lock(mutex_);
	memory_error_ = what;
}

} // namespace atom_ort
