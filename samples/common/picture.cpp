// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <opencv2/imgproc.hpp>
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>

#include "failure.hpp"
#include "picture.hpp"

namespace samples {

namespace {

// Larger pictures would take gigabytes on the way through the networks.
constexpr std::int64_t pixels_max = 64 << 20;

struct closed {
	void operator()(std::FILE *f) const { std::fclose(f); }
};

[[noreturn]] void fail(const std::filesystem::path &file, const std::string &why)
{
	throw failure(status::input, file.string() + ": " + why);
}

} // namespace

picture load_picture(const std::filesystem::path &file)
{
	const std::unique_ptr<std::FILE, closed> stream(std::fopen(file.c_str(), "rb"));
	if (!stream)
		fail(file, std::strerror(errno));
	int width = 0;
	int height = 0;
	if (!stbi_info_from_file(stream.get(), &width, &height, nullptr))
		fail(file, "this is no picture in PNG or JPEG format");
	if (std::int64_t{width} * height > pixels_max)
		fail(file, "the picture is too large: " + std::to_string(width) + " x " +
		                   std::to_string(height));
	const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> data(
		stbi_load_from_file(stream.get(), &width, &height, nullptr, 3), stbi_image_free);
	if (!data)
		fail(file, "the picture is damaged");
	return cv::Mat(height, width, CV_8UC3, data.get()).clone();
}

void save_picture(const picture &p, const std::filesystem::path &file)
{
	if (!stbi_write_png(file.c_str(), p.cols, p.rows, 3, p.data, static_cast<int>(p.step)))
		fail(file, "cannot be written");
}

picture resized(const picture &p, cv::Size size)
{
	picture out;
	const bool smaller = size.width < p.cols && size.height < p.rows;
	cv::resize(p, out, size, 0, 0, smaller ? cv::INTER_AREA : cv::INTER_CUBIC);
	return out;
}

tensor planes(const picture &p, const cv::Vec3f &mean, const cv::Vec3f &deviation)
{
	tensor out{{1, 3, p.rows, p.cols}, std::vector<float>(p.total() * 3)};
	for (int channel = 0; channel < 3; ++channel) {
		cv::Mat1f plane(p.rows, p.cols,
		                out.values.data() + p.total() * static_cast<std::size_t>(channel));
		cv::Mat1b values;
		cv::extractChannel(p, values, channel);
		values.convertTo(plane, CV_32F, 1 / deviation[channel],
		                 -mean[channel] / deviation[channel]);
	}
	return out;
}

} // namespace samples
