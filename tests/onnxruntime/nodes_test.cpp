// SPDX-License-Identifier: MIT
// ONNX's node vectors through ONNX Runtime: the NPU's results against the CPU provider's.
#include <gtest/gtest.h>

#include "atom_onnx_import/import.hpp"
#include "correction.hpp"
#include "found.hpp"
#include "runtime.hpp"
#include "vector.hpp"

namespace {

using atom_onnx::host_tensor;
using runtime::where;

host_tensor to_host(const Ort::Value &v)
{
	const auto info = v.GetTensorTypeAndShapeInfo();
	const auto *first = static_cast<const std::byte *>(v.GetTensorRawData());
	return {static_cast<atom_onnx::element_type>(info.GetElementType()), info.GetShape(),
	        std::vector(first, first + v.GetTensorSizeInBytes())};
}

struct tally {
	std::size_t compared = 0;
	std::size_t on_npu = 0;
	std::vector<std::string> wrong;
};

std::string difference(const host_tensor &got, const host_tensor &expected)
{
	if (device_type(got.type()))
		return conformance::find_difference(got, expected);
	return got.bytes() == expected.bytes() ? "" : "it is not what the CPU made";
}

// The CPU provider does not know each element type of each operator: those vectors tell nothing here. Where it
// is not what ONNX expects, either will do.
void compare(const conformance::test_vector &v, const conformance::corrections &corrections,
             tally &t)
{
	std::vector<conformance::data_set> sets;
	std::vector<Ort::Value> inputs;
	std::vector<Ort::Value> expected;
	try {
		sets = conformance::read_data(v, atom_onnx::read_model(v.model));
		if (const auto found = corrections.find(v.name); found != corrections.end())
			conformance::correct(sets.at(0), found->second);
		Ort::Session cpu = runtime::load_file(v.model, where::cpu);
		for (const auto *tensors : {&sets.at(0).inputs, &sets.at(0).outputs})
			for (const host_tensor &each : *tensors)
				if (each.type() > atom_onnx::element_type::f4e2m1)
					return; // ONNX Runtime's numbers are others, and no NPU has it
		for (const host_tensor &in : sets[0].inputs)
			inputs.push_back(runtime::tensor(
				static_cast<ONNXTensorElementDataType>(in.type()), in.dims(),
				in.bytes().data()));
		expected = runtime::run(cpu, inputs);
	} catch (const std::exception &) {
		return;
	}
	try {
		Ort::Session npu = runtime::load_file(v.model, where::npu);
		if (runtime::coverage_of(npu).on_npu != 0)
			++t.on_npu;
		const auto got = runtime::run(npu, inputs);
		++t.compared;
		for (std::size_t i = 0; i < got.size(); ++i) {
			const host_tensor result = to_host(got[i]);
			const std::string text = difference(result, to_host(expected[i]));
			if (!text.empty() && !difference(result, sets[0].outputs[i]).empty())
				t.wrong.push_back(v.name + ": " + text);
		}
	} catch (const std::exception &e) {
		t.wrong.push_back(v.name + ": " + e.what());
	}
}

TEST(NodesTest, EachNodeGivesWhatTheCpuProviderGives)
{
	const std::string data = found::folder_of("onnx-testdata");
	if (data.empty())
		GTEST_SKIP() << "ONNX's test data cannot be fetched";
	tally t;
	const auto corrections = conformance::read_corrections(ATOM_CORRECTIONS);
	for (const conformance::test_vector &v : conformance::find_vectors(data))
		if (v.name.rfind("node/", 0) == 0)
			compare(v, corrections, t);
	std::string all;
	for (const std::string &w : t.wrong)
		all += w + "\n";
	EXPECT_TRUE(t.wrong.empty()) << all;
	// The others have element types, or come to constants, that are no work for an NPU.
	EXPECT_GT(t.compared, 1400U);
	EXPECT_GT(t.on_npu, 1150U);
	std::cout << t.on_npu << " of " << t.compared << " vectors ran on the NPU\n";
}

} // namespace
