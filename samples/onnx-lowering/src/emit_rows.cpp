// SPDX-License-Identifier: MIT
// Work along dimensions: reductions, softmax, norms.
#include <algorithm>

#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {
namespace {

/** Views whose dimensions fall into classes: only neighbours of one class may be merged. */
struct classed {
	std::vector<view> views;
	std::vector<int> classes; ///< of each dimension
};

bool mergeable(const classed &c, unsigned axis)
{
	if (c.classes[axis] != c.classes[axis + 1])
		return false;
	return std::all_of(c.views.begin(), c.views.end(), [&](const view &v) {
		// A dimension that is 1 in one view (the result of a reduction) fits anything.
		return (v.dims[axis] == 1 && v.dims[axis + 1] == 1) ||
		       (v.strides[axis] == v.strides[axis + 1] * v.dims[axis + 1] &&
		        v.dims[axis] * v.dims[axis + 1] > 0);
	});
}

void merge_neighbours(classed &c)
{
	for (view &v : c.views)
		if (v.quant.of == view_quantisation::kind::per_channel)
			throw unsupported(reason::not_lowered,
			                  "a reduction of a per-channel tensor");
	for (unsigned axis = c.views.front().rank(); axis-- > 1;) {
		if (!mergeable(c, axis - 1))
			continue;
		for (view &v : c.views)
			v = merge(v, axis - 1);
		c.classes.erase(c.classes.begin() + axis);
	}
}

// Splits what is still above the device's rank along the outermost dimension of class 0.
void in_parts(const classed &c, const std::function<void(const classed &)> &use)
{
	if (c.views.front().rank() <= atom::rank_max)
		return use(c);
	const auto axis = static_cast<unsigned>(
		std::find(c.classes.begin(), c.classes.end(), 0) - c.classes.begin());
	if (axis == c.classes.size())
		throw unsupported(reason::not_lowered, "work over more than " +
		                                               std::to_string(atom::rank_max) +
		                                               " dimensions that do not merge");
	for (std::int64_t i = 0; i < c.views.front().dims[axis]; ++i) {
		classed part = c;
		part.classes.erase(part.classes.begin() + axis);
		for (view &v : part.views)
			v = squeeze(slice(v, axis, v.dims[axis] == 1 ? 0 : i, 1), axis);
		in_parts(part, use);
	}
}

std::vector<unsigned> axes_of(const classed &c, int wanted)
{
	std::vector<unsigned> axes;
	for (unsigned i = 0; i < c.classes.size(); ++i)
		if (c.classes[i] == wanted)
			axes.push_back(i);
	return axes;
}

// axis_set is made from a list of fixed length: what is missing repeats the first.
atom::axis_set to_set(const std::vector<unsigned> &axes)
{
	const auto at = [&](std::size_t i) { return i < axes.size() ? axes[i] : axes.front(); };
	return {at(0), at(1), at(2), at(3), at(4)};
}

std::vector<int> classes_of(unsigned rank, const std::vector<unsigned> &axes)
{
	std::vector<int> classes(rank, 0);
	for (const unsigned axis : axes)
		classes[axis] = 1;
	return classes;
}

} // namespace

view emitter::reduce(atom::reduce_kind kind, const view &v, const std::vector<unsigned> &axes)
{
	refuse_i64(v, "a reduction");
	shape dims = v.dims;
	for (const unsigned axis : axes)
		dims[axis] = 1;
	view out = allocate(v.quantised() ? atom::dtype::f32 : v.type, dims);
	if (count_of(v.dims) == 0 || count_of(dims) == 0 || axes.empty())
		throw unsupported(reason::not_lowered, "a reduction of nothing");
	classed c{{v, out}, classes_of(v.rank(), axes)};
	merge_neighbours(c);
	in_parts(c, [&](const classed &part) {
		recorder_.add(
			[kind, in = part.views[0], to = part.views[1],
		         set = to_set(axes_of(part, 1))](atom::command_builder &b,
		                                         const placement_map &at) {
				b.reduce(kind, at(in), at(to), set);
			},
			{part.views[0]}, {part.views[1]});
	});
	return out;
}

view emitter::arg(atom::reduce_kind kind, const view &v, unsigned axis, bool last, atom::dtype type)
{
	refuse_i64(v, "a reduction");
	shape dims = v.dims;
	dims[axis] = 1;
	view out = allocate(type, dims);
	if (count_of(v.dims) == 0)
		return out;
	classed c{{v, out}, classes_of(v.rank(), {axis})};
	merge_neighbours(c);
	in_parts(c, [&](const classed &part) {
		recorder_.add(
			[kind, last, in = part.views[0], to = part.views[1],
		         set = to_set(axes_of(part, 1))](atom::command_builder &b,
		                                         const placement_map &at) {
				b.reduce(kind, at(in), at(to), set, {last});
			},
			{part.views[0]}, {part.views[1]});
	});
	return out;
}

view emitter::softmax(const view &v, unsigned axis, const softmax_parameters &options)
{
	view out = allocate_like(v.quantised() ? atom::dtype::f32 : v.type, v.dims, v);
	if (count_of(v.dims) == 0)
		return out;
	classed c{{v, out}, classes_of(v.rank(), {axis})};
	if (options.mask)
		c.views.push_back(broadcast(*options.mask, v.dims));
	// CAUSAL counts rows in the dimension before the axis, so that one stays as it is.
	if (options.causal && axis > 0)
		c.classes[axis - 1] = 2;
	merge_neighbours(c);
	in_parts(c, [&](const classed &part) {
		std::vector<view> reads = part.views;
		reads.erase(reads.begin() + 1);
		recorder_.add(
			[options, views = part.views,
		         along = axes_of(part, 1).front()](atom::command_builder &b,
		                                           const placement_map &at) {
				atom::softmax_options o;
				o.scale = options.scale;
				o.log = options.log;
				o.causal = options.causal;
				o.causal_offset = options.causal_offset;
				if (options.mask)
					o.mask = at(views[2]);
				b.softmax(at(views[0]), at(views[1]), along, o);
			},
			reads, {part.views[1]});
	});
	return out;
}

view emitter::norm(atom::norm_kind kind, const view &v, const std::vector<unsigned> &axes,
                   const norm_parameters &options)
{
	view out = allocate_like(v.quantised() ? atom::dtype::f32 : v.type, v.dims, v);
	if (count_of(v.dims) == 0)
		return out;
	classed c{{v, out}, classes_of(v.rank(), axes)};
	if (options.groups > 0)
		c.classes[options.group_axis] = 2;
	const auto optional_view = [&](const std::optional<view> &part) {
		if (part)
			c.views.push_back(broadcast(*part, part->dims));
	};
	if (options.gamma)
		c.views.push_back(broadcast(*options.gamma, v.dims));
	if (options.beta)
		c.views.push_back(broadcast(*options.beta, v.dims));
	optional_view(options.mean);
	optional_view(options.inverse);
	merge_neighbours(c);
	in_parts(c, [&](const classed &part) {
		const std::size_t results = (options.mean ? 1 : 0) + (options.inverse ? 1 : 0);
		std::vector<view> reads(part.views.begin(),
		                        part.views.end() - static_cast<std::ptrdiff_t>(results));
		reads.erase(reads.begin() + 1);
		std::vector<view> writes(part.views.end() - static_cast<std::ptrdiff_t>(results),
		                         part.views.end());
		writes.push_back(part.views[1]);
		const std::vector<unsigned> group = axes_of(part, 2);
		recorder_.add(
			[kind, options, views = part.views, set = to_set(axes_of(part, 1)),
		         group](atom::command_builder &b, const placement_map &at) {
				atom::norm_options o;
				o.eps = options.eps;
				o.groups = options.groups;
				o.group_axis = group.empty() ? 0 : group.front();
				o.lrn = options.lrn;
				std::size_t next = 2;
				if (options.gamma)
					o.gamma = at(views[next++]);
				if (options.beta)
					o.beta = at(views[next++]);
				if (options.mean)
					o.mean = at(views[next++]);
				if (options.inverse)
					o.inverse = at(views[next++]);
				b.norm(kind, at(views[0]), at(views[1]), set, o);
			},
			reads, writes);
	});
	return out;
}

view emitter::rope(const view &v, const rotary_parameters &options)
{
	view out = allocate_like(v.type, v.dims, v);
	recorder_.add(
		[v, options, out](atom::command_builder &b, const placement_map &at) {
			atom::rope_options o;
			o.rotary_dims = options.rotary_dims;
			o.interleaved = options.interleaved;
			o.cos = at(options.cos);
			o.sin = at(options.sin);
			b.rope(at(v), at(out), o);
		},
		{v, options.cos, options.sin}, {out});
	return out;
}

} // namespace atom_onnx
