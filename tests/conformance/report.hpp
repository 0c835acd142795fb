// SPDX-License-Identifier: MIT
// The report of a run: conformance.txt for people, conformance.json for programs.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "run.hpp"

namespace conformance {

struct result {
	std::string vector;
	outcome what;
	std::string unexpected; ///< empty: as expected
};

struct summary {
	std::size_t passed = 0;
	std::size_t on_host = 0;   ///< of those that passed: without a command for the device
	std::size_t corrected = 0; ///< of those that passed: against corrected outputs
	std::size_t failed = 0;
	std::map<std::string, std::size_t> not_applicable; ///< by reason
	std::size_t unexpected = 0;
};

summary sum_up(const std::vector<result> &results);

/** "1234 passed, 0 failed, 300 not applicable: ..; of those that passed ..", as all runners end. */
std::string to_string(const summary &s);

void write_text(const std::filesystem::path &file, const std::vector<result> &results);
void write_json(const std::filesystem::path &file, const std::vector<result> &results);
/** The list of what does not apply, to be committed as expected.txt. */
void write_expected(const std::filesystem::path &file, const std::vector<result> &results);

} // namespace conformance
