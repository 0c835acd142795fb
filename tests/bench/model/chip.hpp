// SPDX-License-Identifier: MIT
// Runs a stream of commands on the device model: host bus, driver, page tables, queues; the arithmetic is off.
#pragma once

#include "stream.hpp"

namespace bench {

struct timed_run {
	double job_ns = 0; // modelled, as the completion record says it
	std::uint64_t launch_ns = 0; // of it, before the first command
	std::vector<atom_model_command_time> commands;
};

/** One job on an idle device. @p timing: changes of the model's parameters. */
timed_run run_single(stream &s, const std::string &timing);

/** Two queues that always have a job waiting, pace=device: ns of modelled time from one completion to the next. */
double run_offline(stream &s, const std::string &timing);

} // namespace bench
