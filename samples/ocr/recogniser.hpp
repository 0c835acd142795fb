// SPDX-License-Identifier: MIT
// Reads one line of text.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "network.hpp"
#include "picture.hpp"

namespace ocr {

struct text {
	std::string characters; ///< UTF-8
	float confidence = 0;   ///< mean of the characters' probabilities
};

/** PP-OCR's recognition network and its alphabet. */
class recogniser {
public:
	/** @param alphabet  text file, one character a line */
	recogniser(samples::runtime &r, const std::filesystem::path &model,
	           const std::filesystem::path &alphabet);

	/** @param line  a picture of one upright line */
	[[nodiscard]] text read(const samples::picture &line);

	[[nodiscard]] samples::activity activity() const { return network_.activity(); }

private:
	samples::network network_;
	std::vector<std::string> alphabet_; ///< class 0 is "no character"
};

/**
 * What a row of steps spells: the likeliest class of each, runs joined, "no character" left out.
 *
 * @param steps  [1, steps, classes] probabilities
 */
text spell(const samples::tensor &steps, const std::vector<std::string> &alphabet);

} // namespace ocr
