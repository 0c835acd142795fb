// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "import.hpp"
#include "partition.hpp"

namespace atom_ort {

/** What of a graph the NPU does. */
struct claims {
	std::vector<node_group> groups; ///< each becomes a part
	std::vector<std::string> left;  ///< of each node: why the CPU has to do it; empty: it does not
	double multiplications = 0;     ///< of all nodes, with the sizes that were assumed
	double multiplications_claimed = 0;
};

/** The lowering is asked: there is no second list of what it can do. */
[[nodiscard]] claims decide(const imported &from);

} // namespace atom_ort
