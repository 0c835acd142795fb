// SPDX-License-Identifier: MIT
#include "c/operands.hpp"

#include <array>
#include <utility>

namespace atom::c {
namespace {

[[noreturn]] void refuse(const char *name, const char *why)
{
	core::fail(errc::invalid_argument, std::string(name) + ": " + why);
}

bool absent(const atom_place &place) { return place.buffer == nullptr && place.slot == 0; }

slot slot_of(const atom_place &place, const char *name)
{
	if (place.slot >= ATOM_SLOTS_MAX)
		refuse(name, "there is no such slot");
	return slot(static_cast<std::uint16_t>(place.slot));
}

void quantise(tensor &t, const atom_operand &o, const char *name)
{
	switch (o.quantisation) {
	case ATOM_QUANT_NONE:
		return;
	case ATOM_QUANT_PER_TENSOR:
		t.quantise(o.scale, o.zero_point);
		return;
	case ATOM_QUANT_PER_CHANNEL:
		if (absent(o.zero_points))
			t.quantise(o.axis, location_of(o.scales, name));
		else
			t.quantise(o.axis, location_of(o.scales, name),
			           location_of(o.zero_points, name));
		return;
	case ATOM_QUANT_BLOCK:
		if (block_elements(t.type()) == 1)
			refuse(name, "its type has no blocks");
		return;
	default:
		refuse(name, "there is no such quantisation");
	}
}

/** Without gaps, except that blocks run along the dimension that the operand says. */
tensor laid_out(const location &where, const atom_operand &o, const char *name)
{
	const auto type = enum_of<dtype>(o.dtype, "dtype");
	std::array<std::uint64_t, rank_max> dims{};
	std::copy(o.dims, o.dims + o.rank, dims.begin());
	const bool turned = o.quantisation == ATOM_QUANT_BLOCK;
	if (turned && o.axis >= o.rank)
		refuse(name, "there is no such axis");
	if (turned)
		std::swap(dims[o.axis], dims[o.rank - 1]);
	tensor t(where, type, {dims.data(), o.rank});
	if (turned)
		t.transpose(o.axis, o.rank - 1);
	return t;
}

} // namespace

location location_of(const atom_place &place, const char *name)
{
	check_reserved(place.reserved);
	if (absent(place) || (place.buffer != nullptr && place.slot != 0))
		refuse(name, "it must be either in a buffer or in a slot");
	if (place.slot != 0)
		return {slot_of(place, name), place.offset};
	const buffer_view &all = place.buffer->value.view();
	if (place.offset > all.size())
		core::fail(errc::out_of_range, std::string(name) + ": it starts behind its buffer");
	return all.slice(place.offset, all.size() - place.offset);
}

tensor tensor_of(const atom_operand *operand, const char *name)
{
	const atom_operand o = read(live(operand, name));
	if (o.rank > rank_max)
		refuse(name, "it has too many dimensions");
	check_reserved(o.scales.reserved);
	check_reserved(o.zero_points.reserved);
	// With strides it may reach to both sides of its first element.
	const bool shifted = o.where.buffer != nullptr && o.has_strides != 0;
	atom_place start = o.where;
	if (shifted)
		start.offset = 0;
	tensor t = laid_out(location_of(start, name), o, name);
	if (o.has_strides != 0)
		t.strides({o.strides, o.rank});
	if (shifted)
		t.advance(static_cast<std::int64_t>(o.where.offset));
	quantise(t, o, name);
	return t;
}

std::optional<tensor> optional_tensor(const atom_operand *operand, const char *name)
{
	if (operand == nullptr)
		return std::nullopt;
	return tensor_of(operand, name);
}

epilogue epilogue_of(const atom_epilogue_options *options)
{
	const atom_epilogue_options o = read(options);
	epilogue e;
	e.bias = optional_tensor(o.bias, "bias");
	e.residual = optional_tensor(o.residual, "residual");
	e.activation = enum_of<function>(o.activation, "activation");
	e.p0 = o.p0;
	e.p1 = o.p1;
	if (o.table != nullptr)
		e.table = location_of(*o.table, "table");
	return e;
}

window2d window_of(const atom_window_options &o)
{
	return {{usual(o.stride[0], 1), usual(o.stride[1], 1)},
	        {usual(o.dilation[0], 1), usual(o.dilation[1], 1)},
	        {o.padding[0], o.padding[1], o.padding[2], o.padding[3]}};
}

} // namespace atom::c
