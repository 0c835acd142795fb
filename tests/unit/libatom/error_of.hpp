// SPDX-License-Identifier: MIT
// Expecting an exception.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "atom/error.hpp"

namespace atom::test {

/** Runs @p f, which must throw system_error with @p code, and returns what(). */
template <class F>
std::string error_of(errc code, F &&f)
{
	try {
		f();
	} catch (const system_error &e) {
		EXPECT_EQ(e.code(), code) << e.what();
		return e.what();
	}
	ADD_FAILURE() << "nothing was thrown";
	return {};
}

} // namespace atom::test
