/* SPDX-License-Identifier: MIT */
#include "timing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "atom/hw/dtype.h"

namespace atom::model {

namespace {

/*
 * The one table of the timing model (emulator/README.md shows it). Published and
 * assumed values were fixed first; the two fitted ones are then what
 * tests/bench/model finds, and a test compares them with it.
 */
constexpr std::array<timing_parameter, static_cast<std::size_t>(parameter::count)> defaults{{
	{"rate.int8", 64e12, "MAC/s", source::published, 1e6, 1e18, "128 TOPS"},
	{"rate.half", 16e12, "MAC/s", source::published, 1e6, 1e18, "32 TFLOPS in fp16; bf16 taken as fp16"},
	{"rate.single", 4e12, "MAC/s", source::assumed, 1e6, 1e18, "f32 at a quarter of fp16, as fp16 is of int8"},
	{"utilisation", 0.4695, "of peak", source::fitted, 1e-3, 1.0, "what the engines reach on full tiles; by bench_model --fit"},
	{"engines", 8, "neural engines", source::published, 1, 4096, "8 neural engines"},
	{"tile.m", 16, "rows", source::assumed, 1, 4096,
	 "16 x 16 x 32 multiply-accumulates a cycle and engine give 128 TOPS at 0.98 GHz"},
	{"tile.n", 16, "columns", source::assumed, 1, 4096, "as tile.m"},
	{"tile.k", 32, "depth in int8", source::assumed, 1, 4096, "as tile.m; other types: in proportion to their rate"},
	{"rate.vector", 1e12, "results/s", source::assumed, 1e6, 1e18, "8 engines of 128 lanes near 1 GHz"},
	{"bandwidth.dram", 256e9, "B/s", source::published, 1e6, 1e18, "GDDR6; reads and writes together"},
	{"bandwidth.shm", 1e12, "B/s", source::assumed, 1e6, 1e18,
	 "each direction: 128 bytes a cycle for each engine near 1 GHz"},
	{"bandwidth.pcie", 25.2e9, "B/s", source::assumed, 1e6, 1e18,
	 "each direction: Gen4 x16, the link of the published runs, is 31.5 GB/s; 80 % of it is payload"},
	{"scratchpad.ahead", 16777216, "B", source::assumed, 0, 1e12,
	 "half of the 32 MB of scratchpads takes what DRAM sends before its command's turn"},
	{"overhead.command", 200, "ns", source::assumed, 0, 1e9,
	 "about 200 cycles to start eight engines, and to drain them at the end"},
	{"launch", 70.5e3, "ns", source::fitted, 0, 1e9, "round trip of an empty job, hidden by a second queue; by bench_model --fit"},
}};

double rate_of(const timing &t, std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return t[parameter::rate_int8];
	case ATOM_DTYPE_F32:
	case ATOM_DTYPE_I16:
	case ATOM_DTYPE_I32:
	case ATOM_DTYPE_I64:
		return t[parameter::rate_single];
	default:
		return t[parameter::rate_half];
	}
}

/* How many tiles cover a dimension: 17 rows of 16 take two. */
double tiles_over(std::uint64_t size, double tile)
{
	return std::max(1.0, std::ceil(static_cast<double>(size) / tile));
}

double matrix_seconds(const timing &t, const engine::cost &work)
{
	if (!work.macs)
		return 0;
	const double rate = rate_of(t, work.dtype);
	const double m = t[parameter::tile_m], n = t[parameter::tile_n];
	const double k = t[parameter::tile_k] * rate / t[parameter::rate_int8];
	const double each = static_cast<double>(std::max<std::uint64_t>(1, work.m)) *
			    static_cast<double>(std::max<std::uint64_t>(1, work.n)) *
			    static_cast<double>(std::max<std::uint64_t>(1, work.k));
	const double products = std::max(1.0, static_cast<double>(work.macs) / each);
	const double steps = products * tiles_over(work.m, m) * tiles_over(work.n, n) * tiles_over(work.k, k);
	/* Engines share tiles, or the depth of a tile: what is left over at the end idles some of them. */
	const double rounds = std::ceil(steps / t[parameter::engines]);
	return rounds * t[parameter::engines] * m * n * k / (rate * t[parameter::utilisation]);
}

} // namespace

const char *name_of(source from)
{
	constexpr const char *names[] = {"published", "assumed", "fitted", "changed"};
	return names[static_cast<std::size_t>(from)];
}

timing::timing() : table_(defaults) {}

std::string timing::change(const std::string &changes)
{
	for (std::size_t at = 0; at < changes.size();) {
		const std::size_t end = std::min(changes.find(',', at), changes.size());
		const std::size_t equals = std::min(changes.find('=', at), end);
		const std::string value = changes.substr(std::min(equals + 1, end), end - std::min(equals + 1, end));
		if (std::string wrong = change_one(changes.substr(at, equals - at), value); !wrong.empty())
			return wrong;
		at = end + 1;
	}
	return {};
}

std::string timing::change_one(const std::string &name, const std::string &value)
{
	const auto it = std::find_if(table_.begin(), table_.end(),
				     [&](const timing_parameter &p) { return name == p.name; });
	if (it == table_.end()) {
		std::string known;
		for (const timing_parameter &p : table_)
			known += std::string(known.empty() ? "" : ", ") + p.name;
		return "timing has no parameter '" + name + "'; there are " + known;
	}
	char *rest = nullptr;
	const double number = std::strtod(value.c_str(), &rest);
	if (value.empty() || *rest || !(number >= it->least && number <= it->most)) {
		char bounds[64];
		std::snprintf(bounds, sizeof bounds, "%g to %g %s", it->least, it->most, it->unit);
		return "timing parameter " + name + " takes " + bounds + ", not '" + value + "'";
	}
	it->value = number;
	it->from = source::changed;
	it->why = "set when the device was built";
	return {};
}

std::uint64_t whole_ns(double ns)
{
	constexpr double longest = 9e18; /* 285 years: more than counts, and fits */
	return static_cast<std::uint64_t>(std::llround(std::min(ns, longest)));
}

resource_times times_of(const timing &t, const engine::cost &work, const footprint &bytes, double clock_share)
{
	const auto moved = [&](std::uint64_t n, parameter bandwidth) { return static_cast<double>(n) / t[bandwidth] * 1e9; };
	const std::uint64_t ahead = std::min(bytes.dram_ahead, bytes.dram_read);
	resource_times r;
	r.matrix = matrix_seconds(t, work) / clock_share * 1e9;
	if (work.where == engine::cost::unit::matrix || work.where == engine::cost::unit::vector)
		r.vector = static_cast<double>(work.elements) / t[parameter::vector_rate] / clock_share * 1e9;
	r.dram = moved(bytes.dram_read - ahead, parameter::dram_bandwidth) +
		 moved(bytes.dram_write, parameter::dram_bandwidth);
	r.dram_ahead = moved(ahead, parameter::dram_bandwidth);
	r.shm_read = moved(bytes.shm_read, parameter::shm_bandwidth) / clock_share;
	r.shm_write = moved(bytes.shm_write, parameter::shm_bandwidth) / clock_share;
	r.pcie_in = moved(bytes.pcie_in, parameter::pcie_bandwidth);
	r.pcie_out = moved(bytes.pcie_out, parameter::pcie_bandwidth);
	r.overhead = t[parameter::command_overhead] / clock_share;
	return r;
}

} // namespace atom::model
