// SPDX-License-Identifier: MIT
// Operators about order along an axis: the largest elements, running sums, one-hot codes.
#include "order.hpp"

#include <limits>

#include "registry.hpp"

namespace atom_onnx {
namespace {

constexpr std::int64_t count_max = std::int64_t{1} << 28; // numbers that the host writes down

} // namespace

view counted(emitter &e, atom::dtype type, unsigned rank, unsigned axis, std::int64_t count)
{
	if (count > count_max)
		throw unsupported(reason::invalid_model, std::to_string(count) + " along an axis");
	shape dims(rank, 1);
	dims[axis] = count;
	std::vector<double> values;
	for (std::int64_t i = 0; i < count; ++i)
		values.push_back(static_cast<double>(i));
	return e.constant(type, dims, values);
}

namespace {

using atom::binary_kind;

// Up to so many elements along the axis all pairs are compared; beyond it is one pass a result.
constexpr std::int64_t pairs_max = 2048;
constexpr std::int64_t passes_max = 256;

struct top {
	view values;
	view index; ///< i32
};

// The rank of each element is how many come before it; elements then go to their ranks.
top top_by_rank(lowering &n, const view &in, unsigned axis, std::int64_t k, bool largest)
{
	const unsigned last = in.rank() - 1;
	std::vector<unsigned> order;
	for (unsigned d = 0; d < in.rank(); ++d)
		if (d != axis)
			order.push_back(d);
	order.push_back(axis);
	const view rows = permute(in, order);
	const std::int64_t size = rows.dims[last];
	const view self = unsqueeze(rows, last + 1);  // [.., i, 1]
	const view other = unsqueeze(rows, last);     // [.., 1, j]
	std::vector<double> earlier;
	for (std::int64_t i = 0; i < size; ++i)
		for (std::int64_t j = 0; j < size; ++j)
			earlier.push_back(j < i ? 1 : 0);
	const view mask = n.e.constant(atom::dtype::u8, {size, size}, earlier);
	const view better =
		n.e.binary(largest ? binary_kind::gt : binary_kind::lt, other, self);
	const view equal = n.e.binary(binary_kind::logical_and,
	                              n.e.binary(binary_kind::eq, other, self), mask);
	const view before = n.e.cast(n.e.binary(binary_kind::logical_or, better, equal),
	                             atom::dtype::i32);
	const view rank = squeeze(n.e.reduce(atom::reduce_kind::sum, before, {last + 1}), last + 1);
	const view index = broadcast(counted(n.e, atom::dtype::i32, rows.rank(), last, size),
	                             rows.dims);
	const view sorted = n.e.scatter_elements(n.e.allocate(atom::dtype::i32, rows.dims), rank,
	                                         index, {atom::scatter_reduction::assign, last});
	const view best = slice(sorted, last, 0, k);
	std::vector<unsigned> back(order.size());
	for (unsigned i = 0; i < order.size(); ++i)
		back[order[i]] = i;
	return {permute(n.e.gather_elements(rows, best, last), back), permute(best, back)};
}

double worst_of(atom::dtype type, bool largest)
{
	switch (type) {
	case atom::dtype::i8:
		return largest ? -128 : 127;
	case atom::dtype::u8:
		return largest ? 0 : 255;
	case atom::dtype::i16:
		return largest ? -32768 : 32767;
	case atom::dtype::i32:
		return largest ? -2147483648.0 : 2147483647.0;
	default:
		return largest ? -std::numeric_limits<double>::infinity()
		               : std::numeric_limits<double>::infinity();
	}
}

// One pass a result: take the best, then put the worst value in its place.
top top_by_passes(lowering &n, const view &in, unsigned axis, std::int64_t k, bool largest)
{
	const auto kind = largest ? atom::reduce_kind::argmax : atom::reduce_kind::argmin;
	const view worst = n.e.scalar(in.type, worst_of(in.type, largest));
	std::vector<view> values;
	std::vector<view> index;
	view rest = in;
	for (std::int64_t i = 0; i < k; ++i) {
		index.push_back(n.e.arg(kind, rest, axis, false, atom::dtype::i32));
		values.push_back(n.e.gather_elements(rest, index.back(), axis));
		if (i + 1 < k)
			rest = n.e.scatter_elements(rest, index.back(),
			                            broadcast(worst, index.back().dims),
			                            {atom::scatter_reduction::assign, axis});
	}
	return {n.e.concat(values, axis), n.e.concat(index, axis)};
}

void lower_top_k(lowering &n)
{
	const view in = n.plain(0);
	refuse_i64(in, "comparisons");
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{-1}), in.rank());
	const std::int64_t k = n.opset() < 10 ? n.attr("k", std::int64_t{1}) : n.integer(1);
	const bool largest = n.attr("largest", std::int64_t{1}) != 0;
	const std::int64_t size = in.dims[axis];
	if (k < 0 || k > size)
		n.invalid("k");
	if (k == 0 || count_of(in.dims) == 0) {
		shape dims = in.dims;
		dims[axis] = k;
		n.set(0, n.e.allocate(in.type, dims), n.type(0));
		n.set(1, n.e.allocate(atom::dtype::i64, dims));
		return;
	}
	n.only_if(size <= pairs_max || k <= passes_max, "a large k");
	const top t = size <= pairs_max ? top_by_rank(n, in, axis, k, largest)
	                                : top_by_passes(n, in, axis, k, largest);
	n.set(0, t.values, n.type(0));
	n.set(1, n.e.cast(t.index, atom::dtype::i64));
}

// Running sums by doubling: after step s each element is the sum of 2^s elements.
view running_sum(emitter &e, view v, unsigned axis)
{
	const std::int64_t size = v.dims[axis];
	for (std::int64_t distance = 1; distance < size; distance *= 2) {
		const view next = e.allocate(v.type, v.dims);
		const independent parts_do_not_touch(e.commands());
		e.copy(slice(v, axis, 0, distance), slice(next, axis, 0, distance));
		e.binary_into(binary_kind::add, slice(v, axis, distance, size - distance),
		              slice(v, axis, 0, size - distance),
		              slice(next, axis, distance, size - distance));
		v = next;
	}
	return v;
}

void lower_cum_sum(lowering &n)
{
	const view in = n.plain(0);
	refuse_i64(in, "arithmetic");
	const unsigned axis = n.axis(n.integer(1), in.rank());
	const std::int64_t size = in.dims[axis];
	const bool reverse = n.attr("reverse", std::int64_t{0}) != 0;
	const auto turned = [&](const view &v) {
		return reverse && size > 0 ? slice(v, axis, size - 1, size, -1) : v;
	};
	view v = running_sum(n.e, turned(in), axis);
	if (n.attr("exclusive", std::int64_t{0}) != 0 && size > 0) {
		shape dims = in.dims;
		dims[axis] = 1;
		const view zero = broadcast(n.e.scalar(in.type, 0), dims);
		v = n.e.concat({zero, slice(v, axis, 0, size - 1)}, axis);
	}
	n.set(0, turned(v), n.type(0));
}

void lower_one_hot(lowering &n)
{
	n.require_inputs(3);
	const std::int64_t depth = n.integer(1);
	const view values = n.plain(2);
	if (depth < 1 || count_of(values.dims) != 2)
		n.invalid("depth or values");
	const unsigned rank = n.rank(0) + 1;
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{-1}), rank);
	// Negative ones count from the end; what is out of range is nowhere hot.
	const view told = n.e.cast(n.in(0), atom::dtype::i32);
	const view zero = n.e.scalar(atom::dtype::i32, 0);
	const view index = n.e.select(
		n.e.binary(binary_kind::lt, told, zero),
		n.e.add(told, n.e.scalar(atom::dtype::i32, static_cast<double>(depth))), told);
	const view hot = n.e.binary(binary_kind::eq, unsqueeze(index, axis),
	                            counted(n.e, atom::dtype::i32, rank, axis, depth));
	const view pair = n.e.reshape(values, {2});
	n.set(0,
	      n.e.select(hot, squeeze(slice(pair, 0, 1, 1), 0), squeeze(slice(pair, 0, 0, 1), 0)),
	      n.type(2));
}

} // namespace

operator_list order_operators()
{
	return {
		{"TopK", lower_top_k},
		{"CumSum", lower_cum_sum},
		{"OneHot", lower_one_hot},
	};
}

} // namespace atom_onnx
