// SPDX-License-Identifier: MIT
// Networks on pictures, trained ones and one that was quantised: their results are those of the CPU.
#include <gtest/gtest.h>

#include <algorithm>

#include "contenders.hpp"
#include "harness.hpp"
#include "model_file.hpp"
#include "resnet50.hpp"

namespace ort_test {
namespace {

/** The same file on both. */
struct pair {
	explicit pair(const std::string &file) : npu(open(file, processor::npu)), cpu(open(file, processor::cpu)) {}

	[[nodiscard]] std::string input() const
	{
		return npu.GetInputNameAllocated(0, Ort::AllocatorWithDefaultOptions()).get();
	}
	double difference(Ort::Value picture)
	{
		feeds in;
		in[input()] = std::move(picture);
		const auto expected = run(cpu, in);
		const std::vector<float> values = floats_of(expected.at(0));
		largest = *std::max_element(values.begin(), values.end());
		return relative_difference(run(npu, in).at(0), expected.at(0));
	}
	double difference(const std::vector<std::int64_t> &dims, float least, float most)
	{
		return difference(random_floats(dims, least, most, 1));
	}
	void expect_all_on_npu() const
	{
		const share s = assigned(npu);
		EXPECT_GT(s.nodes, 0U);
		EXPECT_EQ(s.on_npu, s.nodes) << s.others;
	}

	Ort::Session npu;
	Ort::Session cpu;
	float largest = 0; ///< of the last results
};

/** Bright, with a line of dark strokes that a detector takes for text. */
Ort::Value page(std::int64_t height, std::int64_t width)
{
	const Ort::Value noise = random_floats({height / 8, width / 3}, 0, 1, 7);
	const std::vector<float> strokes = floats_of(noise);
	std::vector<float> pixels;
	for (int channel = 0; channel < 3; ++channel)
		for (std::int64_t y = 0; y < height; ++y)
			for (std::int64_t x = 0; x < width; ++x) {
				const bool line = y / 16 % 3 == 1 && x > 10 && x + 10 < width;
				const bool dark = line && strokes[static_cast<std::size_t>(
									     y / 8 * (width / 3) + x / 3 % (width / 3))] > 0.5F;
				pixels.push_back(dark ? -1.8F : 2.0F);
			}
	return floats({1, 3, height, width}, pixels);
}

TEST(vision_test, text_is_found_in_pictures_of_several_sizes)
{
	pair detector(model_folder("ocr") + "/ch_PP-OCRv4_det_infer.onnx");
	for (const auto &[height, width] : {std::pair{96, 160}, {160, 96}, {96, 160}, {64, 64}}) {
		EXPECT_LT(detector.difference(page(height, width)), 1e-3) << height << "x" << width;
		EXPECT_GT(detector.largest, 0.5F) << "nothing is found";
	}
	detector.expect_all_on_npu();
}

TEST(vision_test, lines_of_several_lengths_are_read)
{
	pair recogniser(model_folder("ocr") + "/ch_PP-OCRv4_rec_infer.onnx");
	for (const auto &[lines, width] : {std::pair{1, 160}, {2, 64}, {1, 320}, {1, 160}})
		EXPECT_LT(recogniser.difference({lines, 3, 48, width}, -1, 1), 1e-3) << lines << ", " << width;
	recogniser.expect_all_on_npu();
}

TEST(vision_test, photographs_are_classified)
{
	pair classifier(model_folder("classify") + "/efficientnet-lite0.onnx");
	EXPECT_LT(classifier.difference({1, 3, 224, 224}, -1, 1), 1e-3);
	classifier.expect_all_on_npu();
}

class resnet_test : public testing::Test {
protected:
	static void SetUpTestSuite() { f32 = bench::read_resnet50(vectors_folder() + "/light/light_resnet50.onnx"); }

	static inline onnx::ModelProto f32;
	temporary_folder folder;
	const std::vector<std::int64_t> image{1, 3, 224, 224};
};

TEST_F(resnet_test, the_float_network_says_what_the_cpu_says)
{
	pair network(folder.write("f32.onnx", f32));
	EXPECT_LT(network.difference(image, -2, 2), 1e-3);
	network.expect_all_on_npu();
}

TEST_F(resnet_test, the_quantised_network_says_what_the_cpu_says)
{
	const onnx::ModelProto folded = bench::fold_norms(f32);
	const Ort::Value picture = random_floats(image, -2, 2, 1);
	std::vector<float> pixels = floats_of(picture);
	const auto ranges =
		bench::cpu_network(folder.write("ranges.onnx", bench::with_all_outputs(folded)), 2).ranges(pixels);
	pair network(folder.write("int8.onnx", bench::quantise(folded, ranges)));
	// Steps of quantisation are 1/256; a sum that is rounded the other way moves results by some of them.
	EXPECT_LT(network.difference(image, -2, 2), 0.25);
	network.expect_all_on_npu();
}

} // namespace
} // namespace ort_test
