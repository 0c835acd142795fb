// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <fstream>

#include <opencv2/imgproc.hpp>

#include "failure.hpp"
#include "recogniser.hpp"

namespace ocr {

namespace {

constexpr int height = 48;
// Widths come in steps, so that lines of about the same length share a graph.
constexpr int width_step = 320;
constexpr int width_max = 3200;

std::vector<std::string> read_alphabet(const std::filesystem::path &file)
{
	std::ifstream in(file);
	if (!in)
		throw samples::failure(samples::status::input,
		                       file.string() + ": the alphabet is not there");
	std::vector<std::string> characters{""};
	for (std::string line; std::getline(in, line);)
		characters.push_back(line);
	characters.emplace_back(" ");
	return characters;
}

} // namespace

recogniser::recogniser(samples::runtime &r, const std::filesystem::path &model,
                       const std::filesystem::path &alphabet)
	: network_(r, model), alphabet_(read_alphabet(alphabet))
{
}

text recogniser::read(const samples::picture &line)
{
	const double ratio = static_cast<double>(line.cols) / line.rows;
	const int width = std::clamp(static_cast<int>(std::ceil(height * ratio)), 1, width_max);
	const int padded = (width + width_step - 1) / width_step * width_step;
	samples::picture seen;
	// Mid-grey, which is 0 to the network.
	cv::copyMakeBorder(samples::resized(line, {width, height}), seen, 0, 0, 0, padded - width,
	                   cv::BORDER_CONSTANT, cv::Scalar::all(127.5));
	return spell(
		network_.run(samples::planes(seen, cv::Vec3f::all(127.5F), cv::Vec3f::all(127.5F))),
		alphabet_);
}

text spell(const samples::tensor &steps, const std::vector<std::string> &alphabet)
{
	if (steps.dims.size() != 3 || steps.dims[0] != 1 ||
	    steps.dims[2] != static_cast<std::int64_t>(alphabet.size()))
		throw samples::failure(
			samples::status::input,
			"the recognition model and the alphabet do not belong together");
	text result;
	std::size_t characters = 0;
	std::ptrdiff_t before = 0;
	for (auto step = steps.values.begin(); step != steps.values.end(); step += steps.dims[2]) {
		const auto best = std::max_element(step, step + steps.dims[2]);
		const auto found = best - step;
		if (found != 0 && found != before) {
			result.characters += alphabet[static_cast<std::size_t>(found)];
			result.confidence += *best;
			++characters;
		}
		before = found;
	}
	if (characters)
		result.confidence /= static_cast<float>(characters);
	return result;
}

} // namespace ocr
