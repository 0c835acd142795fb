// SPDX-License-Identifier: MIT
// Trained networks, whole, on the NPU and on the CPU.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "found.hpp"
#include "models.hpp"
#include "runtime.hpp"

namespace {

using runtime::where;

std::vector<Ort::Value> one(Ort::Value v)
{
	std::vector<Ort::Value> all;
	all.push_back(std::move(v));
	return all;
}

// What the CPU provider's approximation of a sigmoid is off by itself.
constexpr float cpu_error = 5e-7F;

/** Relative to the largest value of the CPU's result, which must not be the same everywhere. */
void expect_equal(Ort::Session npu, Ort::Session cpu,
                  const std::vector<std::vector<std::int64_t>> &shapes, float tolerance)
{
	for (const auto &dims : shapes) {
		const auto input = one(runtime::noise(dims));
		const Ort::Value expected = std::move(runtime::run(cpu, input)[0]);
		const std::vector<float> values = runtime::values_of(expected);
		const auto [least, most] = std::minmax_element(values.begin(), values.end());
		EXPECT_LT(*least, *most);
		EXPECT_LE(runtime::difference(runtime::run(npu, input)[0], expected),
		          tolerance * std::max(-*least, *most) + cpu_error);
	}
	const auto c = runtime::coverage_of(npu);
	EXPECT_EQ(c.on_npu, c.nodes);
}

void expect_equal(const std::string &file, const std::vector<std::vector<std::int64_t>> &shapes,
                  float tolerance)
{
	expect_equal(runtime::load_file(file, where::npu), runtime::load_file(file, where::cpu),
	             shapes, tolerance);
}

TEST(ModelsTest, TheNetworkThatFindsTextIsWhollyOnTheNpuAndGivesTheSame)
{
	const std::string folder = found::folder_of("models ocr");
	if (folder.empty())
		GTEST_SKIP() << "the network cannot be fetched";
	expect_equal(folder + "/ch_PP-OCRv4_det_infer.onnx", {{1, 3, 160, 224}, {1, 3, 96, 96}},
	             1e-4F);
}

TEST(ModelsTest, TheNetworkThatReadsTextIsWhollyOnTheNpuAndGivesTheSame)
{
	const std::string folder = found::folder_of("models ocr");
	if (folder.empty())
		GTEST_SKIP() << "the network cannot be fetched";
	expect_equal(folder + "/ch_PP-OCRv4_rec_infer.onnx",
	             {{1, 3, 48, 320}, {2, 3, 48, 100}, {1, 3, 48, 320}}, 1e-4F);
}

TEST(ModelsTest, ResNet50IsWhollyOnTheNpuAndGivesTheSame)
{
	const std::string folder = found::folder_of("onnx-testdata");
	if (folder.empty())
		GTEST_SKIP() << "ONNX's test data cannot be fetched";
	const std::string model =
		models::with_random_weights(folder + "/light/light_resnet50.onnx");
	ASSERT_FALSE(model.empty());
	expect_equal(runtime::load(model, where::npu), runtime::load(model, where::cpu),
	             {{1, 3, 224, 224}}, 1e-3F);
}

// Of all-MiniLM-L6-v2's tokeniser.
const std::vector<std::vector<std::int64_t>> sentences{
	{101, 2129, 2079, 1045, 25141, 2026, 20786, 1029, 102}, // How do I reset my password?
	{101, 1045, 9471, 2026, 8833, 2378, 1012, 102},         // I forgot my login.
	{101, 1996, 4633, 2003, 3835, 2651, 1012, 102},         // The weather is nice today.
	{101, 2009, 2003, 11559, 2648, 1012, 102},              // It is sunny outside.
	{101, 4518, 6089, 3062, 9249, 2006, 6928, 1012, 102},   // Stock markets fell sharply ..
};

/** The mean over a sentence's tokens, of length 1. */
std::vector<double> embedding(Ort::Session &s, const std::vector<std::int64_t> &tokens)
{
	const auto length = static_cast<std::int64_t>(tokens.size());
	const std::vector<std::int64_t> dims{1, length};
	std::vector<Ort::Value> inputs;
	inputs.push_back(runtime::integers(dims, tokens));
	inputs.push_back(runtime::integers(dims, std::vector<std::int64_t>(tokens.size(), 1)));
	inputs.push_back(runtime::integers(dims, std::vector<std::int64_t>(tokens.size(), 0)));
	const std::vector<float> states = runtime::values_of(runtime::run(s, inputs)[0]);
	std::vector<double> mean(states.size() / tokens.size(), 0);
	for (std::size_t i = 0; i < states.size(); ++i)
		mean[i % mean.size()] += states[i];
	double norm = 0;
	for (const double m : mean)
		norm += m * m;
	for (double &m : mean)
		m /= std::sqrt(norm);
	return mean;
}

std::vector<double> similarities(where on, const std::string &model)
{
	Ort::Session s = runtime::load_file(model, on);
	std::vector<std::vector<double>> all;
	for (const auto &tokens : sentences)
		all.push_back(embedding(s, tokens));
	std::vector<double> result;
	for (const auto &a : all)
		for (const auto &b : all) {
			double sum = 0;
			for (std::size_t i = 0; i < a.size(); ++i)
				sum += a[i] * b[i];
			result.push_back(sum);
		}
	return result;
}

TEST(ModelsTest, SentencesAreAsSimilarAsOnTheCpuToThreeDecimals)
{
	const std::string folder = found::folder_of("models embedding");
	if (folder.empty())
		GTEST_SKIP() << "the network cannot be fetched";
	const auto npu = similarities(where::npu, folder + "/model.onnx");
	const auto cpu = similarities(where::cpu, folder + "/model.onnx");
	for (std::size_t i = 0; i < npu.size(); ++i)
		EXPECT_NEAR(npu[i], cpu[i], 0.0005) << i;
	EXPECT_GT(npu[1], npu[2]); // a login is nearer to a password than the weather is
	const auto c =
		runtime::coverage_of(runtime::load_file(folder + "/model.onnx", where::npu));
	EXPECT_EQ(c.on_npu, c.nodes);
}

} // namespace
