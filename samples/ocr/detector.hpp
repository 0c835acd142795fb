// SPDX-License-Identifier: MIT
// Finds lines of text in a picture.
#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "network.hpp"
#include "picture.hpp"

namespace ocr {

/** Corners from the top left one on, clockwise as one reads. */
using quadrangle = std::array<cv::Point2f, 4>;

/** PP-OCR's detection network and what turns its map of probabilities into boxes. */
class detector {
public:
	/** @param side  the longer side of the picture that the network sees, in pixels */
	detector(samples::runtime &r, const std::filesystem::path &model, int side)
		: network_(r, model), side_(side)
	{
	}

	/** Boxes in the order in which one reads. @throws samples::failure */
	[[nodiscard]] std::vector<quadrangle> find(const samples::picture &p);

	[[nodiscard]] samples::activity activity() const { return network_.activity(); }

private:
	samples::network network_;
	int side_;
};

/**
 * The boxes in a map of how likely each pixel is text.
 *
 * @param probability  of the network
 * @param size         of the picture that the boxes are for
 */
std::vector<quadrangle> boxes_of(const cv::Mat1f &probability, cv::Size size);

/** The box cut out of the picture, made upright; a column of text is turned. */
samples::picture cut_out(const samples::picture &p, const quadrangle &box);

} // namespace ocr
