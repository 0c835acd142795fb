// SPDX-License-Identifier: MIT
// What has happened to the NPUs between two looks at them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "npu.hpp"

namespace smi {

struct event {
	std::string kind;   ///< "added", "dead", "queue_reset", ..: the words of the schema
	std::string device; ///< PCI address, or node of the in-process device
	std::optional<std::int64_t> count; ///< how many times, of what is counted
	std::string what;                  ///< a sentence for people
};

/** What differs, in the order of devices; a counter that went back was cleared by a reset. */
std::vector<event> differences(const std::vector<npu> &before, const std::vector<npu> &now);

/** What the counters say that has happened up to now. */
std::vector<event> happened(const std::vector<npu> &now);

nlohmann::ordered_json to_json(const event &e);

} // namespace smi
