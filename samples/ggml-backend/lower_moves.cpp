// SPDX-License-Identifier: MIT
#include "emitter.hpp"

namespace ggml_atom {
namespace {

/** All of @p t as one row of @p count elements. */
shape flat(const ggml_tensor *t)
{
	shape s;
	s.push(static_cast<std::uint64_t>(ggml_nelements(t)), static_cast<std::int64_t>(t->nb[0]));
	return s;
}

/** The same elements in two layouts. */
std::optional<std::pair<shape, shape>> matched(const ggml_tensor *in, const ggml_tensor *out)
{
	if (!is_block(in) && !is_block(out))
		return regrouped(in, out);
	if (ggml_is_contiguous(in) && ggml_is_contiguous(out))
		return std::pair(flat(in), flat(out));
	if (ggml_are_same_shape(in, out))
		return std::pair(shape_of(in), shape_of(out));
	return std::nullopt;
}

/** To @p node, whose elements are those of @p in in the same order, perhaps of another type. */
bool copy(emitter &e, const ggml_tensor *in, const ggml_tensor *node)
{
	const auto shapes = matched(in, node);
	if (!shapes)
		return false;
	const atom::tensor from = e.at(in, shapes->first);
	const atom::tensor to = e.at(node, shapes->second);
	if (in->type == node->type) {
		e.commands.copy(from, to);
		return true;
	}
	const bool integers = in->type == GGML_TYPE_I32 || node->type == GGML_TYPE_I32;
	const bool readable = is_float(in) || is_block(in) || in->type == GGML_TYPE_I32;
	const bool writable = is_float(node) || node->type == GGML_TYPE_I32;
	if (!readable || !writable || (integers && is_block(in)))
		return false;
	// As C converts.
	e.commands.cast(from, to, {.toward_zero = node->type == GGML_TYPE_I32});
	return true;
}

bool repeat(emitter &e, const ggml_tensor *node)
{
	if (is_block(node))
		return false;
	const std::vector<shape> s = tiled(node, {node->src[0]});
	if (s.empty())
		return false;
	e.commands.copy(e.at(node->src[0], s[1]), e.at(node, s[0]));
	return true;
}

bool concat(emitter &e, const ggml_tensor *node)
{
	const std::int32_t axis = int_param(node, 0);
	const ggml_tensor *first = node->src[0];
	const ggml_tensor *second = node->src[1];
	if (first->type != node->type || second->type != node->type ||
	    (is_block(node) && axis == 0))
		return false;
	const auto part = [&](const ggml_tensor *t, std::int64_t begin) {
		shape s = shape_of(t);
		const shape whole = shape_of(node);
		s.strides = whole.strides;
		atom::tensor out = e.at(node, s);
		out.advance(begin * static_cast<std::int64_t>(node->nb[axis]));
		e.commands.copy(e.at(t), out);
	};
	part(first, 0);
	part(second, first->ne[axis]);
	return true;
}

/** The index as [ne3, ne2, rows] of @p like; one of them may serve for all. */
shape index_shape(const ggml_tensor *index, const ggml_tensor *like)
{
	shape s;
	const auto add = [&](int axis, std::int64_t count) {
		const bool one = index->ne[axis] == 1;
		s.push(static_cast<std::uint64_t>(count),
		       one ? 0 : static_cast<std::int64_t>(index->nb[axis]));
	};
	add(2, like->ne[3]);
	add(1, like->ne[2]);
	s.push(static_cast<std::uint64_t>(index->ne[0]), static_cast<std::int64_t>(index->nb[0]));
	return s;
}

constexpr unsigned row_axis = 2;
constexpr unsigned shared_dims = 2;

bool get_rows(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *data = node->src[0];
	const ggml_tensor *index = node->src[1];
	const bool converts = is_float(node) && (is_float(data) || is_block(data));
	if (data->type != node->type && !converts)
		return false;
	e.commands.gather(atom::index_mode::rows, e.at(data), e.at(index, index_shape(index, node)),
	                  e.at(node), {.axis = row_axis, .batch_dims = shared_dims});
	return true;
}

bool set_rows(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *updates = node->src[0];
	const ggml_tensor *index = node->src[1];
	if (!is_float(updates) || !is_float(node))
		return false;
	// An index that serves for several but not for all has no stride.
	for (const int axis : {1, 2})
		if (index->ne[axis] != 1 && index->ne[axis] != updates->ne[axis + 1])
			return false;
	e.commands.scatter(atom::index_mode::rows, e.at(updates),
	                   e.at(index, index_shape(index, updates)), e.at(node),
	                   {.axis = row_axis, .batch_dims = shared_dims});
	return true;
}

} // namespace

bool lower_moves(emitter &e, const ggml_tensor *node)
{
	switch (node->op) {
	case GGML_OP_CPY:
	case GGML_OP_CONT:
	case GGML_OP_DUP:
		return copy(e, node->src[0], node);
	case GGML_OP_REPEAT:
		return repeat(e, node);
	case GGML_OP_CONCAT:
		return concat(e, node);
	case GGML_OP_GET_ROWS:
		return get_rows(e, node);
	case GGML_OP_SET_ROWS:
		return set_rows(e, node);
	case GGML_OP_FILL:
		e.commands.fill(e.at(node), float_param(node, 0));
		return true;
	default:
		return false;
	}
}

} // namespace ggml_atom
