// SPDX-License-Identifier: MIT
// What is expected of vectors: lists in text files, a vector a line.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "run.hpp"

namespace conformance {

/** Vectors that do not apply; all others must pass. */
struct expectations {
	std::map<std::string, std::string> not_applicable; ///< vector -> reason

	/** Empty if @p o is what is expected of the vector; else what is not. */
	std::string judge(const std::string &vector, const outcome &o) const;
};

/** Lines "NAME REASON..", # starts a comment. An absent file is an empty list. */
std::map<std::string, std::string> read_list(const std::filesystem::path &file);

} // namespace conformance
