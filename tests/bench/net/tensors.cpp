// SPDX-License-Identifier: MIT
#include "tensors.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "onnx/onnx_pb.h"

namespace bench {
namespace {

onnx::TensorProto &add_tensor(onnx::GraphProto &graph, const std::string &name, int type,
                              const std::vector<std::int64_t> &dims)
{
	onnx::TensorProto &tensor = *graph.add_initializer();
	tensor.set_name(name);
	tensor.set_data_type(type);
	for (const std::int64_t d : dims)
		tensor.add_dims(d);
	return tensor;
}

template <class T>
std::string bytes_of(const std::vector<T> &values)
{
	return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

template <class T, class Field>
std::vector<T> values_of(const onnx::TensorProto &tensor, const Field &field)
{
	if (!tensor.has_raw_data())
		return {field.begin(), field.end()};
	std::vector<T> values(tensor.raw_data().size() / sizeof(T));
	std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(T));
	return values;
}

auto find(const onnx::GraphProto &graph, const std::string &name)
{
	return std::find_if(graph.initializer().begin(), graph.initializer().end(),
	                    [&](const onnx::TensorProto &t) { return t.name() == name; });
}

} // namespace

std::size_t count_of(const std::vector<std::int64_t> &dims)
{
	return static_cast<std::size_t>(
		std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>()));
}

bool is_initialiser(const onnx::GraphProto &graph, const std::string &name)
{
	return find(graph, name) != graph.initializer().end();
}

const onnx::TensorProto &find_initialiser(const onnx::GraphProto &graph, const std::string &name)
{
	const auto found = find(graph, name);
	if (found == graph.initializer().end())
		throw std::runtime_error("the model has no initialiser '" + name + "'");
	return *found;
}

std::vector<std::int64_t> integers_of(const onnx::TensorProto &tensor)
{
	return values_of<std::int64_t>(tensor, tensor.int64_data());
}

std::vector<float> floats_of(const onnx::TensorProto &tensor)
{
	return values_of<float>(tensor, tensor.float_data());
}

void add_floats(onnx::GraphProto &graph, const std::string &name, const std::vector<std::int64_t> &dims,
                const std::vector<float> &values)
{
	add_tensor(graph, name, onnx::TensorProto::FLOAT, dims).set_raw_data(bytes_of(values));
}

void add_integers(onnx::GraphProto &graph, const std::string &name, int type, const std::vector<std::int64_t> &dims,
                  const std::vector<std::int32_t> &values)
{
	onnx::TensorProto &tensor = add_tensor(graph, name, type, dims);
	if (type == onnx::TensorProto::INT32)
		tensor.set_raw_data(bytes_of(values));
	else
		tensor.set_raw_data(bytes_of(std::vector<std::uint8_t>(values.begin(), values.end())));
}

} // namespace bench
