// SPDX-License-Identifier: MIT
#include <algorithm>

#include "emitter.hpp"

namespace ggml_atom {
namespace {

/** A dimension of the batch, with strides in each operand. */
struct batch_axis {
	std::int64_t count;
	std::int64_t x;
	std::int64_t weight;
	std::int64_t out;
};

std::int64_t bytes(std::size_t stride) { return static_cast<std::int64_t>(stride); }

/** Dimensions 2 and 3, in which a weight repeats for several inputs one behind the other. */
std::vector<batch_axis> batch_of(const ggml_tensor *weight, const ggml_tensor *x,
                                 const ggml_tensor *out)
{
	std::vector<batch_axis> axes;
	for (const int i : {3, 2}) {
		const std::int64_t repeats = x->ne[i] / weight->ne[i];
		const batch_axis outer{weight->ne[i], bytes(x->nb[i]) * repeats,
		                       bytes(weight->nb[i]), bytes(out->nb[i]) * repeats};
		const batch_axis inner{repeats, bytes(x->nb[i]), 0, bytes(out->nb[i])};
		for (const batch_axis &a : {outer, inner})
			if (a.count != 1)
				axes.push_back(a);
	}
	return axes;
}

/** The operands of a product, which loops may move. */
struct product {
	const ggml_tensor *weight;
	const ggml_tensor *x;
	const ggml_tensor *out;
	std::vector<batch_axis> batch; ///< as many as fit into one command
	std::int64_t rows;             ///< of x that one command takes
};

/** One command: rows from @p row on, everything @p moved by as much. */
void emit(emitter &e, const product &p, std::int64_t row, const batch_axis &moved)
{
	shape x;
	shape weight;
	shape out;
	for (const batch_axis &a : p.batch) {
		const auto count = static_cast<std::uint64_t>(a.count);
		x.push(count, a.x);
		weight.push(count, a.weight);
		out.push(count, a.out);
	}
	const auto rows = static_cast<std::uint64_t>(std::min(p.rows, p.x->ne[1] - row));
	const auto terms = static_cast<std::uint64_t>(p.weight->ne[0]);
	const auto columns = static_cast<std::uint64_t>(p.weight->ne[1]);
	x.push(rows, bytes(p.x->nb[1]));
	x.push(terms, bytes(p.x->nb[0]));
	weight.push(columns, bytes(p.weight->nb[1]));
	weight.push(terms, bytes(p.weight->nb[0]));
	out.push(rows, bytes(p.out->nb[1]));
	out.push(columns, bytes(p.out->nb[0]));

	atom::tensor a = e.at(p.x, x);
	atom::tensor b = e.at(p.weight, weight);
	atom::tensor result = e.at(p.out, out);
	a.advance(moved.x + row * bytes(p.x->nb[1]));
	b.advance(moved.weight).transpose(weight.rank - 2, weight.rank - 1);
	result.advance(moved.out + row * bytes(p.out->nb[1]));
	// As the CPU backend multiplies blocks.
	const bool blocks = is_block(p.weight);
	e.commands.gemm(a, b, result, {.quantise_activations = blocks});
}

bool mul_mat(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *weight = node->src[0];
	const ggml_tensor *x = node->src[1];
	if (!is_float(x) || !is_float(node) || !(is_float(weight) || is_block(weight)))
		return false;
	product p{weight, x, node, batch_of(weight, x, node), 0};
	std::vector<batch_axis> loops;
	while (p.batch.size() + 2 > atom::rank_max) {
		loops.push_back(p.batch.front());
		p.batch.erase(p.batch.begin());
	}
	// A command does a limited number of multiplications: fewer rows, then.
	std::int64_t row_macs = weight->ne[0] * weight->ne[1];
	for (const batch_axis &a : p.batch)
		row_macs *= a.count;
	p.rows = std::min(x->ne[1], (std::int64_t{1} << e.info().macs_log2_max) / row_macs);
	if (p.rows == 0)
		return false;
	const batch_axis loop = loops.empty() ? batch_axis{1, 0, 0, 0} : loops.front();
	for (std::int64_t i = 0; i < loop.count; ++i)
		for (std::int64_t row = 0; row < x->ne[1]; row += p.rows)
			emit(e, p, row, {1, i * loop.x, i * loop.weight, i * loop.out});
	return true;
}

} // namespace

bool lower_matrix(emitter &e, const ggml_tensor *node)
{
	return node->op == GGML_OP_MUL_MAT && mul_mat(e, node);
}

} // namespace ggml_atom
