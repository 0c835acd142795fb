// SPDX-License-Identifier: MIT
// The rules by which records and the state of a queue become the fate of a job.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "atom/fence.hpp"
#include "atom/hw/queue.h"
#include "kmd/kmd.hpp"

namespace atom::core {

/** Of a record that tells success. */
completion completion_of(const atom_cpl_record &record);

/**
 * Of job @p sequence, whose fence has been signalled, and whose record, if there
 * is one, does not tell success. Timelines lose errors: the state is the authority.
 * @p passed_over: it has no record because the device never retired it.
 */
completion completion_of(std::uint64_t sequence, const std::optional<atom_cpl_record> &record,
                         bool passed_over, const kmd::queue_report &state);

/** Why the first failed job of a queue failed, in words. */
std::string reason_of(const queue_state &state);

} // namespace atom::core
