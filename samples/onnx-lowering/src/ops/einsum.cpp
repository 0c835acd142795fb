// SPDX-License-Identifier: MIT
// Einsum: operands are joined pair by pair, each pair as one product of matrices.
#include <algorithm>
#include <string>

#include "registry.hpp"

namespace atom_onnx {
namespace {

/** A tensor whose dimensions have names. */
struct labelled {
	view v;
	std::string labels;
};

struct equation {
	std::vector<std::string> inputs;
	std::string output;
};

// The dimensions of an ellipsis are named by characters that a user cannot type.
std::string ellipsis(std::size_t count)
{
	std::string names;
	for (std::size_t i = 0; i < count; ++i)
		names += static_cast<char>(1 + i);
	return names;
}

// "ij,j..->i..." with the ellipsis spelt out; @p ranks of the operands.
equation read_equation(const lowering &n)
{
	std::string text;
	for (const char c : n.attr("equation", ""))
		if (c != ' ')
			text += c;
	const std::size_t arrow = text.find("->");
	std::string left = text.substr(0, arrow);
	equation e;
	for (std::size_t begin = 0; begin <= left.size();) {
		const std::size_t comma = std::min(left.find(',', begin), left.size());
		e.inputs.push_back(left.substr(begin, comma - begin));
		begin = comma + 1;
	}
	if (e.inputs.size() != n.inputs())
		n.invalid("the equation does not fit the inputs");
	std::size_t dots = 0;
	for (unsigned i = 0; i < n.inputs(); ++i)
		if (const std::size_t at = e.inputs[i].find("..."); at != std::string::npos) {
			const std::size_t named = e.inputs[i].size() - 3;
			if (named > n.rank(i) || n.rank(i) - named > 8)
				n.invalid("the equation does not fit the rank");
			dots = std::max(dots, n.rank(i) - named);
			// Ellipses are aligned at their last dimension.
			e.inputs[i].replace(at, 3, "*");
		}
	const std::string all = ellipsis(dots);
	for (unsigned i = 0; i < n.inputs(); ++i)
		if (const std::size_t at = e.inputs[i].find('*'); at != std::string::npos)
			e.inputs[i].replace(at, 1, all.substr(dots - (n.rank(i) + 1 -
			                                              e.inputs[i].size())));
	if (arrow != std::string::npos) {
		e.output = text.substr(arrow + 2);
		if (const std::size_t at = e.output.find("..."); at != std::string::npos)
			e.output.replace(at, 3, all);
		return e;
	}
	// Without an output: the ellipsis, then what is named once, by alphabet.
	std::string names;
	for (const std::string &labels : e.inputs)
		names += labels;
	e.output = all;
	for (char c = 'A'; c <= 'z'; ++c)
		if (std::count(names.begin(), names.end(), c) == 1)
			e.output += c;
	return e;
}

bool contains(const std::string &labels, char c) { return labels.find(c) != std::string::npos; }

// A name that stands twice is the diagonal of both dimensions.
labelled without_repeats(const lowering &n, labelled t)
{
	for (std::size_t i = 0; i < t.labels.size(); ++i)
		for (std::size_t j = t.labels.size(); j-- > i + 1;) {
			if (t.labels[i] != t.labels[j])
				continue;
			if (t.v.dims[i] != t.v.dims[j])
				n.invalid("a diagonal of different dimensions");
			t.v.strides[i] += t.v.strides[j];
			t.v = squeeze(t.v, static_cast<unsigned>(j));
			t.labels.erase(j, 1);
		}
	return t;
}

// Sums over what neither the output nor another operand names.
labelled without_unneeded(lowering &n, labelled t, const std::string &needed)
{
	std::vector<unsigned> axes;
	for (unsigned i = 0; i < t.labels.size(); ++i)
		if (!contains(needed, t.labels[i]))
			axes.push_back(i);
	if (axes.empty())
		return t;
	t.v = n.e.reduce(atom::reduce_kind::sum, t.v, axes);
	for (std::size_t i = axes.size(); i-- > 0;) {
		t.v = squeeze(t.v, axes[i]);
		t.labels.erase(axes[i], 1);
	}
	return t;
}

view in_order(const labelled &t, const std::string &labels)
{
	std::vector<unsigned> order;
	for (const char c : labels)
		order.push_back(static_cast<unsigned>(t.labels.find(c)));
	return permute(t.v, order);
}

shape dims_of(const labelled &t, const std::string &labels)
{
	shape dims;
	for (const char c : labels)
		dims.push_back(t.v.dims[t.labels.find(c)]);
	return dims;
}

labelled join(lowering &n, labelled a, labelled b, const std::string &needed)
{
	a = without_unneeded(n, a, needed + b.labels);
	b = without_unneeded(n, b, needed + a.labels);
	std::string batch;
	std::string summed;
	std::string rows;
	std::string columns;
	for (const char c : a.labels)
		(!contains(b.labels, c)  ? rows
		 : contains(needed, c)   ? batch
		                         : summed) += c;
	for (const char c : b.labels)
		if (!contains(a.labels, c))
			columns += c;
	for (const char c : batch + summed) {
		std::int64_t &x = a.v.dims[a.labels.find(c)];
		std::int64_t &y = b.v.dims[b.labels.find(c)];
		if (x != y && x != 1 && y != 1)
			n.invalid("dimensions of one name differ");
		// A dimension of 1 is repeated.
		if (x != y) {
			labelled &small = x == 1 ? a : b;
			const std::size_t at = small.labels.find(c);
			small.v.strides[at] = 0;
			small.v.dims[at] = std::max(x, y);
		}
	}
	const auto flat = [&](const labelled &t, const std::string &one, const std::string &two) {
		return n.e.reshape(in_order(t, batch + one + two),
		                   {count_of(dims_of(t, batch)), count_of(dims_of(t, one)),
		                    count_of(dims_of(t, two))});
	};
	const view product = n.e.gemm(flat(a, rows, summed), flat(b, summed, columns));
	shape dims = dims_of(a, batch + rows);
	const shape last = dims_of(b, columns);
	dims.insert(dims.end(), last.begin(), last.end());
	return {n.e.reshape(product, dims), batch + rows + columns};
}

void lower_einsum(lowering &n)
{
	const equation e = read_equation(n);
	std::vector<labelled> open;
	for (unsigned i = 0; i < n.inputs(); ++i) {
		if (e.inputs[i].size() != n.rank(i))
			n.invalid("the equation does not fit the rank");
		open.push_back(without_repeats(n, {n.plain(i), e.inputs[i]}));
	}
	labelled result = open[0];
	for (std::size_t i = 1; i < open.size(); ++i) {
		std::string needed = e.output;
		for (std::size_t j = i + 1; j < open.size(); ++j)
			needed += open[j].labels;
		result = join(n, result, open[i], needed);
	}
	result = without_unneeded(n, result, e.output);
	if (result.labels.size() != e.output.size() ||
	    !std::all_of(e.output.begin(), e.output.end(),
	                 [&](char c) { return contains(result.labels, c); }))
		n.invalid("the output names what no input does");
	n.set(0, in_order(result, e.output));
}

} // namespace

operator_list einsum_operators() { return {{"Einsum", lower_einsum}}; }

} // namespace atom_onnx
