// SPDX-License-Identifier: MIT
// What the command lines of the samples have in common.
#pragma once

#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "atom/error.hpp"
#include "failure.hpp"
#include "network.hpp"
#include "work_report.hpp"

namespace samples {

/** Options of every sample that runs networks on pictures. */
struct picture_options {
	std::vector<std::filesystem::path> pictures;
	processor device = processor::npu;
	std::filesystem::path plugin; ///< of ONNX Runtime
	unsigned repeat = 1;
	bool json = false;
	std::filesystem::path report; ///< empty: none
};

/** Adds the options to @p app, with what is said about them. */
void add_picture_options(CLI::App &app, picture_options &o);

/**
 * The end of a run: the report as @p o asks for it.
 *
 * @param pictures  what was found in each
 * @throws failure (input) if the file cannot be written
 */
void deliver(const picture_options &o, const work_report &report, nlohmann::ordered_json pictures);

/** Parses, runs @p body, and says on standard error what went wrong. @return the exit status */
template <typename Body>
int run_sample(CLI::App &app, int argc, char **argv, const Body &body)
{
	try {
		app.parse(argc, argv);
		body();
		return 0;
	} catch (const CLI::ParseError &e) {
		return app.exit(e) == 0 ? 0 : static_cast<int>(status::usage);
	} catch (const failure &e) {
		std::cerr << app.get_name() << ": " << e.what() << '\n';
		return e.exit_status();
	} catch (const std::exception &e) {
		std::cerr << app.get_name() << ": " << e.what() << '\n';
		return static_cast<int>(status::job);
	}
}

} // namespace samples
