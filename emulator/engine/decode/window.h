/* SPDX-License-Identifier: MIT */
/**
 * @file window.h
 * @brief The sliding window of CONV2D, CONVT2D and POOL2D.
 */
#pragma once

#include "decode/parser.h"
#include "window_plan.h"

namespace atom::engine {

/** Decodes the window at byte @p field of the command; BAD_FIELD outside 1 (pads: 0) to 2^31 - 1. */
bool read_window(parser &in, const atom_window &from, std::size_t field, window_plan &to);

} // namespace atom::engine
