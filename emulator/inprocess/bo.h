/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdint>
#include <string>

#include "memory.h"

namespace atom::inprocess {

/** A buffer object. Its memory lives as long as a handle, a mapping of a VM or one of the CPU. */
struct bo {
	memory_range range;
	std::uint32_t placement = 0; ///< enum drm_atom_bo_placement
	std::uint32_t flags = 0;     ///< enum drm_atom_bo_flags
	std::uint32_t vm_id = 0;     ///< the only VM that may bind it, or 0

	std::uint64_t size() const { return range.bytes(); }
	/** ATOM_APERTURE_* of its pages: they count as placements do. */
	std::uint32_t aperture() const { return placement; }
};

} // namespace atom::inprocess
