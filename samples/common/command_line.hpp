// SPDX-License-Identifier: MIT
// What the command lines of the samples have in common.
#pragma once

#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>

#include "network.hpp"
#include "run_sample.hpp"
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

} // namespace samples
