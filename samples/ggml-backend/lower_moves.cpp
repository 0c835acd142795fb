// SPDX-License-Identifier: MIT
#include "emitter.hpp"

namespace ggml_atom {
namespace {

/** All of @p t as one row. */
shape flat(const ggml_tensor *t)
{
	shape s;
	s.push(ggml_nelements(t), stride_of(t, 0));
	return s;
}

using both_shapes = std::function<void(const shape &, const shape &)>;

/** Calls @p command with the same elements in two layouts, perhaps several times. */
bool match(const ggml_tensor *in, const ggml_tensor *out, const both_shapes &command)
{
	if (!is_block(in) && !is_block(out)) {
		const std::optional<nest> walk = regrouped(in, out);
		return walk && walk->split(atom::rank_max, 1, [&](const std::vector<shape> &s) {
			command(s[0], s[1]);
		});
	}
	if (ggml_is_contiguous(in) && ggml_is_contiguous(out))
		command(flat(in), flat(out));
	else if (ggml_are_same_shape(in, out))
		command(shape_of(in), shape_of(out));
	else
		return false;
	return true;
}

/** Whether a cast can do it: block types and integers have no way to each other. */
bool can_cast(const ggml_tensor *in, const ggml_tensor *out)
{
	const bool from_number = is_float(in) || in->type == GGML_TYPE_I32;
	const bool to_number = is_float(out) || out->type == GGML_TYPE_I32;
	return (from_number && to_number) || (is_block(in) && is_float(out));
}

/** To @p node, whose elements are those of @p in in the same order, perhaps of another type. */
bool copy(emitter &e, const ggml_tensor *in, const ggml_tensor *node)
{
	const bool same = in->type == node->type;
	if (!same && !can_cast(in, node))
		return false;
	return match(in, node, [&](const shape &from, const shape &to) {
		if (same)
			e.commands.copy(e.at(in, from), e.at(node, to));
		else // as C converts
			e.commands.cast(e.at(in, from), e.at(node, to),
			                {.toward_zero = node->type == GGML_TYPE_I32});
	});
}

bool repeat(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *in = node->src[0];
	const std::optional<nest> walk = tiled(node, {in});
	return !is_block(node) && walk &&
	       walk->split(atom::rank_max, 1, [&](const std::vector<shape> &s) {
		       e.commands.copy(e.at(in, s[1]), e.at(node, s[0]));
	       });
}

bool concat(emitter &e, const ggml_tensor *node)
{
	const std::int32_t axis = int_param(node, 0);
	const ggml_tensor *first = node->src[0];
	const ggml_tensor *second = node->src[1];
	if (first->type != node->type || second->type != node->type)
		return false;
	const std::int64_t unit = axis == 0 ? ggml_blck_size(node->type) : 1;
	const auto part = [&](const ggml_tensor *t, std::int64_t begin) {
		shape s = shape_of(t);
		s.strides = shape_of(node).strides;
		s.offset = begin / unit * stride_of(node, axis);
		e.commands.copy(e.at(t), e.at(node, s));
	};
	part(first, 0);
	part(second, first->ne[axis]);
	return true;
}

/** A table of rows, rows apart from it, and the index that says which is which. */
struct indexed {
	const ggml_tensor *table;
	const ggml_tensor *rows;
	const ggml_tensor *index;
};

using indexed_command = std::function<void(const shape &table, const shape &rows,
                                           const shape &index, unsigned axis)>;

/**
 * Calls @p command with dimensions [batch.., row, element], and [batch.., row] of the index, of
 * which the first @c axis are shared. An index repeats where there are more rows than it has.
 */
bool walk_rows(const indexed &of, const indexed_command &command)
{
	constexpr unsigned row_dims = 2;
	nest batch(3);
	for (const int i : {3, 2}) {
		const std::int64_t period = of.index->ne[i - 1];
		const auto add = [&](std::int64_t count, std::int64_t step, bool repeats) {
			batch.add(count,
			          {stride_of(of.table, i) * step, stride_of(of.rows, i) * step,
			           repeats ? 0 : stride_of(of.index, i - 1) * step});
		};
		add(of.rows->ne[i] / period, period, true);
		add(period, 1, false);
	}
	const auto call = [&](const std::vector<shape> &part) {
		shape table = part[0];
		shape rows = part[1];
		shape index = part[2];
		const unsigned axis = table.rank;
		table.push(of.table->ne[1], stride_of(of.table, 1));
		table.push(of.table->ne[0], stride_of(of.table, 0));
		rows.push(of.rows->ne[1], stride_of(of.rows, 1));
		rows.push(of.rows->ne[0], stride_of(of.rows, 0));
		index.push(of.index->ne[0], stride_of(of.index, 0));
		command(table, rows, index, axis);
	};
	return batch.split(atom::rank_max - row_dims, 0, call);
}

bool get_rows(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *data = node->src[0];
	const ggml_tensor *index = node->src[1];
	const bool converts = is_float(node) && (is_float(data) || is_block(data));
	if (data->type != node->type && !converts)
		return false;
	return walk_rows({data, node, index}, [&](const shape &table, const shape &rows,
	                                          const shape &which, unsigned axis) {
		e.commands.gather(atom::index_mode::rows, e.at(data, table), e.at(index, which),
		                  e.at(node, rows), {.axis = axis, .batch_dims = axis});
	});
}

bool set_rows(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *updates = node->src[0];
	const ggml_tensor *index = node->src[1];
	if (!is_float(updates) || !is_float(node))
		return false;
	return walk_rows({node, updates, index}, [&](const shape &table, const shape &rows,
	                                             const shape &which, unsigned axis) {
		e.commands.scatter(atom::index_mode::rows, e.at(updates, rows), e.at(index, which),
		                   e.at(node, table), {.axis = axis, .batch_dims = axis});
	});
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
