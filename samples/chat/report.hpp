// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "language_model.hpp"

namespace chat {

/** Tokens, and what they took. */
struct phase {
	std::size_t tokens = 0;
	double seconds = 0;
	atom_statistics npu{}; ///< the difference

	[[nodiscard]] double tokens_per_second() const;
};

struct report {
	std::string model;
	std::string device;
	bool on_npu = false;
	coverage graph; ///< of a token of the answer
	phase prompt;
	phase answer;

	/** One line for a person. */
	[[nodiscard]] std::string sentence() const;
	[[nodiscard]] nlohmann::ordered_json json() const;
};

} // namespace chat
