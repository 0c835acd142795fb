// SPDX-License-Identifier: MIT
#include "emitter.hpp"

#include <cstring>

namespace ggml_atom {

atom::tensor emitter::at(const ggml_tensor *t, const shape &s)
{
	atom::tensor result(where_.of(t), dtype_of(t->type), {s.dims.data(), s.rank});
	return result.strides({s.strides.data(), s.rank}).advance(s.offset);
}

atom::tensor emitter::constant(float value, const shape &like)
{
	return atom::tensor(values_.find(value), atom::dtype::f32, {})
	        .broadcast_to({like.dims.data(), like.rank});
}

float float_param(const ggml_tensor *node, unsigned index)
{
	float value = 0;
	std::memcpy(&value, &node->op_params[index], sizeof(value));
	return value;
}

std::int32_t int_param(const ggml_tensor *node, unsigned index) { return node->op_params[index]; }

bool is_nothing(const ggml_tensor *node)
{
	switch (node->op) {
	case GGML_OP_NONE:
	case GGML_OP_RESHAPE:
	case GGML_OP_VIEW:
	case GGML_OP_PERMUTE:
	case GGML_OP_TRANSPOSE:
		return true;
	case GGML_OP_SET_ROWS: // changes what is there, by as many rows as it is given
		return ggml_is_empty(node) || ggml_is_empty(node->src[0]);
	default:
		return ggml_is_empty(node);
	}
}

bool lower(emitter &e, const ggml_tensor *node)
{
	return is_nothing(node) || lower_matrix(e, node) || lower_elementwise(e, node) ||
	       lower_rows(e, node) || lower_moves(e, node) || lower_attention(e, node);
}

} // namespace ggml_atom
