// SPDX-License-Identifier: MIT
// Fences and what became of jobs, as both interfaces have them.
#pragma once

#include "c/border.hpp"

namespace atom::c {

/** Throws invalid_argument. */
fence fence_of(const atom_fence &from);

atom_completion completion_of(const completion &from);
completion completion_of(const atom_completion &from);

atom_fault fault_of(const fault &from);

/** As the C interface has them. */
deadline deadline_of(int64_t ns);

} // namespace atom::c
