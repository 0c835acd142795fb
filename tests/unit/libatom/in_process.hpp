// SPDX-License-Identifier: MIT
#pragma once

#include "sys/os.hpp"

namespace atom::test {

/** One for the process, as libatom's own: a machine cannot be destroyed, only its devices power off. */
inline std::shared_ptr<sys::os> in_process_machine()
{
	static auto *const machine = new std::shared_ptr(sys::inprocess_os(",dram=64M,threads=2"));
	return *machine;
}

} // namespace atom::test
