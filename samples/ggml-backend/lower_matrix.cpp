// SPDX-License-Identifier: MIT
#include <algorithm>

#include "emitter.hpp"

namespace ggml_atom {
namespace {

constexpr unsigned matrix_dims = 2;

/** Dimensions 2 and 3 of input, weight and output; a weight repeats for inputs one behind the
 * other. */
nest batch_of(const ggml_tensor *x, const ggml_tensor *weight, const ggml_tensor *out)
{
	nest batch(3);
	for (const int i : {3, 2}) {
		const std::int64_t repeats = x->ne[i] / weight->ne[i];
		batch.add(weight->ne[i], {stride_of(x, i) * repeats, stride_of(weight, i),
		                          stride_of(out, i) * repeats});
		batch.add(repeats, {stride_of(x, i), 0, stride_of(out, i)});
	}
	return batch;
}

/** For a part of the batch. */
bool multiply_part(emitter &e, const ggml_tensor *weight, const ggml_tensor *x,
                   const ggml_tensor *out, const std::vector<shape> &batch,
                   atom::gemm_options options, const ggml_tensor *added)
{
	const std::int64_t terms = weight->ne[0];
	const std::int64_t columns = weight->ne[1];
	auto row_macs = static_cast<std::uint64_t>(terms * columns);
	for (unsigned i = 0; i < batch.front().rank; ++i)
		row_macs *= batch.front().dims[i];
	// A command does a limited number of multiplications: fewer rows, then.
	const std::uint64_t fits = (std::uint64_t{1} << e.info().macs_log2_max) / row_macs;
	if (fits == 0)
		return false;
	const auto step =
		static_cast<std::int64_t>(std::min(fits, static_cast<std::uint64_t>(x->ne[1])));
	for (std::int64_t row = 0; row < x->ne[1]; row += step) {
		const std::int64_t rows = std::min(step, x->ne[1] - row);
		shape a = batch[0];
		shape b = batch[1];
		shape c = batch[2];
		a.push(rows, stride_of(x, 1));
		a.push(terms, stride_of(x, 0));
		b.push(columns, stride_of(weight, 1));
		b.push(terms, stride_of(weight, 0));
		c.push(rows, stride_of(out, 1));
		c.push(columns, stride_of(out, 0));
		a.offset += row * stride_of(x, 1);
		c.offset += row * stride_of(out, 1);
		if (added != nullptr) {
			shape sum;
			sum.push(rows, stride_of(added, 1));
			sum.push(columns, stride_of(added, 0));
			sum.offset = row * stride_of(added, 1);
			options.epilogue.residual = e.at(added, sum);
		}
		e.commands.gemm(e.at(x, a), e.at(weight, b).transpose(b.rank - 2, b.rank - 1),
		                e.at(out, c), options);
	}
	return true;
}

} // namespace

bool multiply(emitter &e, const ggml_tensor *weight, const ggml_tensor *x, const ggml_tensor *out,
              atom::gemm_options options, const ggml_tensor *added)
{
	if (!is_float(x) || !is_float(out) || !(is_float(weight) || is_block(weight)))
		return false;
	// As the CPU backend multiplies blocks.
	options.quantise_activations = is_block(weight);
	bool good = true;
	const auto part = [&](const std::vector<shape> &batch) {
		good = good && multiply_part(e, weight, x, out, batch, options, added);
	};
	return batch_of(x, weight, out).split(atom::rank_max - matrix_dims, 0, part) && good;
}

bool lower_matrix(emitter &e, const ggml_tensor *node)
{
	return node->op == GGML_OP_MUL_MAT && multiply(e, node->src[0], node->src[1], node);
}

} // namespace ggml_atom
