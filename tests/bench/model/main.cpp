// SPDX-License-Identifier: MIT
// The group `model` of the bench: modelled time of the published runs beside the published figures, the parameters behind
// it and what happens when an assumed one is wrong, and where the time of each layer goes.
#include "figures.hpp"
#include "report.hpp"

#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>

using namespace bench;

int main(int argc, char **argv)
{
	const char *folder = nullptr;
	bool fit_only = false;
	for (int i = 1; i < argc; ++i) {
		if (std::strcmp(argv[i], "--fit") == 0)
			fit_only = true;
		else if (std::strcmp(argv[i], "--write") == 0 && i + 1 < argc)
			folder = argv[++i];
		else
			return std::fprintf(stderr, "usage: %s [--fit] [--write FOLDER]\n", argv[0]), 2;
	}
	try {
		workloads w;
		if (fit_only) {
			const fit_result f = fit(w);
			std::printf("utilisation = %.4f of peak\nlaunch = %.0f ns\n", f.utilisation, f.launch_ns);
			return 0;
		}
		const auto values = w.values("");
		std::printf("Modelled, not an MLPerf result: no figure here was measured on the chip.\n\n");
		print_parameters();
		print_results(values);
		print_others(values);
		print_sensitivity(w, values);
		if (folder)
			write_breakdowns(w, folder);
		for (std::size_t i = 0; i < run_count; ++i) {
			tell(published_runs[i].figure, values[i]);
			tell((std::string(published_runs[i].figure) + ".reference").c_str(), published_runs[i].reference);
		}
	} catch (const std::exception &e) {
		std::fprintf(stderr, "bench_model: %s\n", e.what());
		return 1;
	}
	return 0;
}
