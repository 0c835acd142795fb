// SPDX-License-Identifier: MIT
// What programs do with sessions: shapes that change, threads, missing operators.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "layers.hpp"

namespace ort_test {
namespace {

constexpr int width = 96;
constexpr double tolerance = 1e-4;

class sessions_test : public testing::Test {
protected:
	temporary_folder folder;
	const std::string file = folder.write("layers.onnx", layers(3, width));
};

TEST_F(sessions_test, the_plug_in_offers_a_device)
{
	ASSERT_EQ(npus().size(), 1U);
	EXPECT_STREQ(npus()[0].EpName(), "AtomExecutionProvider");
	EXPECT_EQ(npus()[0].Device().Type(), OrtHardwareDeviceType_NPU);
}

TEST_F(sessions_test, each_run_may_have_another_number_of_rows)
{
	Ort::Session npu = open(file, processor::npu);
	Ort::Session cpu = open(file, processor::cpu);
	for (const std::int64_t rows : {1, 7, 1, 64, 0, 7}) {
		const Ort::Value in = rows_of(rows, width, static_cast<unsigned>(rows));
		EXPECT_LT(relative_difference(run_layers(npu, in), run_layers(cpu, in)), tolerance) << rows;
	}
}

TEST_F(sessions_test, one_session_is_run_by_four_threads_at_once)
{
	Ort::Session npu = open(file, processor::npu);
	Ort::Session cpu = open(file, processor::cpu);
	std::atomic<int> wrong{0};
	{
		std::vector<std::jthread> threads;
		for (unsigned t = 0; t < 4; ++t)
			threads.emplace_back([&, t] {
				for (unsigned i = 0; i < 20; ++i) {
					const Ort::Value in = rows_of(1 + (t + i) % 5, width, 100 * t + i);
					wrong += relative_difference(run_layers(npu, in), run_layers(cpu, in)) >= tolerance;
				}
			});
	}
	EXPECT_EQ(wrong, 0);
}

TEST_F(sessions_test, sessions_are_made_and_run_by_threads_of_their_own)
{
	Ort::Session cpu = open(file, processor::cpu);
	std::atomic<int> wrong{0};
	{
		std::vector<std::jthread> threads;
		for (unsigned t = 0; t < 3; ++t)
			threads.emplace_back([&, t] {
				for (unsigned i = 0; i < 5; ++i) {
					Ort::Session npu = open(file, processor::npu);
					const Ort::Value in = rows_of(3, width, 10 * t + i);
					wrong += relative_difference(run_layers(npu, in), run_layers(cpu, in)) >= tolerance;
				}
			});
	}
	EXPECT_EQ(wrong, 0);
}

TEST_F(sessions_test, an_operator_that_the_npu_lacks_is_left_to_the_cpu_between_two_that_it_has)
{
	model_builder m;
	m.input("in", onnx::TensorProto::FLOAT, {4, 8});
	m.output("out", onnx::TensorProto::FLOAT, {4, 8});
	m.node("Sin", {"in"}, {"before"});
	auto &det = m.node("Cast", {"before"}, {"double"});
	auto &to = *det.add_attribute();
	to.set_name("to");
	to.set_type(onnx::AttributeProto::INT);
	to.set_i(onnx::TensorProto::DOUBLE);
	m.node("Ceil", {"double"}, {"rounded"});
	auto &back = m.node("Cast", {"rounded"}, {"again"});
	*back.add_attribute() = to;
	back.mutable_attribute(0)->set_i(onnx::TensorProto::FLOAT);
	m.node("Add", {"again", "before"}, {"out"});
	const std::string mixed = folder.write("mixed.onnx", m.model);
	Ort::Session npu = open(mixed, processor::npu);
	Ort::Session cpu = open(mixed, processor::cpu);
	const share s = assigned(npu);
	EXPECT_EQ(s.on_npu, 2U) << s.others;
	EXPECT_LT(s.on_npu, s.nodes);
	feeds in;
	in["in"] = random_floats({4, 8}, -3, 3, 1);
	EXPECT_LT(relative_difference(run(npu, in).at(0), run(cpu, in).at(0)), tolerance);
}

TEST_F(sessions_test, results_of_one_run_are_not_changed_by_the_next)
{
	Ort::Session npu = open(file, processor::npu);
	const Ort::Value first = run_layers(npu, rows_of(5, width, 1));
	const std::vector<float> before = floats_of(first);
	run_layers(npu, rows_of(5, width, 2));
	EXPECT_EQ(floats_of(first), before);
}

// A device may keep copies of weights that it was promised are constant, until their memory is unmapped.
// Small constants of a program lie together, large ones each in a buffer.
TEST_F(sessions_test, sessions_of_the_same_shapes_that_follow_each_other_have_weights_of_their_own)
{
	for (const int small_or_large : {8, width}) {
		const Ort::Value in = rows_of(5, small_or_large, 1);
		for (const unsigned seed : {1U, 2U, 3U}) {
			const std::string other = folder.write("other.onnx", layers(2, small_or_large, seed));
			Ort::Session cpu = open(other, processor::cpu);
			Ort::Session npu = open(other, processor::npu);
			const Ort::Value expected = run_layers(cpu, in);
			for (int again = 0; again < 2; ++again)
				EXPECT_LT(relative_difference(run_layers(npu, in), expected), tolerance) << seed;
		}
	}
}

TEST_F(sessions_test, convolutions_of_the_same_shapes_that_follow_each_other_have_weights_of_their_own)
{
	for (const int channels : {8, 64}) {
		feeds in;
		in["in"] = random_floats({1, channels, 12, 12}, -1, 1, 1);
		for (const unsigned seed : {1U, 2U, 3U}) {
			model_builder m;
			m.input("in", onnx::TensorProto::FLOAT, {1, channels, 12, 12});
			m.output("out", onnx::TensorProto::FLOAT, {1, channels, 10, 10});
			const std::vector<std::int64_t> dims{channels, channels, 3, 3};
			m.floats("kernels", dims, floats_of(random_floats(dims, -1, 1, seed)));
			m.node("Conv", {"in", "kernels"}, {"out"});
			const std::string other = folder.write("other.onnx", m.model);
			Ort::Session cpu = open(other, processor::cpu);
			Ort::Session npu = open(other, processor::npu);
			const Ort::Value expected = std::move(run(cpu, in).at(0));
			for (int again = 0; again < 2; ++again)
				EXPECT_LT(relative_difference(run(npu, in).at(0), expected), tolerance) << seed;
		}
	}
}

// Memory of tensors is used again for others: no such promise is made of it.
TEST_F(sessions_test, weights_that_are_inputs_may_change_between_runs)
{
	model_builder m;
	m.input("in", onnx::TensorProto::FLOAT, {1, 4, 8, 8});
	m.input("kernels", onnx::TensorProto::FLOAT, {4, 4, 3, 3});
	m.input("matrix", onnx::TensorProto::FLOAT, {6, 6});
	m.output("out", onnx::TensorProto::FLOAT, {1, 4, 6, 6});
	m.node("Conv", {"in", "kernels"}, {"image"});
	m.node("MatMul", {"image", "matrix"}, {"out"});
	const std::string changing = folder.write("changing.onnx", m.model);
	Ort::Session npu = open(changing, processor::npu);
	Ort::Session cpu = open(changing, processor::cpu);
	for (const unsigned seed : {1U, 2U, 3U}) {
		feeds in;
		in["in"] = random_floats({1, 4, 8, 8}, -1, 1, 1);
		in["kernels"] = random_floats({4, 4, 3, 3}, -1, 1, seed);
		in["matrix"] = random_floats({6, 6}, -1, 1, 10 + seed);
		EXPECT_LT(relative_difference(run(npu, in).at(0), run(cpu, in).at(0)), tolerance) << seed;
	}
}

} // namespace
} // namespace ort_test
