// SPDX-License-Identifier: MIT
// Sessions that are saved in their compiled form (EPContext) and loaded again.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include <onnxruntime_session_options_config_keys.h>

#include "layers.hpp"

namespace ort_test {
namespace {

constexpr int width = 32;

class compiled_test : public testing::TestWithParam<const char *> {
protected:
	void SetUp() override
	{
		file = folder.write("layers.onnx", layers(2, width));
		saved = folder.file("compiled.onnx");
		open(file, processor::npu,
		     {{kOrtSessionOptionEpContextEnable, "1"},
		      {kOrtSessionOptionEpContextFilePath, saved},
		      {kOrtSessionOptionEpContextEmbedMode, GetParam()}});
	}

	[[nodiscard]] onnx::ModelProto read() const
	{
		onnx::ModelProto model;
		std::ifstream in(saved, std::ios::binary);
		EXPECT_TRUE(model.ParseFromIstream(&in));
		return model;
	}

	/** What the node holds, be it in the model or beside it. */
	void change_blob(const std::function<void(std::string &)> &change) const
	{
		onnx::ModelProto model = read();
		for (onnx::AttributeProto &a : *model.mutable_graph()->mutable_node(0)->mutable_attribute()) {
			if (a.name() != "ep_cache_context")
				continue;
			if (std::string(GetParam()) == "1") {
				change(*a.mutable_s());
				continue;
			}
			const std::string beside = folder.file(a.s());
			std::ifstream in(beside, std::ios::binary);
			std::string bytes((std::istreambuf_iterator<char>(in)), {});
			change(bytes);
			std::ofstream(beside, std::ios::binary) << bytes;
		}
		folder.write("compiled.onnx", model);
	}

	void expect_refused(const std::string &what) const
	{
		try {
			open(saved, processor::npu);
			ADD_FAILURE() << what << " is taken";
		} catch (const Ort::Exception &e) {
			EXPECT_GT(std::string(e.what()).size(), 10U) << what;
		}
	}

	temporary_folder folder;
	std::string file;
	std::string saved;
};

TEST_P(compiled_test, what_is_loaded_computes_the_same)
{
	const onnx::ModelProto model = read();
	ASSERT_EQ(model.graph().node_size(), 1);
	EXPECT_EQ(model.graph().node(0).op_type(), "EPContext");
	Ort::Session loaded = open(saved, processor::npu);
	Ort::Session cpu = open(file, processor::cpu);
	for (const std::int64_t rows : {1, 9}) {
		const Ort::Value in = rows_of(rows, width, 1);
		EXPECT_LT(relative_difference(run_layers(loaded, in), run_layers(cpu, in)), 1e-4);
	}
}

TEST_P(compiled_test, forms_of_the_same_shapes_that_follow_each_other_have_weights_of_their_own)
{
	const Ort::Value in = rows_of(3, width, 1);
	for (const unsigned seed : {1U, 2U, 3U}) {
		const std::string number = std::to_string(seed);
		const std::string other = folder.write("other" + number + ".onnx", layers(2, width, seed));
		const std::string form = folder.file("form" + number + ".onnx");
		open(other, processor::npu,
		     {{kOrtSessionOptionEpContextEnable, "1"},
		      {kOrtSessionOptionEpContextFilePath, form},
		      {kOrtSessionOptionEpContextEmbedMode, GetParam()}});
		Ort::Session loaded = open(form, processor::npu);
		Ort::Session cpu = open(other, processor::cpu);
		EXPECT_LT(relative_difference(run_layers(loaded, in), run_layers(cpu, in)), 1e-4) << seed;
	}
}

TEST_P(compiled_test, any_byte_that_changed_is_found)
{
	std::size_t size = 0;
	change_blob([&](std::string &b) { size = b.size(); });
	ASSERT_GT(size, 2U * width * width * sizeof(float)); // the weights are in it
	for (std::size_t at = 0; at < size; at += size / 23) {
		change_blob([&](std::string &b) { b[at] ^= 0x10; });
		expect_refused("byte " + std::to_string(at) + " changed");
		change_blob([&](std::string &b) { b[at] ^= 0x10; });
	}
	open(saved, processor::npu); // restored
}

TEST_P(compiled_test, a_form_that_was_cut_or_is_another_s_is_refused)
{
	std::string whole;
	change_blob([&](std::string &b) { whole = b; });
	for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{40}, whole.size() / 2, whole.size() - 1}) {
		change_blob([&](std::string &b) { b = whole.substr(0, length); });
		expect_refused("cut to " + std::to_string(length));
	}
	change_blob([&](std::string &b) { b = whole + "x"; });
	expect_refused("a byte more");
	change_blob([&](std::string &b) { b = "of another program"; });
	expect_refused("something else");
}

INSTANTIATE_TEST_SUITE_P(embedded, compiled_test, testing::Values("1"));
INSTANTIATE_TEST_SUITE_P(beside, compiled_test, testing::Values("0"));

} // namespace
} // namespace ort_test
