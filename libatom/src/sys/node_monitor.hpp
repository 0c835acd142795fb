// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sys/accel_node.hpp"

namespace atom::sys {

/** What the kernel said about a device node. */
struct node_event {
	enum class kind {
		added,
		removed, ///< only the path is known
		changed,
	};

	kind what = kind::changed;
	accel_node node;
	std::string wedged; ///< with changed: the remedies, if the device is given up
};

/** Follows the device nodes of the machine. Not thread-safe. */
class node_monitor {
public:
	virtual ~node_monitor() = default;

	/** Readable when there is an event. */
	[[nodiscard]] virtual int fd() const = 0;
	/** 1: an event; 0: none is left; or a negative errno value. Does not block. */
	virtual int next(node_event &out) = 0;
};

} // namespace atom::sys
