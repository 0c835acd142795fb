// SPDX-License-Identifier: MIT
// FLASH_ATTN_EXT of three commands: scores, softmax, weighted sum. The scores lie behind the
// result.
#include <algorithm>

#include "emitter.hpp"

namespace ggml_atom {
namespace {

constexpr std::size_t alignment = 64;

/** The same memory with two dimensions exchanged. */
ggml_tensor exchanged(const ggml_tensor *t, int one, int other)
{
	ggml_tensor result = *t;
	std::swap(result.ne[one], result.ne[other]);
	std::swap(result.nb[one], result.nb[other]);
	return result;
}

/** Bytes from the result to the scores. */
std::size_t scores_offset(const ggml_tensor *node)
{
	return (ggml_nbytes(node) + alignment - 1) / alignment * alignment;
}

/** f32 [keys, queries, heads, batch]. */
ggml_tensor scores_of(ggml_tensor *node)
{
	const ggml_tensor *queries = node->src[0];
	const ggml_tensor *keys = node->src[1];
	ggml_tensor scores = *node;
	scores.ne[0] = keys->ne[1];
	std::copy(queries->ne + 1, queries->ne + GGML_MAX_DIMS, scores.ne + 1);
	scores.nb[0] = sizeof(float);
	for (int i = 1; i < GGML_MAX_DIMS; ++i)
		scores.nb[i] = scores.nb[i - 1] * static_cast<std::size_t>(scores.ne[i - 1]);
	scores.view_src = node;
	scores.view_offs = scores_offset(node);
	scores.data = static_cast<std::byte *>(node->data) + scores.view_offs;
	return scores;
}

bool attention(emitter &e, ggml_tensor *node)
{
	const ggml_tensor *queries = node->src[0];
	const ggml_tensor *keys = node->src[1];
	const ggml_tensor *values = node->src[2];
	const float max_bias = float_param(node, 1);
	const float cap = float_param(node, 2);
	if (is_block(values))
		return false; // their blocks do not run along the sum
	const ggml_tensor scores = scores_of(node);
	const ggml_tensor columns = exchanged(values, 0, 1);
	const ggml_tensor result = exchanged(node, 1, 2);

	atom::gemm_options first;
	first.alpha = float_param(node, 0);
	float scale = 1;
	if (cap != 0) {
		first.alpha /= cap;
		first.epilogue.activation = atom::function::tanh;
		scale = cap;
	}
	if (!multiply(e, keys, queries, &scores, first))
		return false;
	e.commands.barrier();
	if (!soft_max(e, &scores, node->src[3], node->src[4], &scores, scale, max_bias))
		return false;
	e.commands.barrier();
	return multiply(e, &columns, &scores, &result);
}

} // namespace

std::size_t work_bytes(const ggml_tensor *node)
{
	if (node->op != GGML_OP_FLASH_ATTN_EXT)
		return 0;
	const ggml_tensor *queries = node->src[0];
	const std::int64_t scores =
		node->src[1]->ne[1] * queries->ne[1] * queries->ne[2] * queries->ne[3];
	return scores_offset(node) - ggml_nbytes(node) +
	       static_cast<std::size_t>(scores) * sizeof(float);
}

bool lower_attention(emitter &e, const ggml_tensor *node)
{
	// ggml says what a tensor is a view of by a pointer that can write; nothing does.
	return node->op == GGML_OP_FLASH_ATTN_EXT && attention(e, const_cast<ggml_tensor *>(node));
}

} // namespace ggml_atom
