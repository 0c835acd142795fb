// SPDX-License-Identifier: MIT
// Node by node: ONNX's own vectors through ONNX Runtime, with the plug-in against without it.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <optional>

#include "atom_onnx_import/import.hpp"
#include "correction.hpp"
#include "harness.hpp"
#include "vector.hpp"

namespace ort_test {
namespace {

using atom_onnx::element_type;
using atom_onnx::host_tensor;

Ort::Value to_runtime(const host_tensor &t)
{
	const Ort::AllocatorWithDefaultOptions allocator;
	Ort::Value value = Ort::Value::CreateTensor(allocator, t.dims().data(), t.dims().size(),
	                                            static_cast<ONNXTensorElementDataType>(t.type()));
	std::copy(t.bytes().begin(), t.bytes().end(), static_cast<std::byte *>(value.GetTensorMutableRawData()));
	return value;
}

/** Nothing for what is no tensor of numbers. */
std::optional<host_tensor> from_runtime(const Ort::Value &value)
{
	if (!value.IsTensor())
		return std::nullopt;
	const auto info = value.GetTensorTypeAndShapeInfo();
	const auto type = static_cast<element_type>(info.GetElementType());
	if (atom_onnx::element_bytes(type) == 0)
		return std::nullopt;
	const auto *bytes = static_cast<const std::byte *>(value.GetTensorRawData());
	return host_tensor(type, info.GetShape(), {bytes, bytes + value.GetTensorSizeInBytes()});
}

/** A session, or nothing if ONNX Runtime itself does not know the model's operators. */
std::optional<Ort::Session> try_open(const std::string &model, processor where)
{
	try {
		return open(model, where);
	} catch (const Ort::Exception &) {
		return std::nullopt;
	}
}

struct tally {
	std::size_t compared = 0; ///< of vectors that the CPU provider can run
	std::size_t on_npu = 0;   ///< of these: all of the model
	std::size_t mixed = 0;    ///< a part of the model
	std::string wrong;
};

struct example {
	std::vector<std::string> names;
	conformance::data_set data;
};

/** Nothing if the vector is no matter of tensors. */
std::optional<example> read_example(const conformance::test_vector &v)
{
	static const auto corrections = conformance::read_corrections(CORRECTIONS);
	try {
		const atom_onnx::graph g = atom_onnx::read_model(v.model);
		example e{{}, conformance::read_data(v, g).at(0)};
		for (const atom_onnx::value_id input : g.inputs)
			e.names.push_back(g.values[static_cast<std::size_t>(input)].name);
		if (const auto wrong = corrections.find(v.name); wrong != corrections.end())
			conformance::correct(e.data, wrong->second);
		return e;
	} catch (const atom_onnx::unsupported &) {
		return std::nullopt;
	}
}

feeds feeds_of(const example &e)
{
	feeds in;
	for (std::size_t i = 0; i < e.names.size(); ++i)
		in[e.names[i]] = to_runtime(e.data.inputs[i]);
	return in;
}

/** Where ONNX and the CPU provider disagree (0 / 0, a sum that is nearly 0), ONNX is right too. */
std::string difference(const std::vector<Ort::Value> &got, const std::vector<Ort::Value> &expected, const example &e)
{
	for (std::size_t i = 0; i < got.size(); ++i) {
		const auto ours = from_runtime(got[i]);
		const auto theirs = from_runtime(expected[i]);
		if (!ours || !theirs || !atom_onnx::device_type(theirs->type()))
			continue;
		const std::string differs = conformance::find_difference(*ours, *theirs);
		if (!differs.empty() && !conformance::find_difference(*ours, e.data.outputs.at(i)).empty())
			return "output " + std::to_string(i) + ": " + differs;
	}
	return {};
}

void compare(const conformance::test_vector &v, tally &sum)
{
	const auto e = read_example(v);
	auto cpu = e ? try_open(v.model, processor::cpu) : std::nullopt;
	if (!cpu)
		return;
	std::vector<Ort::Value> expected;
	try {
		expected = run(*cpu, feeds_of(*e));
	} catch (const Ort::Exception &) {
		return; // a kernel that the CPU provider lacks
	}
	++sum.compared;
	try {
		Ort::Session npu = open(v.model, processor::npu);
		const share s = assigned(npu);
		sum.on_npu += s.nodes != 0 && s.on_npu == s.nodes ? 1 : 0;
		sum.mixed += s.on_npu != 0 && s.on_npu != s.nodes ? 1 : 0;
		const std::string differs = difference(run(npu, feeds_of(*e)), expected, *e);
		if (!differs.empty())
			sum.wrong += "\n  " + v.name + ": " + differs;
	} catch (const std::exception &error) {
		sum.wrong += "\n  " + v.name + ": " + error.what();
	}
}

TEST(nodes_test, each_vector_gives_what_the_cpu_provider_gives)
{
	tally sum;
	for (const conformance::test_vector &v : conformance::find_vectors(vectors_folder()))
		compare(v, sum);
	std::cout << sum.compared << " vectors: all of " << sum.on_npu << " on the NPU, parts of " << sum.mixed << "\n";
	EXPECT_GT(sum.on_npu, 800U);
	EXPECT_EQ(sum.wrong, "");
}

} // namespace
} // namespace ort_test
