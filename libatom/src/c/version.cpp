// SPDX-License-Identifier: MIT
#include "atom/atom.h"
#include "atom/config.hpp"

uint32_t atom_runtime_version(void)
{
	const atom::library_version v = atom::runtime_version();
	return v.major << 16 | v.minor << 8 | v.patch;
}
