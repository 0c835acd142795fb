// SPDX-License-Identifier: MIT
#include "npu.hpp"

namespace atom_ort {

std::shared_ptr<opened> npu::open()
{
	const std::lock_guard lock(mutex_);
	if (opened_) {
		std::error_code error;
		static_cast<void>(opened_->device.memory(error));
		if (error != atom::errc::device_lost)
			return opened_;
		memory_.drop();
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
