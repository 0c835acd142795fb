// SPDX-License-Identifier: MIT
// Base of the tests of what the API promises, whatever is behind it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>

#include "atom/atom.hpp"
#include "core/access.hpp"
#include "core/context.hpp"
#include "core/device.hpp"
#include "sys/os.hpp"

namespace atom::test {

/** A machine with a device. */
struct behind {
	const char *name;
	std::shared_ptr<sys::os> (*make)();
};

inline std::ostream &operator<<(std::ostream &out, const behind &b) { return out << b.name; }
inline std::string name_of(const testing::TestParamInfo<behind> &info) { return info.param.name; }

class the_api : public testing::TestWithParam<behind> {
protected:
	std::shared_ptr<sys::os> os = GetParam().make();
	device dev = core::access::wrap(core::device::open(os, "0"));
	context ctx{dev};
	command_buffer nop = command_builder(ctx).nop().finish();
	buffer data{ctx, 4096};
	/** Uses one argument of 64 bytes. */
	command_buffer with_argument =
		command_builder(ctx).fill(tensor(slot(1), dtype::i8, {64}), 0).finish();
};

} // namespace atom::test
