// SPDX-License-Identifier: MIT
// What the model says of the published runs, and the fit of its two fitted parameters to them.
#pragma once

#include "chip.hpp"

#include <array>

namespace bench {

/** A published figure and the run of the model that answers to it. */
struct published_run {
	const char *figure;
	const char *unit;
	double reference;
	double aim;         // relative error
	bool fitted;        // one of the four that the parameters are fitted to
	const char *what;
};

inline constexpr std::size_t run_count = 6;
extern const std::array<published_run, run_count> published_runs;

/** The streams of the runs; built once, run many times. */
class workloads {
public:
	workloads();

	/** The value of run @p i in its unit. */
	double value(std::size_t i, const std::string &timing);
	std::array<double, run_count> values(const std::string &timing);
	/** The run's job by itself, with where its time goes. */
	timed_run details(std::size_t i, const std::string &timing);
	stream &of(std::size_t i);

private:
	stream resnet_, resnet_batch_, bert_large_, resnet_half_, bert_base_;
};

struct fit_result {
	double utilisation;
	double launch_ns;
};

/** Least squares of the relative errors of the four published means over the two parameters. */
fit_result fit(workloads &w);
/** As `timing` takes them. */
std::string to_timing(const fit_result &f);

} // namespace bench
