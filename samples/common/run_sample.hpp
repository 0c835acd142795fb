// SPDX-License-Identifier: MIT
// The frame of a sample's main(): options, errors, exit status.
#pragma once

#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "failure.hpp"

namespace samples {

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
