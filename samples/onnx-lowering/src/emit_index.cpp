// SPDX-License-Identifier: MIT
// Gathering and scattering by index tensors. The device's ranks are reached by making data and
// index row-major and joining the dimensions around the axis.
#include <numeric>

#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {
namespace {

std::int64_t product(const shape &dims, std::size_t begin, std::size_t end)
{
	return count_of(shape(dims.begin() + static_cast<std::ptrdiff_t>(begin),
	                      dims.begin() + static_cast<std::ptrdiff_t>(end)));
}

shape joined_around(const shape &dims, unsigned axis)
{
	return {product(dims, 0, axis), dims[axis], product(dims, axis + 1, dims.size())};
}

void require_index(const view &index)
{
	if (index.type != atom::dtype::i32 && index.type != atom::dtype::i64)
		throw unsupported(reason::dtype, "an index that is neither i32 nor i64");
}

atom::gather_options gather_by(unsigned axis, unsigned batch_dims)
{
	atom::gather_options o;
	o.axis = axis;
	o.batch_dims = batch_dims;
	o.wrap_negative = true;
	return o;
}

} // namespace

view emitter::gather_rows(const view &data, const view &index, unsigned axis)
{
	require_index(index);
	shape dims(data.dims.begin(), data.dims.begin() + axis);
	dims.insert(dims.end(), index.dims.begin(), index.dims.end());
	dims.insert(dims.end(), data.dims.begin() + axis + 1, data.dims.end());
	view out = allocate(data.type, dims);
	out.quant = data.quant;
	if (data.quant.of == view_quantisation::kind::per_channel)
		return gather_rows(real(data), index, axis);
	if (count_of(dims) == 0)
		return out;
	const std::int64_t count = count_of(index.dims);
	view from = reshape(data, joined_around(data.dims, axis));
	const view by = reshape(index, {count});
	view to = reshape(out, {from.dims[0], count, from.dims[2]});
	from.quant = to.quant = {};
	recorder_.add(
		[from, by, to](atom::command_builder &b, const placement_map &at) {
			b.gather(atom::index_mode::rows, at(from), at(by), at(to), gather_by(1, 0));
		},
		{from, by}, {to});
	return out;
}

view emitter::gather_elements(const view &data, const view &index, unsigned axis)
{
	require_index(index);
	view out = allocate(data.type, index.dims);
	out.quant = data.quant;
	if (count_of(index.dims) == 0)
		return out;
	view from = data;
	view to = out;
	view by = index;
	from.quant = to.quant = {};
	if (data.rank() > atom::rank_max) {
		shape same = data.dims;
		same[axis] = index.dims[axis];
		if (same != index.dims)
			throw unsupported(reason::not_lowered, "gathering elements of rank " +
			                                               std::to_string(data.rank()));
		from = reshape(from, joined_around(data.dims, axis));
		by = reshape(by, joined_around(index.dims, axis));
		to = reshape(to, joined_around(index.dims, axis));
		axis = 1;
	}
	recorder_.add(
		[from, by, to, axis](atom::command_builder &b, const placement_map &at) {
			b.gather(atom::index_mode::elements, at(from), at(by), at(to),
		                 gather_by(axis, 0));
		},
		{from, by}, {to});
	return out;
}

namespace {

/** Data, index and rows of an ND command with few dimensions. */
struct nd_views {
	view data;  ///< [batch.., indexed.., row]
	view index; ///< [batch.., n, indexed]
	view rows;  ///< [batch.., n, row]
	unsigned batch_dims;
};

nd_views nd_shapes(emitter &e, const view &data, const view &index, const view &rows,
                   unsigned batch_dims)
{
	const auto indexed = static_cast<std::size_t>(index.dims.back());
	if (batch_dims + indexed > data.rank())
		throw unsupported(reason::invalid_model, "more indices than dimensions");
	const std::int64_t batch = product(data.dims, 0, batch_dims);
	const std::int64_t n = product(index.dims, batch_dims, index.rank() - 1);
	const std::int64_t row = product(data.dims, batch_dims + indexed, data.rank());
	shape lead = batch_dims > 0 ? shape{batch} : shape{};
	const auto with_lead = [&](const shape &rest) {
		shape dims = lead;
		dims.insert(dims.end(), rest.begin(), rest.end());
		return dims;
	};
	shape parts(data.dims.begin() + batch_dims,
	            data.dims.begin() + static_cast<std::ptrdiff_t>(batch_dims + indexed));
	parts.push_back(row);
	if (lead.size() + parts.size() > atom::rank_max)
		throw unsupported(reason::not_lowered,
		                  "indices into " + std::to_string(indexed) + " dimensions");
	return {e.reshape(data, with_lead(parts)),
	        e.reshape(index, with_lead({n, static_cast<std::int64_t>(indexed)})),
	        e.reshape(rows, with_lead({n, row})), static_cast<unsigned>(lead.size())};
}

} // namespace

view emitter::gather_nd(const view &data, const view &index, unsigned batch_dims)
{
	require_index(index);
	shape dims(index.dims.begin(), index.dims.end() - 1);
	dims.insert(dims.end(), data.dims.begin() + batch_dims + index.dims.back(),
	            data.dims.end());
	view out = allocate(data.type, dims);
	if (count_of(dims) == 0)
		return out;
	const nd_views v = nd_shapes(*this, data, index, out, batch_dims);
	recorder_.add(
		[v](atom::command_builder &b, const placement_map &at) {
			b.gather(atom::index_mode::nd, at(v.data), at(v.index), at(v.rows),
		                 gather_by(0, v.batch_dims));
		},
		{v.data, v.index}, {v.rows});
	return out;
}

view emitter::scatter_elements(const view &data, const view &index, const view &updates,
                               const scatter_parameters &options)
{
	require_index(index);
	if (data.rank() > atom::rank_max)
		throw unsupported(reason::not_lowered, "scattering elements of rank " +
		                                               std::to_string(data.rank()));
	view out = allocate(data.type, data.dims);
	copy(data, out);
	if (count_of(index.dims) == 0)
		return out;
	atom::scatter_options o;
	o.reduction = options.reduction;
	o.axis = options.axis;
	o.wrap_negative = true;
	recorder_.add(
		[updates, index, out, o](atom::command_builder &b, const placement_map &at) {
			b.scatter(atom::index_mode::elements, at(updates), at(index), at(out), o);
		},
		{updates, index}, {out});
	return out;
}

view emitter::scatter_nd(const view &data, const view &index, const view &updates,
                         const scatter_parameters &options)
{
	require_index(index);
	view out = allocate(data.type, data.dims);
	copy(data, out);
	if (count_of(updates.dims) == 0)
		return out;
	const nd_views v = nd_shapes(*this, out, index, updates, 0);
	atom::scatter_options o;
	o.reduction = options.reduction;
	o.wrap_negative = true;
	recorder_.add(
		[v, o](atom::command_builder &b, const placement_map &at) {
			b.scatter(atom::index_mode::nd, at(v.rows), at(v.index), at(v.data), o);
		},
		{v.rows, v.index}, {v.data});
	return out;
}

} // namespace atom_onnx
