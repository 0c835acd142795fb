// SPDX-License-Identifier: MIT
// What ocr makes of the numbers that its networks give.
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "detector.hpp"
#include "failure.hpp"
#include "recogniser.hpp"

namespace {

const std::vector<std::string> alphabet{"", "a", "b", "ß"};

samples::tensor steps_of(const std::vector<std::vector<float>> &steps)
{
	samples::tensor t{{1, static_cast<std::int64_t>(steps.size()), 4}, {}};
	for (const auto &step : steps)
		t.values.insert(t.values.end(), step.begin(), step.end());
	return t;
}

void expect_corners(const ocr::quadrangle &found, const ocr::quadrangle &wanted, float tolerance)
{
	for (std::size_t i = 0; i < wanted.size(); ++i) {
		EXPECT_NEAR(found[i].x, wanted[i].x, tolerance) << "corner " << i;
		EXPECT_NEAR(found[i].y, wanted[i].y, tolerance) << "corner " << i;
	}
}

TEST(ocr_spelling, joins_runs_and_leaves_out_the_empty_class)
{
	const auto text = ocr::spell(steps_of({{0, 1, 0, 0},
	                                       {0, 1, 0, 0},
	                                       {1, 0, 0, 0},
	                                       {0, 1, 0, 0},
	                                       {0, 0, 0, 1},
	                                       {0, 0, 1, 0}}),
	                             alphabet);
	EXPECT_EQ(text.characters, "aaßb");
	EXPECT_FLOAT_EQ(text.confidence, 1);
}

TEST(ocr_spelling, takes_the_mean_of_the_characters_as_confidence)
{
	const auto text = ocr::spell(
		steps_of({{0.1F, 0.8F, 0.1F, 0}, {0.9F, 0, 0, 0.1F}, {0.2F, 0.1F, 0.6F, 0}}),
		alphabet);
	EXPECT_EQ(text.characters, "ab");
	EXPECT_FLOAT_EQ(text.confidence, 0.7F);
}

TEST(ocr_spelling, of_empty_steps_is_empty_and_has_no_confidence)
{
	const auto text = ocr::spell(steps_of({{1, 0, 0, 0}, {1, 0, 0, 0}}), alphabet);
	EXPECT_EQ(text.characters, "");
	EXPECT_EQ(text.confidence, 0);
}

TEST(ocr_spelling, refuses_an_alphabet_of_another_size)
{
	EXPECT_THROW(ocr::spell(steps_of({{1, 0, 0, 0}}), {"", "a"}), samples::failure);
}

TEST(ocr_boxes, are_larger_than_the_marked_cores_and_in_the_pictures_scale)
{
	cv::Mat1f map(100, 200, 0.0F);
	map(cv::Rect(40, 40, 80, 10)) = 0.9F;
	const auto boxes = ocr::boxes_of(map, {400, 200});
	ASSERT_EQ(boxes.size(), 1U);
	// The core is 79 x 9 between the centres of its pixels; each side moves out by 6.06.
	expect_corners(boxes[0], {{{68, 68}, {250, 68}, {250, 110}, {68, 110}}}, 1.01F);
}

TEST(ocr_boxes, leave_out_what_is_faint_or_tiny)
{
	cv::Mat1f map(100, 200, 0.0F);
	map(cv::Rect(10, 10, 80, 10)) = 0.5F;
	map(cv::Rect(10, 60, 2, 2)) = 1;
	EXPECT_TRUE(ocr::boxes_of(map, {200, 100}).empty());
}

TEST(ocr_boxes, come_line_by_line_from_left_to_right)
{
	cv::Mat1f map(200, 400, 0.0F);
	map(cv::Rect(20, 120, 60, 12)) = 1;
	map(cv::Rect(220, 22, 60, 12)) = 1;
	map(cv::Rect(20, 25, 60, 12)) = 1;
	const auto boxes = ocr::boxes_of(map, map.size());
	ASSERT_EQ(boxes.size(), 3U);
	EXPECT_LT(boxes[0][0].x, 100);
	EXPECT_GT(boxes[1][0].x, 100);
	EXPECT_GT(boxes[2][0].y, 100);
}

TEST(ocr_boxes, of_leaning_lines_lean)
{
	cv::Mat1f map(300, 300, 0.0F);
	std::array<cv::Point2f, 4> core;
	cv::RotatedRect({150, 150}, {160, 20}, 20).points(core.data());
	const std::vector<cv::Point> corners(core.begin(), core.end());
	cv::fillConvexPoly(map, corners, 1.0F);
	const auto boxes = ocr::boxes_of(map, map.size());
	ASSERT_EQ(boxes.size(), 1U);
	const cv::Point2f top = boxes[0][1] - boxes[0][0];
	EXPECT_NEAR(std::atan2(top.y, top.x) * 180 / CV_PI, 20, 1.5);
}

TEST(ocr_cutting, makes_a_leaning_line_upright)
{
	samples::picture page(200, 200, cv::Vec3b(255, 255, 255));
	const ocr::quadrangle box{{{50, 40}, {150, 90}, {140, 110}, {40, 60}}};
	const std::vector<cv::Point> corners(box.begin(), box.end());
	cv::fillConvexPoly(page, corners, cv::Scalar(10, 20, 30));
	const samples::picture line = ocr::cut_out(page, box);
	EXPECT_NEAR(line.cols, 112, 1);
	EXPECT_NEAR(line.rows, 22, 1);
	EXPECT_EQ(line(line.rows / 2, line.cols / 2), cv::Vec3b(10, 20, 30));
	EXPECT_EQ(line(3, 3), cv::Vec3b(10, 20, 30));
}

TEST(ocr_cutting, turns_a_column_into_a_line)
{
	const samples::picture page(200, 200, cv::Vec3b(255, 255, 255));
	const samples::picture line =
		ocr::cut_out(page, {{{10, 10}, {30, 10}, {30, 150}, {10, 150}}});
	EXPECT_EQ(line.size(), cv::Size(140, 20));
}

} // namespace
