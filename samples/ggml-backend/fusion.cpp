// SPDX-License-Identifier: MIT
// A norm and its weights; a product and what is added to it.
#include "fusion.hpp"

namespace ggml_atom {
namespace {

/** The source of the second that is not the first's result; nullptr if both are. */
const ggml_tensor *other_source(const step &s)
{
	const ggml_tensor *const *src = s.second->src;
	if (src[0] == src[1])
		return nullptr;
	return src[0] == s.first ? src[1] : src[0];
}

/** ggml gave the second's result a place where the first's sources may have been. */
bool apart(const ggml_tensor *one, const ggml_tensor *other)
{
	const auto first = [](const ggml_tensor *t) {
		return reinterpret_cast<std::uintptr_t>(t->data);
	};
	return first(one) + ggml_nbytes(one) <= first(other) ||
	       first(other) + ggml_nbytes(other) <= first(one);
}

bool same_place(const ggml_tensor *one, const ggml_tensor *other)
{
	return one->data == other->data && one->type == other->type &&
	       ggml_are_same_shape(one, other) && ggml_are_same_stride(one, other);
}

bool is_weighted_norm(const step &s)
{
	const ggml_tensor *in = s.first->src[0];
	const ggml_tensor *factor = other_source(s);
	return factor != nullptr && is_float(in) && is_float(factor) && is_float(s.second) &&
	       s.first->type == GGML_TYPE_F32 && factor->ne[0] == in->ne[0] &&
	       ggml_nrows(factor) == 1 && apart(s.second, factor) &&
	       (apart(s.second, in) || same_place(s.second, in));
}

bool is_product_and_sum(const step &s)
{
	const ggml_tensor *added = other_source(s);
	return added != nullptr && is_float(added) && is_float(s.second) &&
	       s.first->type == GGML_TYPE_F32 && ggml_are_same_shape(added, s.first) &&
	       s.first->ne[2] * s.first->ne[3] == 1 && apart(s.second, added) &&
	       apart(s.second, s.first->src[0]) && apart(s.second, s.first->src[1]);
}

} // namespace

step step_at(const ggml_cgraph *graph, int index)
{
	step s{graph->nodes[index]};
	const bool norm = ggml_can_fuse(graph, index, {GGML_OP_RMS_NORM, GGML_OP_MUL});
	if (!norm && !ggml_can_fuse(graph, index, {GGML_OP_MUL_MAT, GGML_OP_ADD}))
		return s;
	s.second = graph->nodes[index + 1];
	if (!(norm ? is_weighted_norm(s) : is_product_and_sum(s)))
		s.second = nullptr;
	return s;
}

bool lower(emitter &e, const step &s)
{
	if (s.second == nullptr)
		return lower(e, s.first);
	if (s.first->op == GGML_OP_RMS_NORM)
		return rms_norm(e, s.first, other_source(s), s.second);
	return multiply(e, s.first->src[0], s.first->src[1], s.second, {}, other_source(s));
}

} // namespace ggml_atom
