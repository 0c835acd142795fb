// SPDX-License-Identifier: MIT
#include "host_shape.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>

#include "atom_onnx/unsupported.hpp"

namespace atom_onnx {
namespace {

// Bytes that a model may make the host fill by a few numbers.
constexpr std::int64_t bytes_max = std::int64_t{1} << 31;

void require_size(const lowering &n, element_type type, const shape &dims)
{
	const auto size = static_cast<std::int64_t>(std::max<std::size_t>(element_bytes(type), 1));
	if (count_of(dims) > bytes_max / size)
		n.invalid("a result of " + to_string(dims));
}

// Elements of `in` in the order of a strided walk, given in elements.
host_tensor walk(const host_tensor &in, const shape &dims, const shape &strides, std::int64_t start)
{
	const std::size_t size = element_bytes(in.type());
	std::vector<std::byte> bytes(static_cast<std::size_t>(count_of(dims)) * size);
	shape at(dims.size(), 0);
	std::int64_t from = start;
	for (std::size_t to = 0; to < bytes.size(); to += size) {
		std::memcpy(&bytes[to], in.bytes().data() + static_cast<std::size_t>(from) * size,
		            size);
		for (std::size_t d = dims.size(); d-- > 0;) {
			from += strides[d];
			if (++at[d] < dims[d])
				break;
			from -= strides[d] * dims[d];
			at[d] = 0;
		}
	}
	return {in.type(), dims, std::move(bytes)};
}

shape element_strides(const shape &dims)
{
	shape strides(dims.size());
	std::int64_t stride = 1;
	for (std::size_t d = dims.size(); d-- > 0;) {
		strides[d] = stride;
		stride *= dims[d];
	}
	return strides;
}

template <class T>
const T *attribute_as(const lowering &n, std::string_view name)
{
	const attribute *a = n.find(name);
	return a != nullptr ? std::get_if<T>(&a->value) : nullptr;
}

host_tensor fold_constant(const lowering &n)
{
	if (const auto *value = attribute_as<host_tensor>(n, "value"))
		return *value;
	if (const auto *value = attribute_as<float>(n, "value_float"))
		return host_tensor::of(element_type::f32, {}, std::vector<double>{*value});
	if (const auto *value = attribute_as<std::int64_t>(n, "value_int"))
		return host_tensor::of(element_type::i64, {}, std::vector<std::int64_t>{*value});
	if (const auto *value = attribute_as<std::vector<float>>(n, "value_floats"))
		return host_tensor::of(element_type::f32,
		                       {static_cast<std::int64_t>(value->size())},
		                       std::vector<double>(value->begin(), value->end()));
	if (const auto *value = attribute_as<std::vector<std::int64_t>>(n, "value_ints"))
		return host_tensor::of(element_type::i64,
		                       {static_cast<std::int64_t>(value->size())}, *value);
	n.refuse(n.find("value_string") != nullptr || n.find("value_strings") != nullptr
	                 ? reason::string
	                 : reason::not_lowered,
	         "this kind of constant");
}

host_tensor fold_constant_of_shape(const lowering &n)
{
	const shape dims = n.integers(0);
	host_tensor value = host_tensor::of(element_type::f32, {1}, std::vector<double>{0});
	if (const auto *told = attribute_as<host_tensor>(n, "value"))
		value = *told;
	if (value.count() != 1)
		n.invalid("the value is no scalar");
	require_size(n, value.type(), dims);
	return walk(value, dims, shape(dims.size(), 0), 0);
}

host_tensor fold_shape_of(const lowering &n)
{
	const auto rank = static_cast<std::int64_t>(n.rank(0));
	const auto clamp = [&](std::int64_t at) {
		return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
	};
	const std::int64_t start = clamp(n.attr("start", std::int64_t{0}));
	const std::int64_t end = clamp(n.attr("end", rank));
	const shape &dims = n.dims(0);
	const shape part = start < end ? shape(dims.begin() + start, dims.begin() + end) : shape();
	return host_tensor::of(element_type::i64, {static_cast<std::int64_t>(part.size())}, part);
}

host_tensor fold_gather(const lowering &n)
{
	const host_tensor &data = n.host(0);
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{0}), n.rank(0));
	const shape strides = element_strides(data.dims());
	const auto size = element_bytes(data.type());
	const std::int64_t inner = strides[axis] * static_cast<std::int64_t>(size);
	const std::int64_t outer = count_of(shape(data.dims().begin(), data.dims().begin() + axis));
	const std::int64_t length = data.dims()[axis];
	shape dims(data.dims().begin(), data.dims().begin() + axis);
	dims.insert(dims.end(), n.dims(1).begin(), n.dims(1).end());
	dims.insert(dims.end(), data.dims().begin() + axis + 1, data.dims().end());
	require_size(n, data.type(), dims);
	std::vector<std::byte> bytes;
	for (std::int64_t o = 0; o < outer; ++o)
		for (std::int64_t i : n.integers(1)) {
			i = i < 0 ? i + length : i;
			if (i < 0 || i >= length)
				n.invalid("an index out of range");
			const auto from = data.bytes().begin() + (o * length + i) * inner;
			bytes.insert(bytes.end(), from, from + inner);
		}
	return {data.type(), dims, std::move(bytes)};
}

host_tensor fold_concat(const lowering &n)
{
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{1}), n.rank(0));
	shape dims = n.dims(0);
	dims[axis] = 0;
	for (unsigned i = 0; i < n.inputs(); ++i) {
		if (n.rank(i) != dims.size() || n.type(i) != n.type(0))
			n.invalid("inputs of different ranks or types");
		for (unsigned d = 0; d < dims.size(); ++d)
			if (d != axis && n.dims(i)[d] != dims[d])
				n.invalid("inputs of different shapes");
		dims[axis] += n.dims(i)[axis];
	}
	const std::int64_t outer = count_of(shape(dims.begin(), dims.begin() + axis));
	std::vector<std::byte> bytes;
	for (std::int64_t o = 0; o < outer; ++o)
		for (unsigned i = 0; i < n.inputs(); ++i) {
			const auto &from = n.host(i).bytes();
			const auto part = static_cast<std::ptrdiff_t>(from.size()) / outer;
			bytes.insert(bytes.end(), from.begin() + o * part,
			             from.begin() + (o + 1) * part);
		}
	return {n.type(0), dims, std::move(bytes)};
}

host_tensor fold_slice(const lowering &n)
{
	const host_tensor &in = n.host(0);
	shape dims = in.dims();
	shape strides = element_strides(in.dims());
	std::int64_t start = 0;
	for (const slice_range &r : slice_ranges(n)) {
		start += r.start * strides[r.axis];
		dims[r.axis] = r.count;
		strides[r.axis] *= r.step;
	}
	return walk(in, dims, strides, start);
}

host_tensor fold_transpose(const lowering &n)
{
	const host_tensor &in = n.host(0);
	shape order = n.attr("perm", shape());
	if (order.empty())
		for (std::int64_t d = n.rank(0); d-- > 0;)
			order.push_back(d);
	const std::vector<unsigned> axes = n.axes(order, n.rank(0));
	if (axes.size() != n.rank(0))
		n.invalid("perm does not fit the rank");
	const shape strides = element_strides(in.dims());
	shape dims;
	shape by;
	for (const unsigned axis : axes) {
		dims.push_back(in.dims()[axis]);
		by.push_back(strides[axis]);
	}
	return walk(in, dims, by, 0);
}

host_tensor fold_expand(const lowering &n)
{
	const host_tensor &in = n.host(0);
	const shape dims = broadcast_shape(in.dims(), n.integers(1));
	require_size(n, in.type(), dims);
	const shape own = element_strides(in.dims());
	shape strides(dims.size(), 0);
	for (std::size_t d = 1; d <= own.size(); ++d)
		if (in.dims()[own.size() - d] != 1)
			strides[dims.size() - d] = own[own.size() - d];
	return walk(in, dims, strides, 0);
}

host_tensor fold_range(const lowering &n)
{
	const double start = n.number(0);
	const double limit = n.number(1);
	const double delta = n.number(2);
	const double steps = std::ceil((limit - start) / delta);
	if (std::isnan(steps) || steps > static_cast<double>(bytes_max / 8))
		n.invalid("its length");
	const auto count = static_cast<std::int64_t>(std::max(steps, 0.0));
	std::vector<double> values;
	for (std::int64_t i = 0; i < count; ++i)
		values.push_back(start + static_cast<double>(i) * delta);
	return host_tensor::of(n.type(0), {count}, values);
}

host_tensor fold_size(const lowering &n)
{
	return host_tensor::of(element_type::i64, {},
	                       std::vector<std::int64_t>{count_of(n.dims(0))});
}

host_tensor fold_same(const lowering &n) { return n.host(0); }
host_tensor fold_reshape(const lowering &n) { return n.host(0).reshaped(reshape_dims(n)); }
host_tensor fold_squeeze(const lowering &n) { return n.host(0).reshaped(squeezed_dims(n)); }
host_tensor fold_unsqueeze(const lowering &n) { return n.host(0).reshaped(unsqueezed_dims(n)); }

using fold_function = host_tensor (*)(const lowering &);

} // namespace

bool fold_shape(lowering &n)
{
	// What depends on the shape alone, and what must know its inputs.
	static const std::map<std::string_view, fold_function> always{
		{"Constant", fold_constant},
		{"ConstantOfShape", fold_constant_of_shape},
		{"Shape", fold_shape_of},
		{"Size", fold_size},
		{"Range", fold_range},
	};
	static const std::map<std::string_view, fold_function> if_known{
		{"Identity", fold_same},         {"Reshape", fold_reshape},
		{"Squeeze", fold_squeeze},       {"Unsqueeze", fold_unsqueeze},
		{"Gather", fold_gather},         {"Concat", fold_concat},
		{"Slice", fold_slice},           {"Expand", fold_expand},
		{"Transpose", fold_transpose},
	};
	if (const auto f = always.find(n.node().op_type); f != always.end()) {
		n.set(0, f->second(n));
		return true;
	}
	const auto f = if_known.find(n.node().op_type);
	if (f == if_known.end() || n.inputs() == 0)
		return false;
	for (unsigned i = 0; i < n.inputs(); ++i)
		if (n.has(i) && !n.known(i))
			return false;
	n.set(0, f->second(n));
	return true;
}

} // namespace atom_onnx
