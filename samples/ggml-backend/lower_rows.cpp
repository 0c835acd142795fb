// SPDX-License-Identifier: MIT
#include "emitter.hpp"

namespace ggml_atom {
namespace {

// Dimensions of what shape_of() makes: ggml's 3, 2, 1, 0.
constexpr unsigned channels = 1;
constexpr unsigned rows = 2;
constexpr unsigned elements = 3;

bool norm(emitter &e, const ggml_tensor *node, const ggml_tensor *out, atom::norm_kind kind,
          atom::norm_options options = {})
{
	if (!is_float(node->src[0]) || !is_float(out))
		return false;
	options.eps = float_param(node, 0);
	e.commands.norm(kind, e.at(node->src[0]), e.at(out), {elements}, options);
	return true;
}

bool group_norm(emitter &e, const ggml_tensor *node)
{
	const std::int32_t groups = int_param(node, 0);
	if (!is_float(node->src[0]) || groups <= 0)
		return false;
	e.commands.norm(atom::norm_kind::layer, e.at(node->src[0]), e.at(node), {rows, elements},
	                {.eps = float_param(node, 1),
	                 .groups = static_cast<std::uint32_t>(groups),
	                 .group_axis = channels});
	return true;
}

/** @p t, of one dimension, or its first @p count elements. */
atom::tensor vector_of(emitter &e, const ggml_tensor *t, std::int64_t count)
{
	shape s;
	s.push(count, stride_of(t, 0));
	return e.at(t, s);
}

bool rope(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *in = node->src[0];
	const std::int32_t dims = int_param(node, 1);
	const std::int32_t mode = int_param(node, 2);
	const std::int32_t offset = int_param(node, 15);
	if (!is_float(in) || (mode != 0 && mode != GGML_ROPE_TYPE_NEOX) || offset != 0 || dims <= 0)
		return false;
	atom::rope_options options;
	options.rotary_dims = static_cast<std::uint32_t>(dims);
	options.interleaved = mode == 0;
	options.inverse = node->op == GGML_OP_ROPE_BACK;
	options.position_axis = channels;
	options.base = float_param(node, 5);
	options.frequency_scale = float_param(node, 6);
	options.attention = float_param(node, 8);
	if (const float extrapolation = float_param(node, 7); extrapolation != 0) {
		const std::int32_t context = int_param(node, 4);
		if (context <= 0)
			return false;
		options.yarn = {static_cast<std::uint32_t>(context), extrapolation,
		                float_param(node, 9), float_param(node, 10)};
	}
	options.positions = vector_of(e, node->src[1], in->ne[2]);
	if (node->src[2] != nullptr)
		options.factors = vector_of(e, node->src[2], dims / 2);
	e.commands.rope(e.at(in), e.at(node), options);
	return true;
}

bool reduce(emitter &e, const ggml_tensor *node, atom::reduce_kind kind, atom::axis_set axes)
{
	if (!is_float(node->src[0]) || !is_float(node))
		return false;
	e.commands.reduce(kind, e.at(node->src[0]), e.at(node), axes);
	return true;
}

/** The index of the largest of each row, one behind the other. */
bool argmax(emitter &e, const ggml_tensor *node)
{
	if (!is_float(node->src[0]) || node->type != GGML_TYPE_I32)
		return false;
	shape out = shape_of(node->src[0]);
	auto stride = static_cast<std::int64_t>(ggml_type_size(node->type));
	out.dims[elements] = 1;
	for (unsigned i = out.rank; i-- > 0;) {
		out.strides[i] = stride;
		stride *= static_cast<std::int64_t>(out.dims[i]);
	}
	e.commands.reduce(atom::reduce_kind::argmax, e.at(node->src[0]), e.at(node, out),
	                  {elements});
	return true;
}

} // namespace

bool rms_norm(emitter &e, const ggml_tensor *node, const ggml_tensor *factor,
              const ggml_tensor *out)
{
	shape s = shape_of(out);
	s.strides = {};
	s.strides[elements] = stride_of(factor, 0);
	return norm(e, node, out, atom::norm_kind::rms, {.gamma = e.at(factor, s)});
}

bool soft_max(emitter &e, const ggml_tensor *in, const ggml_tensor *mask, const ggml_tensor *sinks,
              const ggml_tensor *out, float scale, float max_bias)
{
	atom::softmax_options options;
	options.scale = scale;
	options.max_bias = max_bias;
	if (mask != nullptr) {
		shape s = shape_of(in);
		for (int i = 0; i < GGML_MAX_DIMS; ++i) {
			// A mask may have more rows than there are, and one for all heads.
			const bool one = mask->ne[i] == 1 && i > 1;
			if (!one && i != 1 && mask->ne[i] != in->ne[i])
				return false;
			s.strides[elements - static_cast<unsigned>(i)] =
				one ? 0 : stride_of(mask, i);
		}
		options.mask = e.at(mask, s);
	}
	if (sinks != nullptr)
		options.sinks = vector_of(e, sinks, in->ne[2]);
	e.commands.softmax(e.at(in), e.at(out), elements, options);
	return true;
}

bool lower_rows(emitter &e, const ggml_tensor *node)
{
	switch (node->op) {
	case GGML_OP_NORM:
		return norm(e, node, node, atom::norm_kind::layer);
	case GGML_OP_RMS_NORM:
		return norm(e, node, node, atom::norm_kind::rms);
	case GGML_OP_L2_NORM:
		return norm(e, node, node, atom::norm_kind::l2);
	case GGML_OP_GROUP_NORM:
		return group_norm(e, node);
	case GGML_OP_SOFT_MAX:
		return soft_max(e, node->src[0], node->src[1], node->src[2], node,
		                float_param(node, 0), float_param(node, 1));
	case GGML_OP_ROPE:
	case GGML_OP_ROPE_BACK:
		return rope(e, node);
	case GGML_OP_SUM:
		// Of rows that are not in one piece, llama.cpp's CPU backend adds up others.
		return node->src[0]->nb[0] == ggml_type_size(node->src[0]->type) &&
		       reduce(e, node, atom::reduce_kind::sum, {0, channels, rows, elements});
	case GGML_OP_SUM_ROWS:
		return reduce(e, node, atom::reduce_kind::sum, {elements});
	case GGML_OP_MEAN:
		return reduce(e, node, atom::reduce_kind::mean, {elements});
	case GGML_OP_ARGMAX:
		return argmax(e, node);
	default:
		return false;
	}
}

} // namespace ggml_atom
