/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstddef>

namespace atom::engine::kernels {

/** Taps [first, last) of a kernel, of all or along one axis. */
struct tap_range {
	std::size_t first, last;
};

} // namespace atom::engine::kernels
