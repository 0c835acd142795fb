// SPDX-License-Identifier: MIT
// The results in words, tables and JSON.
#pragma once

#include "results.hpp"

namespace bench {

/** The table of the timing model, as the device says it. */
void print_parameters();
void print_results(const std::array<double, run_count> &values);
/** Published figures of other accelerators in the same round. */
void print_others(const std::array<double, run_count> &values);
/** Change of each result when an assumed parameter is 25 % smaller or larger; nothing is fitted again. */
void print_sensitivity(workloads &w, const std::array<double, run_count> &values);
/** NAME.json for each run: where the time of each command goes; emulator/tools/atom-timeline shows it. */
void write_breakdowns(workloads &w, const std::string &folder);

/** A parameter as atom_model_describe() prints it. */
struct described_parameter {
	std::string name, unit, from, why;
	double value;
};
std::vector<described_parameter> device_parameters();

} // namespace bench
