// SPDX-License-Identifier: MIT
#pragma once

#include "atom/fence.hpp"
#include "atom_ort_ep.h"

namespace atom_ort {

// Counters of the process; thread-safe.
void count_job(const atom::completion &done) noexcept;
void count_graph(std::size_t nodes, std::size_t on_npu);
void count_part();
void count_program();

/** All that is counted here; the rest is zero. */
[[nodiscard]] atom_ort_ep_statistics counted();

} // namespace atom_ort
