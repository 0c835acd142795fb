// SPDX-License-Identifier: MIT
// Damages models field by field, besides byte by byte: bytes alone seldom leave a file that can
// still be read.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

#include "onnx/onnx_pb.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t *data, std::size_t size, std::size_t capacity);

namespace {

using random_source = std::minstd_rand;

template <class Repeated>
auto *one_of(Repeated &from, random_source &random)
{
	return from.empty() ? nullptr
	                    : from.Mutable(static_cast<int>(random() %
	                                                    static_cast<unsigned>(from.size())));
}

std::int64_t number(random_source &random)
{
	constexpr std::int64_t edges[] = {-1, std::numeric_limits<std::int64_t>::min(),
	                                  std::numeric_limits<std::int64_t>::max(),
	                                  std::int64_t{1} << 31, std::int64_t{1} << 40};
	const auto pick = random() % 16;
	return pick < std::size(edges) ? edges[pick] : static_cast<std::int64_t>(random() % 9) - 2;
}

void change(google::protobuf::RepeatedField<std::int64_t> &numbers, random_source &random)
{
	if (random() % 4 == 0 || numbers.empty())
		numbers.Add(number(random));
	else if (random() % 4 == 0)
		numbers.RemoveLast();
	else
		*one_of(numbers, random) = number(random);
}

void change(onnx::TensorProto &tensor, random_source &random)
{
	if (random() % 2 == 0)
		change(*tensor.mutable_dims(), random);
	else if (random() % 4 == 0)
		tensor.set_data_type(static_cast<int>(random() % 24));
	else
		change(*tensor.mutable_int64_data(), random);
}

void change(onnx::AttributeProto &attribute, random_source &random)
{
	switch (random() % 4) {
	case 0:
		attribute.set_i(number(random));
		break;
	case 1:
		attribute.set_f(static_cast<float>(number(random)));
		break;
	case 2:
		if (attribute.has_t())
			change(*attribute.mutable_t(), random);
		break;
	default:
		change(*attribute.mutable_ints(), random);
		break;
	}
}

void change(onnx::ValueInfoProto &value, random_source &random)
{
	auto &type = *value.mutable_type()->mutable_tensor_type();
	if (random() % 4 == 0)
		type.set_elem_type(static_cast<int>(random() % 24));
	else if (random() % 4 == 0)
		type.mutable_shape()->add_dim()->set_dim_value(number(random));
	else if (auto *dim = one_of(*type.mutable_shape()->mutable_dim(), random))
		dim->set_dim_value(number(random));
}

void rewire(onnx::GraphProto &graph, onnx::NodeProto &node, random_source &random)
{
	const auto *other = one_of(*graph.mutable_node(), random);
	const auto *input = one_of(*graph.mutable_input(), random);
	auto *place = one_of(*node.mutable_input(), random);
	if (random() % 8 == 0)
		node.set_op_type(other->op_type());
	else if (random() % 4 == 0)
		node.add_input(input != nullptr ? input->name() : "");
	else if (place != nullptr && random() % 4 == 0)
		node.mutable_input()->RemoveLast();
	else if (place != nullptr && random() % 2 == 0 && other->output_size() != 0)
		*place = other->output(0);
	else if (place != nullptr && input != nullptr)
		*place = input->name();
}

void change(onnx::ModelProto &model, random_source &random)
{
	auto &graph = *model.mutable_graph();
	auto *node = one_of(*graph.mutable_node(), random);
	switch (random() % 6) {
	case 0:
		if (auto *value = one_of(*graph.mutable_input(), random))
			change(*value, random);
		break;
	case 1:
		if (auto *tensor = one_of(*graph.mutable_initializer(), random))
			change(*tensor, random);
		break;
	case 2:
		if (node != nullptr)
			rewire(graph, *node, random);
		break;
	case 3:
		if (auto *opset = one_of(*model.mutable_opset_import(), random))
			opset->set_version(static_cast<std::int64_t>(random() % 27));
		break;
	default:
		if (auto *attribute =
		            node != nullptr ? one_of(*node->mutable_attribute(), random) : nullptr)
			change(*attribute, random);
		break;
	}
}

// The size of what was written, 0 if it does not fit.
std::size_t written(const onnx::ModelProto &model, std::uint8_t *out, std::size_t capacity)
{
	const std::size_t size = model.ByteSizeLong();
	return size <= capacity && model.SerializeToArray(out, static_cast<int>(size)) ? size : 0;
}

} // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t *data, std::size_t size,
                                               std::size_t capacity, unsigned seed)
{
	random_source random(seed);
	onnx::ModelProto model;
	if (random() % 4 == 0 || !model.ParseFromArray(data, static_cast<int>(size)))
		return LLVMFuzzerMutate(data, size, capacity);
	change(model, random);
	const std::size_t changed = written(model, data, capacity);
	return changed != 0 ? changed : LLVMFuzzerMutate(data, size, capacity);
}

// Two models as one, whose nodes can then be joined.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t *one, std::size_t one_size,
                                                 const std::uint8_t *other, std::size_t other_size,
                                                 std::uint8_t *out, std::size_t capacity, unsigned)
{
	onnx::ModelProto both, second;
	if (!both.ParseFromArray(one, static_cast<int>(one_size)) ||
	    !second.ParseFromArray(other, static_cast<int>(other_size)))
		return 0;
	both.MergeFrom(second);
	return written(both, out, capacity);
}
