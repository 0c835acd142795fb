// SPDX-License-Identifier: MIT
// The commands that address elements by indices.
#include <algorithm>
#include <vector>

#include "core/encoder.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

static_assert(static_cast<int>(index_mode::nd) == ATOM_GATHER_ND);
static_assert(static_cast<int>(scatter_reduction::max) == ATOM_SCATTER_MAX);

/** How an index tensor looks at a whole one. */
struct addressing {
	index_mode mode;
	unsigned axis;
	unsigned batch_dims;
	const tensor &whole;
	const tensor &index;
};

/** Dimensions of what the index selects of the whole. */
std::vector<std::uint64_t> selected(const command &c, const addressing &a)
{
	const auto whole = a.whole.dims();
	const auto index = a.index.dims();
	c.check_index(a.index, "index");
	c.check(a.mode == index_mode::nd ? a.axis == 0 : a.axis < whole.size(),
	        "there is no such axis (index_mode::nd has none)");
	c.check(a.mode != index_mode::elements || a.batch_dims == 0,
	        "index_mode::elements has no batch_dims");
	std::vector<std::uint64_t> dims;
	const auto add = [&](span<const std::uint64_t> part) {
		dims.insert(dims.end(), part.begin(), part.end());
	};
	if (a.mode == index_mode::elements) {
		c.check(index.size() == whole.size(),
		        "index has another rank than what it selects of");
		add(index);
		return dims;
	}
	c.check(a.batch_dims <= index.size() && a.batch_dims <= whole.size() &&
	                std::equal(index.begin(), index.begin() + a.batch_dims, whole.begin()),
	        "batch_dims are not the leading dimensions of both");
	if (a.mode == index_mode::rows) {
		c.check(a.batch_dims <= a.axis, "batch_dims lie before the axis");
		add(whole.subspan(0, a.axis));
		add(index.subspan(a.batch_dims));
		add(whole.subspan(a.axis + 1));
		return dims;
	}
	c.check(index.size() > a.batch_dims, "index has no dimension of coordinates");
	const std::uint64_t coordinates = index[index.size() - 1];
	c.check(coordinates <= whole.size() - a.batch_dims,
	        "the last dimension of index is more than there are dimensions to address");
	add(index.subspan(0, index.size() - 1));
	add(whole.subspan(a.batch_dims + coordinates));
	return dims;
}

} // namespace

command_builder &command_builder::gather(index_mode mode, const tensor &data, const tensor &index,
                                         const tensor &out, const gather_options &options)
{
	command c(impl_, "gather", ATOM_OP_GATHER);
	c.check(block_elements(data.type()) == 1 || mode == index_mode::rows,
	        "block types are gathered by index_mode::rows");
	c.check(data.type() == out.type() || mode == index_mode::rows,
	        "data and out differ in type, which only index_mode::rows converts");
	c.check_dims(out, selected(c, {mode, options.axis, options.batch_dims, data, index}),
	             "out");
	atom_cmd_gather e{};
	e.mode = static_cast<std::uint32_t>(mode);
	e.axis = options.axis;
	e.batch_dims = options.batch_dims;
	e.data = c.encode(data, use::input, "data");
	e.index = c.encode(index, use::input, "index");
	e.out = c.encode(out, use::output, "out");
	c.append(e, options.wrap_negative ? ATOM_INDEX_WRAP_NEGATIVE : 0);
	return *this;
}

command_builder &command_builder::scatter(index_mode mode, const tensor &updates,
                                          const tensor &index, const tensor &out,
                                          const scatter_options &options)
{
	command c(impl_, "scatter", ATOM_OP_SCATTER);
	c.check(updates.type() == out.type() || mode == index_mode::rows,
	        "updates and out differ in type, which only index_mode::rows converts");
	c.check_dims(updates, selected(c, {mode, options.axis, options.batch_dims, out, index}),
	             "updates");
	atom_cmd_scatter e{};
	e.mode = static_cast<std::uint32_t>(mode);
	e.axis = options.axis;
	e.reduction = static_cast<std::uint32_t>(options.reduction);
	e.batch_dims = options.batch_dims;
	e.updates = c.encode(updates, use::input, "updates");
	e.index = c.encode(index, use::input, "index");
	e.out = c.encode(out, use::output, "out");
	c.append(e, options.wrap_negative ? ATOM_INDEX_WRAP_NEGATIVE : 0);
	return *this;
}

} // namespace v1
} // namespace atom
