// SPDX-License-Identifier: MIT
#include "npu.hpp"

#include "atom/error.hpp"
#include "failure.hpp"

namespace samples {

atom::device open_npu()
{
	try {
		return atom::device::open();
	} catch (const atom::system_error &e) {
		const bool may_not = e.code() == atom::errc::permission_denied;
		throw failure(may_not ? status::permission : status::no_device, e.what());
	}
}

std::string describe(const atom::device &npu)
{
	return "NPU " + npu.info().path + (npu.info().emulated ? " (emulator)" : "");
}

} // namespace samples
