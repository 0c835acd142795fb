// SPDX-License-Identifier: MIT
// Reductions over axes that the host knows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "host_shape.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::reduce_kind;

struct reduction {
	reduce_kind kind;
	double empty;     ///< result over no elements
	int axes_by_input; ///< first opset that takes the axes as an input
};

constexpr double infinity = std::numeric_limits<double>::infinity();

const std::map<std::string_view, reduction> &table()
{
	static const std::map<std::string_view, reduction> all{
		{"ReduceSum", {reduce_kind::sum, 0, 13}},
		{"ReduceMean", {reduce_kind::mean, std::nan(""), 18}},
		{"ReduceMax", {reduce_kind::max, -infinity, 18}},
		{"ReduceMin", {reduce_kind::min, infinity, 18}},
		{"ReduceProd", {reduce_kind::prod, 1, 18}},
		{"ReduceL1", {reduce_kind::l1, 0, 18}},
		{"ReduceL2", {reduce_kind::l2, 0, 18}},
		{"ReduceLogSum", {reduce_kind::log_sum, -infinity, 18}},
		{"ReduceLogSumExp", {reduce_kind::log_sum_exp, -infinity, 18}},
		{"ReduceSumSquare", {reduce_kind::sum_square, 0, 18}},
	};
	return all;
}

view without(view v, std::vector<unsigned> axes)
{
	std::sort(axes.rbegin(), axes.rend());
	for (const unsigned axis : axes)
		v = squeeze(v, axis);
	return v;
}

// The largest value that an integer type has stands for infinity.
double empty_value(atom::dtype type, double real)
{
	switch (type) {
	case atom::dtype::i8:
		return std::clamp(real, -128.0, 127.0);
	case atom::dtype::u8:
		return std::clamp(real, 0.0, 255.0);
	case atom::dtype::i16:
		return std::clamp(real, -32768.0, 32767.0);
	case atom::dtype::i32:
		return std::clamp(real, -2147483648.0, 2147483647.0);
	default:
		return real;
	}
}

void lower_reduce(lowering &n)
{
	const reduction &r = table().at(n.node().op_type);
	const view in = n.plain(0);
	std::vector<std::int64_t> told;
	if (n.opset() < r.axes_by_input)
		told = n.attr("axes", std::vector<std::int64_t>());
	else if (n.has(1))
		told = n.integers(1);
	std::vector<unsigned> axes = n.axes(told, in.rank());
	if (axes.empty() && n.attr("noop_with_empty_axes", std::int64_t{0}) != 0) {
		n.set(0, in, n.type(0));
		return;
	}
	if (axes.empty())
		for (unsigned d = 0; d < in.rank(); ++d)
			axes.push_back(d);
	shape dims = in.dims;
	for (const unsigned axis : axes)
		dims[axis] = 1;
	view out;
	if (axes.empty())
		out = n.e.reshape(n.e.reduce(r.kind, n.e.reshape(in, {1}), {0}), {});
	else if (count_of(in.dims) == 0)
		out = n.e.filled(in.type, dims, empty_value(in.type, r.empty));
	else
		out = n.e.reduce(r.kind, in, axes);
	if (n.attr("keepdims", std::int64_t{1}) == 0)
		out = without(out, axes);
	n.set(0, out, n.type(0));
}

void lower_arg(lowering &n)
{
	const view in = n.plain(0);
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{0}), in.rank());
	const auto kind = n.node().op_type == "ArgMax" ? reduce_kind::argmax : reduce_kind::argmin;
	if (in.dims[axis] == 0)
		n.invalid("an axis without elements");
	view out = n.e.arg(kind, in, axis, n.attr("select_last_index", std::int64_t{0}) != 0,
	                   atom::dtype::i64);
	if (n.attr("keepdims", std::int64_t{1}) == 0)
		out = squeeze(out, axis);
	n.set(0, out);
}

} // namespace

operator_list reduce_operators()
{
	operator_list list{{"ArgMax", lower_arg}, {"ArgMin", lower_arg}};
	for (const auto &[name, unused] : table())
		list.push_back({name, lower_reduce});
	return list;
}

} // namespace atom_onnx
