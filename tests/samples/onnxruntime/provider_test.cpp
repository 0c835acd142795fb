// SPDX-License-Identifier: MIT
// What the plug-in keeps, shares, says and refuses.
#include <dlfcn.h>

#include <gtest/gtest.h>

#include "atom_ort_ep.h"
#include "layers.hpp"

namespace ort_test {
namespace {

constexpr int width = 64;
constexpr double tolerance = 1e-4;

atom_ort_ep_statistics statistics()
{
	runtime(); // which has loaded it
	void *library = dlopen(ORT_PLUGIN, RTLD_NOW | RTLD_NOLOAD);
	const auto get = reinterpret_cast<atom_ort_ep_get_statistics_t>(
		dlsym(library, ATOM_ORT_EP_GET_STATISTICS));
	atom_ort_ep_statistics now{};
	get(&now, sizeof(now));
	dlclose(library);
	return now;
}

class provider_test : public testing::Test {
protected:
	temporary_folder folder;
	std::string file = folder.write("layers.onnx", layers(2, width));
};

TEST_F(provider_test, a_program_is_built_once_for_a_shape)
{
	Ort::Session npu = open(file, processor::npu);
	const auto before = statistics();
	for (unsigned i = 0; i < 3; ++i)
		for (const std::int64_t rows : {2, 3})
			run_layers(npu, rows_of(rows, width, i));
	const auto after = statistics();
	EXPECT_EQ(after.programs - before.programs, 2U);
	EXPECT_EQ(after.jobs - before.jobs, 6U);
	EXPECT_EQ(after.failed, before.failed);
	EXPECT_GT(after.modelled_ns, before.modelled_ns);
}

TEST_F(provider_test, all_shapes_share_the_weights_on_the_device_which_go_with_the_session)
{
	const auto before = statistics();
	constexpr std::size_t weights = 128 * 128 * sizeof(float);
	{
		Ort::Session npu = open(folder.write("wide.onnx", layers(3, 128)), processor::npu);
		for (const std::int64_t rows : {2, 3, 4})
			run_layers(npu, rows_of(rows, 128, 1));
		EXPECT_EQ(statistics().weight_bytes - before.weight_bytes, 3 * weights);
	}
	EXPECT_EQ(statistics().weight_bytes, before.weight_bytes);
}

TEST_F(provider_test, numbers_that_a_run_tells_are_taken)
{
	model_builder m;
	m.input("in", onnx::TensorProto::FLOAT, {4, 6});
	m.input("first", onnx::TensorProto::INT64, {1});
	m.input("end", onnx::TensorProto::INT64, {1});
	m.output("out", onnx::TensorProto::FLOAT, {2, 6});
	m.node("Relu", {"in"}, {"positive"});
	m.node("Slice", {"positive", "first", "end"}, {"out"});
	const std::string slice = folder.write("slice.onnx", m.model);
	Ort::Session npu = open(slice, processor::npu);
	Ort::Session cpu = open(slice, processor::cpu);
	EXPECT_EQ(assigned(npu).others, "");
	for (const std::int64_t first : {0, 2, 0}) {
		feeds in;
		in["in"] = random_floats({4, 6}, -1, 1, 1);
		in["first"] = integers({1}, {first});
		in["end"] = integers({1}, {first + 2});
		EXPECT_LT(relative_difference(run(npu, in).at(0), run(cpu, in).at(0)), tolerance);
	}
}

TEST_F(provider_test, a_tensor_without_elements_is_taken)
{
	Ort::Session npu = open(file, processor::npu);
	EXPECT_EQ(dims_of(run_layers(npu, rows_of(0, width, 1))), (std::vector<std::int64_t>{0, width}));
}

TEST_F(provider_test, results_may_stay_in_device_memory_until_they_are_copied)
{
	Ort::Session npu = open(file, processor::npu);
	const Ort::Value in = rows_of(3, width, 1);
	Ort::IoBinding binding(npu);
	binding.BindInput("in", in);
	binding.BindOutput("out", npus().at(0).GetMemoryInfo(OrtDeviceMemoryType_DEFAULT));
	npu.Run(Ort::RunOptions(), binding);
	const Ort::Value kept = std::move(binding.GetOutputValues().at(0));
	EXPECT_EQ(kept.GetTensorMemoryInfo().GetDeviceType(), OrtMemoryInfoDeviceType_NPU);
	Ort::Value copy = floats({3, width}, std::vector<float>(3 * width));
	const OrtValue *from = kept;
	OrtValue *to = copy;
	Ort::ThrowOnError(Ort::GetApi().CopyTensors(runtime(), &from, &to, nullptr, 1));
	EXPECT_EQ(relative_difference(copy, run_layers(npu, in)), 0);
}

TEST_F(provider_test, a_device_that_is_not_there_is_refused_and_those_that_are_are_named)
{
	try {
		open(file, processor::npu, {{"ep.atomexecutionprovider.device", "model:7"}});
		FAIL() << "it was made";
	} catch (const Ort::Exception &e) {
		const std::string text = e.what();
		EXPECT_NE(text.find("there is no NPU 'model:7'; there are: model:0"), std::string::npos)
			<< text;
	}
}

} // namespace
} // namespace ort_test
