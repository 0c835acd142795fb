// SPDX-License-Identifier: MIT
// Elements of expected outputs that are wrong in ONNX's vectors, with the right values.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vector.hpp"

namespace conformance {

struct correction {
	std::size_t output;
	std::vector<std::size_t> elements;
	double value;
};

/** By name of the vector. */
using corrections = std::map<std::string, std::vector<correction>>;

/**
 * Lines "VECTOR OUTPUT INDEX[,INDEX..] VALUE", # starts a comment. An absent file is an empty
 * list. @throws std::runtime_error for another line
 */
corrections read_corrections(const std::filesystem::path &file);

/**
 * @throws std::runtime_error if it names no element, or one that the right value would have
 *         passed with: what is listed must be wrong
 */
void correct(data_set &data, const std::vector<correction> &list);

} // namespace conformance
