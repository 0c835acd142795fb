// SPDX-License-Identifier: MIT
// Tests in the suites stress* have two forms: a short one in make check, a long one in make stress.
#pragma once

#include <cstdlib>

namespace vmtest {

/** Whether this is make stress. */
inline bool long_form() { return std::getenv("ATOM_STRESS") != nullptr; }

/** How often to do a thing. */
inline unsigned rounds(unsigned in_short, unsigned in_long) { return long_form() ? in_long : in_short; }

} // namespace vmtest
