/* SPDX-License-Identifier: MIT */
/**
 * @file round_figures.h
 * @brief Parameters of the timing model that tests can compute with, whatever the model's own are.
 */
#pragma once

#include "device_fixture.h"

namespace atom::test {

inline constexpr const char *round_figures =
	"launch=50000,overhead.command=500,bandwidth.dram=256e9,bandwidth.shm=1e12,bandwidth.pcie=50e9,rate.int8=64e12,"
	"rate.half=16e12,rate.single=4e12,utilisation=0.5,engines=8,tile.m=16,tile.n=16,tile.k=32,rate.vector=1e12,"
	"scratchpad.ahead=1048576";
inline constexpr std::uint64_t launch = 50'000;
inline constexpr std::uint64_t overhead = 500;

inline bus_options with(bus_options options)
{
	options.timing = round_figures;
	return options;
}

inline atom_cmd_fence fence()
{
	atom_cmd_fence f{};
	f.header.opcode = ATOM_OP_FENCE;
	return f;
}

} // namespace atom::test
