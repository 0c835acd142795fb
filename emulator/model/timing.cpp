/* SPDX-License-Identifier: MIT */
#include "timing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "atom/hw/dtype.h"

namespace atom::model {

namespace {

enum parameter : std::size_t {
	rate_int8,
	rate_half,
	rate_single,
	utilisation,
	tile_m,
	tile_n,
	tile_k,
	vector_rate,
	dram_bandwidth,
	shm_bandwidth,
	pcie_bandwidth,
	launch,
	command_overhead,
	parameter_count,
};

/* The one table of the timing model. Order: enum parameter. */
constexpr std::array<timing_parameter, parameter_count> table{{
	{"rate.int8", 64e12, "MAC/s", source::published, "128 TOPS"},
	{"rate.half", 16e12, "MAC/s", source::published, "32 TFLOPS in fp16; bf16 assumed alike"},
	{"rate.single", 4e12, "MAC/s", source::assumed, "f32 at a quarter of fp16"},
	{"utilisation", 0.45, "of peak", source::fitted, "the means of four published results"},
	{"tile.m", 16, "rows", source::assumed, "granularity of the matrix unit"},
	{"tile.n", 16, "columns", source::assumed, "granularity of the matrix unit"},
	{"tile.k", 32, "depth", source::assumed, "granularity of the matrix unit"},
	{"rate.vector", 1e12, "elements/s", source::assumed, "8 engines of 128 lanes near 1 GHz"},
	{"bandwidth.dram", 256e9, "B/s", source::published, "GDDR6"},
	{"bandwidth.shm", 1e12, "B/s", source::assumed, "four times the DRAM"},
	{"bandwidth.pcie", 55e9, "B/s", source::assumed, "Gen5 x16 in each direction, protocol taken off"},
	{"launch", 55e3, "ns", source::published, "measured floor of a round trip on a real card"},
	{"overhead.command", 500, "ns", source::assumed, "dispatch to the engines and the barrier at the end"},
}};

double rate_of(std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return table[rate_int8].value;
	case ATOM_DTYPE_F32:
	case ATOM_DTYPE_I16:
	case ATOM_DTYPE_I32:
	case ATOM_DTYPE_I64:
		return table[rate_single].value;
	default:
		return table[rate_half].value;
	}
}

/* Share of the matrix unit that a dimension fills: 17 of 16 rows take two passes. */
double fill(std::uint64_t size, double granularity)
{
	if (size == 0)
		return 1.0;
	const double passes = std::ceil(static_cast<double>(size) / granularity);
	return static_cast<double>(size) / (passes * granularity);
}

double seconds_of_compute(const engine::cost &work)
{
	double seconds = 0;
	if (work.macs) {
		const double filled = fill(work.m, table[tile_m].value) * fill(work.n, table[tile_n].value) *
				      fill(work.k, table[tile_k].value);
		seconds = static_cast<double>(work.macs) /
			  (rate_of(work.dtype) * table[utilisation].value * filled);
	}
	return std::max(seconds, static_cast<double>(work.elements) / table[vector_rate].value);
}

} // namespace

std::span<const timing_parameter> timing_parameters()
{
	return table;
}

const char *name_of(source from)
{
	return from == source::published ? "published" : from == source::assumed ? "assumed" : "fitted";
}

std::uint64_t modelled_command_ns(const engine::cost &work, const footprint &bytes)
{
	const double seconds = std::max({
		seconds_of_compute(work),
		static_cast<double>(bytes.dram) / table[dram_bandwidth].value,
		static_cast<double>(bytes.shm) / table[shm_bandwidth].value,
		static_cast<double>(bytes.pcie_in) / table[pcie_bandwidth].value,
		static_cast<double>(bytes.pcie_out) / table[pcie_bandwidth].value,
	});
	/* A footprint of 2^64 bytes is over in 10^9 s: what follows cannot overflow. */
	return static_cast<std::uint64_t>(std::llround(seconds * 1e9 + table[command_overhead].value));
}

std::uint64_t modelled_launch_ns()
{
	return static_cast<std::uint64_t>(table[launch].value);
}

} // namespace atom::model
