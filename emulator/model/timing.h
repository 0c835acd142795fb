/* SPDX-License-Identifier: MIT */
/**
 * @file timing.h
 * @brief What the modelled silicon takes for a command.
 *
 * time(command) = max(multiply-accumulates / (rate * utilisation), elements / vector rate,
 *                     DRAM bytes / bandwidth, SHM bytes / bandwidth, PCIe bytes / bandwidth)
 *                 + overhead of a command
 * and each descriptor costs its launch once. Data moves while the engines compute.
 */
#pragma once

#include <cstdint>
#include <span>

#include "engine/engine.h"

namespace atom::model {

/** Where a parameter comes from. */
enum class source {
	published, ///< in public documents of the chip
	assumed,   ///< chosen by this project; the bench prints the sensitivity
	fitted,    ///< to the means of published results
};

struct timing_parameter {
	const char *name;
	double value;
	const char *unit;
	source from;
	const char *why;
};

/** The table, in a fixed order; see timing.cpp. */
std::span<const timing_parameter> timing_parameters();
const char *name_of(source from);

/** Bytes that a command touches, by where they lie. */
struct footprint {
	std::uint64_t dram = 0;
	std::uint64_t shm = 0;
	std::uint64_t pcie_in = 0;
	std::uint64_t pcie_out = 0;
};

/** Modelled ns of one command, its overhead included. */
std::uint64_t modelled_command_ns(const engine::cost &work, const footprint &bytes);
/** Modelled ns that fetching and launching one descriptor costs. */
std::uint64_t modelled_launch_ns();

} // namespace atom::model
