// SPDX-License-Identifier: MIT
#pragma once

#include "atom/fence.hpp"
#include "atom_ort_ep.h"

namespace atom_ort {

/** Of a session's graph. */
struct graph_share {
	std::size_t nodes;
	std::size_t nodes_on_npu;
	double multiplications;
	double multiplications_on_npu;
};

// Counters of the process; thread-safe.
void count_job(const atom::completion &done) noexcept;
void count_graph(const graph_share &graph);
void count_part();
void count_program();

/** All that is counted here; the rest is zero. */
[[nodiscard]] atom_ort_ep_statistics counted();

} // namespace atom_ort
