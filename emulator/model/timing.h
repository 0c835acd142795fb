/* SPDX-License-Identifier: MIT */
/**
 * @file timing.h
 * @brief The parameters of the modelled silicon, and what each of its resources
 * takes for a command. How commands share them is job_clock.h.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/engine.h"

namespace atom::model {

/** Where a parameter comes from. */
enum class source {
	published, ///< in public documents of the chip
	assumed,   ///< chosen by this project before anything was fitted; the bench prints the sensitivity
	fitted,    ///< to the means of four published results, by tests/bench/model
	changed,   ///< by who built the device (atom_model_config.timing)
};
const char *name_of(source from);

/** In the order of the table in timing.cpp. */
enum class parameter : std::size_t {
	rate_int8,
	rate_half,
	rate_single,
	utilisation,
	engines,
	tile_m,
	tile_n,
	tile_k,
	vector_rate,
	dram_bandwidth,
	shm_bandwidth,
	pcie_bandwidth,
	ahead_bytes,
	command_overhead,
	launch,
	count,
};

struct timing_parameter {
	const char *name;
	double value;
	const char *unit;
	source from;
	double least; ///< bounds of what the model computes with
	double most;
	const char *why;
};

/** The parameters of one device. */
class timing {
public:
	/** As published, assumed and fitted. */
	timing();

	double operator[](parameter p) const { return table_[static_cast<std::size_t>(p)].value; }
	std::span<const timing_parameter> table() const { return table_; }
	/**
	 * Changes parameters: "name=value,name=value".
	 * @return empty, or a sentence that says what is wrong
	 */
	std::string change(const std::string &changes);

private:
	std::string change_one(const std::string &name, const std::string &value);

	std::array<timing_parameter, static_cast<std::size_t>(parameter::count)> table_;
};

/** Bytes that a command moves, each operand once: what is used again stays in the scratchpads. */
struct footprint {
	std::uint64_t dram_read = 0;
	std::uint64_t dram_ahead = 0; ///< of dram_read: can be fetched before the command's turn
	std::uint64_t dram_write = 0;
	std::uint64_t shm_read = 0;
	std::uint64_t shm_write = 0;
	std::uint64_t pcie_in = 0;
	std::uint64_t pcie_out = 0;
};

/** A time of the model as its records tell it. */
std::uint64_t whole_ns(double ns);

/** What each resource takes for a command, in ns, were it alone. */
struct resource_times {
	double matrix = 0;
	double vector = 0;
	double dram = 0;       ///< what cannot be fetched ahead
	double dram_ahead = 0;
	double shm_read = 0;
	double shm_write = 0;
	double pcie_in = 0;
	double pcie_out = 0;
	double overhead = 0;
};

/** @p clock_share: 1, or less when clocks are throttled; DRAM, PCIe and the host keep theirs. */
resource_times times_of(const timing &t, const engine::cost &work, const footprint &bytes, double clock_share);

} // namespace atom::model
