// SPDX-License-Identifier: MIT
// The device nodes of this machine, as libudev knows them.
#pragma once

#include <memory>
#include <vector>

#include "sys/accel_node.hpp"
#include "sys/node_monitor.hpp"

namespace atom::sys {

/** Sorted by path. 0 or a negative errno value. */
int list_udev_nodes(std::vector<accel_node> &nodes);
/** What becomes of them from now on. 0 or a negative errno value. */
int follow_udev_nodes(std::unique_ptr<node_monitor> &out);

} // namespace atom::sys
