// SPDX-License-Identifier: MIT
// Pictures in and out of files, and into the numbers that networks take.
#pragma once

#include <filesystem>

#include <opencv2/core.hpp>

#include "tensor.hpp"

namespace samples {

/** Rows of red, green, blue. */
using picture = cv::Mat3b;

/** Reads a PNG or JPEG file. @throws failure (input) which names the file and the reason */
picture load_picture(const std::filesystem::path &file);

/** Writes a PNG file. @throws failure (input) */
void save_picture(const picture &p, const std::filesystem::path &file);

/** Other size: the mean of what a smaller picture's pixel covers, cubic in between if larger. */
picture resized(const picture &p, cv::Size size);

/** A picture as [1, 3, H, W]: (value - mean) / deviation for each channel. */
tensor planes(const picture &p, const cv::Vec3f &mean, const cv::Vec3f &deviation);

} // namespace samples
