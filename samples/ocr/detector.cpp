// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <optional>

#include <opencv2/imgproc.hpp>

#include "detector.hpp"
#include "failure.hpp"

namespace ocr {

namespace {

// The values that the network was published with.
constexpr float text_from = 0.3F; // a pixel is text from this probability on
constexpr float box_from = 0.6F;  // a box is kept if its pixels' mean is at least this
constexpr float unclip_ratio =
	1.5F; // the network marks the cores of lines: make them as large as the text
constexpr float shortest = 3; // pixels of the map
constexpr std::size_t boxes_max = 1000;
constexpr float same_line = 0.5F; // of a box's height: how far apart the boxes of a line may begin
const cv::Vec3f mean{0.485F * 255, 0.456F * 255, 0.406F * 255};
const cv::Vec3f deviation{0.229F * 255, 0.224F * 255, 0.225F * 255};

// The network halves its picture five times.
int to_multiple_of_32(float n) { return std::max(32, static_cast<int>(std::lround(n / 32)) * 32); }

float mean_inside(const cv::Mat1f &probability, const std::vector<cv::Point> &contour)
{
	const cv::Rect around = cv::boundingRect(contour) & cv::Rect({0, 0}, probability.size());
	cv::Mat1b mask(around.size(), 0);
	cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{contour}, 1, cv::LINE_8, 0,
	             -around.tl());
	return static_cast<float>(cv::mean(probability(around), mask)[0]);
}

float length(cv::Point2f v) { return std::hypot(v.x, v.y); }

// From the top left corner on, clockwise.
quadrangle in_order(const cv::RotatedRect &r)
{
	quadrangle q;
	r.points(q.data());
	std::sort(q.begin(), q.end(), [](auto a, auto b) { return a.x < b.x; });
	if (q[0].y > q[1].y)
		std::swap(q[0], q[1]);
	if (q[2].y > q[3].y)
		std::swap(q[2], q[3]);
	return {q[0], q[2], q[3], q[1]};
}

std::optional<quadrangle> box_of(const cv::Mat1f &probability,
                                 const std::vector<cv::Point> &contour)
{
	cv::RotatedRect r = cv::minAreaRect(contour);
	if (std::min(r.size.width, r.size.height) < shortest ||
	    mean_inside(probability, contour) < box_from)
		return std::nullopt;
	const float more = r.size.area() * unclip_ratio / (r.size.width + r.size.height);
	r.size += cv::Size2f(more, more);
	if (std::min(r.size.width, r.size.height) < shortest + 2)
		return std::nullopt;
	return in_order(r);
}

void sort_as_read(std::vector<quadrangle> &boxes)
{
	std::sort(boxes.begin(), boxes.end(),
	          [](const auto &a, const auto &b) { return a[0].y < b[0].y; });
	for (auto line = boxes.begin(); line != boxes.end();) {
		const float tolerance = same_line * length((*line)[3] - (*line)[0]);
		const auto end = std::find_if(line, boxes.end(), [&](const auto &b) {
			return b[0].y - (*line)[0].y > tolerance;
		});
		std::sort(line, end, [](const auto &a, const auto &b) { return a[0].x < b[0].x; });
		line = end;
	}
}

} // namespace

std::vector<quadrangle> boxes_of(const cv::Mat1f &probability, cv::Size size)
{
	std::vector<std::vector<cv::Point>> contours;
	cv::findContours(cv::Mat1b(probability > text_from), contours, cv::RETR_LIST,
	                 cv::CHAIN_APPROX_SIMPLE);
	contours.resize(std::min(contours.size(), boxes_max));
	const auto to_picture = [&](cv::Point2f p) {
		const auto x =
			p.x * static_cast<float>(size.width) / static_cast<float>(probability.cols);
		const auto y = p.y * static_cast<float>(size.height) /
		               static_cast<float>(probability.rows);
		return cv::Point2f(
			std::clamp(std::round(x), 0.0F, static_cast<float>(size.width)),
			std::clamp(std::round(y), 0.0F, static_cast<float>(size.height)));
	};
	std::vector<quadrangle> boxes;
	for (const auto &contour : contours) {
		auto box = box_of(probability, contour);
		if (!box)
			continue;
		std::transform(box->begin(), box->end(), box->begin(), to_picture);
		if (length((*box)[1] - (*box)[0]) >= shortest &&
		    length((*box)[3] - (*box)[0]) >= shortest)
			boxes.push_back(*box);
	}
	sort_as_read(boxes);
	return boxes;
}

std::vector<quadrangle> detector::find(const samples::picture &p)
{
	const float scale =
		static_cast<float>(side_) / static_cast<float>(std::max(p.cols, p.rows));
	const cv::Size seen(to_multiple_of_32(static_cast<float>(p.cols) * scale),
	                    to_multiple_of_32(static_cast<float>(p.rows) * scale));
	samples::tensor map =
		network_.run(samples::planes(samples::resized(p, seen), mean, deviation));
	if (map.values.size() != static_cast<std::size_t>(seen.area()))
		throw samples::failure(samples::status::input,
		                       "the detection model gives no map of its picture");
	return boxes_of(cv::Mat1f(seen.height, seen.width, map.values.data()), p.size());
}

samples::picture cut_out(const samples::picture &p, const quadrangle &box)
{
	const float width = std::max(length(box[1] - box[0]), length(box[2] - box[3]));
	const float height = std::max(length(box[3] - box[0]), length(box[2] - box[1]));
	const quadrangle upright{{{0, 0}, {width, 0}, {width, height}, {0, height}}};
	samples::picture out;
	cv::warpPerspective(p, out, cv::getPerspectiveTransform(box.data(), upright.data()),
	                    {static_cast<int>(width), static_cast<int>(height)}, cv::INTER_CUBIC,
	                    cv::BORDER_REPLICATE);
	if (height >= width * 1.5F)
		cv::rotate(out, out, cv::ROTATE_90_COUNTERCLOCKWISE);
	return out;
}

} // namespace ocr
