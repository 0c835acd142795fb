// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace atom::sys {

/** A node of the subsystem "accel" whose PCI driver is ours, or what stands for one. */
struct accel_node {
	std::string path; ///< "/dev/accel/accel0", "model:0"
	std::string bdf;  ///< empty if it is on no bus
	int numa_node = -1;
};

/** The order of nodes by path: accel2 stands before accel10. */
inline bool before(const std::string &a, const std::string &b)
{
	return a.size() != b.size() ? a.size() < b.size() : a < b;
}

} // namespace atom::sys
