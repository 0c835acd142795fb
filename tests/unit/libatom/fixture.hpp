// SPDX-License-Identifier: MIT
// libatom's API on the fake kernel.
#pragma once

#include <gtest/gtest.h>

#include "atom/atom.hpp"
#include "core/access.hpp"
#include "core/context.hpp"
#include "core/device.hpp"
#include "error_of.hpp"
#include "fake_kernel.hpp"

namespace atom::test {

inline device open_device(const std::shared_ptr<fake_kernel> &kernel, std::string_view which = "0")
{
	return core::access::wrap(core::device::open(kernel, which));
}

/** An ioctl's number as the fake counts it. */
template <class T>
constexpr unsigned long number(T request)
{
	return static_cast<std::uint32_t>(request);
}

class on_fake_kernel : public testing::Test {
protected:
	std::shared_ptr<fake_kernel> kernel = std::make_shared<fake_kernel>();
	device dev = open_device(kernel);
	context ctx{dev};

	/** A device fault that stops the queue for good. */
	static job_end faulting(std::uint16_t code, std::uint16_t where, std::uint16_t opcode,
	                        std::uint32_t field)
	{
		job_end end;
		end.status = ATOM_CPL_FAULT;
		end.fault_code = code;
		end.fault_where = where;
		end.fault_opcode = opcode;
		end.fault_field = field;
		end.state_flags = DRM_ATOM_QUEUE_STATE_FAULT | DRM_ATOM_QUEUE_STATE_BANNED;
		end.error = EINVAL;
		return end;
	}
};

} // namespace atom::test
