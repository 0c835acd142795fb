/* SPDX-License-Identifier: MIT */
/**
 * @file depthwise.h
 * @brief Convolutions in which each channel has its own kernel: vectors of channels.
 */
#pragma once

#include "fast/conv.h"

namespace atom::engine::fast {

void depthwise(const conv_plan &p, memory &mem, scratch &work, const conv_part &part);

} // namespace atom::engine::fast
