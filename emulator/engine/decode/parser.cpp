/* SPDX-License-Identifier: MIT */
#include "parser.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "atom/hw/mmu.h"
#include "numeric/convert.h"

namespace atom::engine {

static_assert(std::endian::native == std::endian::little, "commands are little-endian and read as they are");

namespace {

constexpr std::int64_t va_limit = std::int64_t{1} << ATOM_VA_BITS;

/* Bytes of a tensor's elements; one that is broadcast counts once. */
std::uint64_t distinct_bytes(const tensor &t)
{
	const std::uint64_t most = std::uint64_t{1} << ATOM_VA_BITS;
	std::uint64_t bytes = t.element_bytes;
	for (std::size_t i = 0; i < t.dims.size(); ++i) {
		std::uint64_t steps = t.strides[i] == 0 ? 1 : static_cast<std::uint64_t>(t.dims[i]);
		if (is_block(t.dtype) && i == t.quant.axis)
			steps /= ATOM_BLOCK_ELEMENTS;
		bytes = steps > most / bytes ? most : bytes * steps;
	}
	return bytes;
}

bool is_zero(const void *bytes, std::size_t count)
{
	const auto *p = static_cast<const unsigned char *>(bytes);
	return std::all_of(p, p + count, [](unsigned char b) { return b == 0; });
}

std::size_t first_nonzero(const void *bytes, std::size_t count)
{
	const auto *p = static_cast<const unsigned char *>(bytes);
	return static_cast<std::size_t>(
		std::find_if(p, p + count, [](unsigned char b) { return b != 0; }) - p);
}

/* Parameters that a function has; the others must be zero. */
unsigned parameters(std::uint32_t function)
{
	switch (function) {
	case ATOM_FN_CLIP:
	case ATOM_FN_HARD_SIGMOID:
	case ATOM_FN_SELU:
	case ATOM_FN_SHRINK:
	case ATOM_FN_IS_INF:
		return 2;
	case ATOM_FN_LEAKY_RELU:
	case ATOM_FN_SILU:
	case ATOM_FN_ELU:
	case ATOM_FN_CELU:
	case ATOM_FN_THRESHOLDED_RELU:
		return 1;
	default:
		return 0;
	}
}

bool function_known(std::uint32_t f)
{
	return f <= ATOM_FN_GELU_QUICK || (f >= ATOM_FN_ABS && f <= ATOM_FN_ATANH) ||
	       (f >= ATOM_FN_LOGICAL_NOT && f < ATOM_FN_COUNT);
}

} // namespace

std::uint32_t element_bytes(std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return 1;
	case ATOM_DTYPE_I16:
	case ATOM_DTYPE_F16:
	case ATOM_DTYPE_BF16:
		return 2;
	case ATOM_DTYPE_I32:
	case ATOM_DTYPE_F32:
		return 4;
	case ATOM_DTYPE_I64:
		return 8;
	case ATOM_DTYPE_Q8_0:
		return sizeof(atom_block_q8_0);
	case ATOM_DTYPE_Q4_0:
		return sizeof(atom_block_q4_0);
	case ATOM_DTYPE_Q4_1:
		return sizeof(atom_block_q4_1);
	default:
		return 0;
	}
}

bool parser::fail(std::uint16_t code, std::size_t field, std::uint64_t va, std::uint32_t access)
{
	if (!why_) {
		why_.code = code;
		why_.where = ATOM_WHERE_COMMAND;
		why_.field = static_cast<std::uint32_t>(field);
		why_.va = va;
		why_.access = access;
	}
	return false;
}

bool parser::take(std::size_t known, std::uint16_t flags)
{
	atom_cmd_header header;
	std::memcpy(&header, bytes_.data(), sizeof header);
	/* What a later version appended must be zero: this one would ignore it. */
	return require((header.flags & ~flags) == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_header, flags)) &&
	       require(bytes_.size() >= known && is_zero(bytes_.data() + known, bytes_.size() - known),
		       ATOM_FAULT_BAD_SIZE, offsetof(atom_cmd_header, bytes)) &&
	       require(header.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_header, reserved));
}

bool parser::slot_known(std::uint16_t slot, std::size_t field)
{
	return require(slot <= args_.size(), ATOM_FAULT_BAD_SLOT, field);
}

bool parser::add_operand(std::uint16_t slot, std::size_t slot_field, std::uint64_t offset,
			 std::size_t offset_field, __int128 low, __int128 high, std::uint64_t align,
			 std::uint32_t access, std::size_t operand_field, std::size_t &index)
{
	__int128 base = 0;
	if (!slot_known(slot, slot_field))
		return false;
	if (slot != ATOM_SLOT_ABSOLUTE)
		base = args_[slot - 1u].va;
	const __int128 at = base + offset;
	const auto va = static_cast<std::uint64_t>(at);
	if (va % align != 0)
		return fail(ATOM_FAULT_MISALIGNED, offset_field, va, access);
	if (slot != ATOM_SLOT_ABSOLUTE) {
		const __int128 bytes = args_[slot - 1u].bytes;
		if (offset + low < 0 || offset + high > bytes)
			return fail(ATOM_FAULT_ARG_RANGE, offset_field, va, access);
	}
	if (at + low < 0 || at + high > va_limit || at > va_limit)
		return fail(ATOM_FAULT_VA_RANGE, offset_field, va, access);
	operand op;
	op.va = va;
	op.low = static_cast<std::int64_t>(low);
	op.high = static_cast<std::int64_t>(high);
	op.access = access;
	op.field = static_cast<std::uint32_t>(operand_field);
	op.bytes = static_cast<std::uint64_t>(high - low);
	index = operands_.size();
	operands_.push_back(op);
	return true;
}

bool parser::read_ref(const atom_ref &from, std::size_t field, std::uint64_t bytes, std::uint64_t align,
		      std::uint32_t access, std::size_t &operand)
{
	return require(from.reserved0 == 0, ATOM_FAULT_BAD_FIELD, field + offsetof(atom_ref, reserved0)) &&
	       require(from.reserved1 == 0, ATOM_FAULT_BAD_FIELD, field + offsetof(atom_ref, reserved1)) &&
	       add_operand(from.slot, field + offsetof(atom_ref, slot), from.offset,
			   field + offsetof(atom_ref, offset), 0, bytes, align, access, field, operand);
}

bool parser::read_function(std::uint32_t function, std::size_t field, std::uint32_t function_limit, float p0,
			   std::size_t p0_field, float p1, std::size_t p1_field)
{
	if (!function_known(function) || function >= function_limit)
		return fail(ATOM_FAULT_BAD_FIELD, field);
	const unsigned count = parameters(function);
	const bool p0_good = count >= 1 ? !std::isnan(p0) : is_zero(&p0, sizeof p0);
	const bool p1_good = count >= 2 ? !std::isnan(p1) : is_zero(&p1, sizeof p1);
	return require(p0_good, ATOM_FAULT_BAD_FIELD, p0_field) &&
	       require(p1_good, ATOM_FAULT_BAD_FIELD, p1_field) &&
	       /* CELU divides by p0. */
	       require(function != ATOM_FN_CELU || p0 != 0, ATOM_FAULT_BAD_FIELD, p0_field);
}

bool parser::read_layout(const atom_tensor &from, std::size_t field, const tensor_rules &rules, tensor &to,
			 std::int64_t &low, std::int64_t &high)
{
	const std::size_t dims_field = field + offsetof(atom_tensor, dims);
	const std::size_t strides_field = field + offsetof(atom_tensor, strides);
	for (unsigned i = 0; i < ATOM_RANK_MAX; ++i) {
		const std::uint64_t d = from.dims[i];
		const bool good = i < from.rank ? d >= 1 && d <= std::uint64_t{va_limit} : d == 0;
		if (!good)
			return fail(ATOM_FAULT_BAD_SHAPE, dims_field + 8 * i);
	}
	const bool blocks = is_block(to.dtype);
	/* The axis is needed here already: strides along it count blocks. */
	if (blocks) {
		if (from.quant.kind != ATOM_QUANT_BLOCK)
			return fail(ATOM_FAULT_BAD_QUANT,
				    field + offsetof(atom_tensor, quant) + offsetof(atom_quant, kind));
		if (from.quant.axis >= from.rank)
			return fail(ATOM_FAULT_BAD_QUANT,
				    field + offsetof(atom_tensor, quant) + offsetof(atom_quant, axis));
		if (from.dims[from.quant.axis] % ATOM_BLOCK_ELEMENTS != 0)
			return fail(ATOM_FAULT_BAD_SHAPE, dims_field + 8 * from.quant.axis);
	}
	const std::int64_t multiple = blocks ? 2 : to.element_bytes;
	const unsigned pad = ATOM_RANK_MAX - from.rank;
	__int128 below = 0, above = to.element_bytes;
	for (unsigned i = 0; i < ATOM_RANK_MAX; ++i) {
		const auto s = static_cast<std::int64_t>(from.strides[i]);
		bool good = s == 0;
		if (i < from.rank) {
			good = s >= -va_limit && s <= va_limit && s % multiple == 0;
			if (blocks && i == from.quant.axis)
				good = s == to.element_bytes;
			if (rules.output && (s < 0 || (s == 0 && from.dims[i] > 1)))
				good = false;
		}
		if (!good)
			return fail(ATOM_FAULT_BAD_STRIDE, strides_field + 8 * i);
		if (i >= from.rank)
			continue;
		to.dims[pad + i] = static_cast<std::int64_t>(from.dims[i]);
		to.strides[pad + i] = s;
		__int128 steps = to.dims[pad + i];
		if (blocks && i == from.quant.axis)
			steps /= ATOM_BLOCK_ELEMENTS;
		(s < 0 ? below : above) += (steps - 1) * s;
	}
	/* Farther than any address: let the range checks name it, in 64 bits. */
	const __int128 far = std::int64_t{1} << 62;
	low = static_cast<std::int64_t>(std::max(below, -far));
	high = static_cast<std::int64_t>(std::min(above, far));
	return true;
}

/* Two elements of an output must not share a byte: each stride steps over all that the smaller ones reach. */
bool parser::check_output(const atom_tensor &from, std::size_t field, const tensor &to)
{
	std::array<unsigned, ATOM_RANK_MAX> order{};
	unsigned used = 0;
	for (unsigned i = 0; i < from.rank; ++i) {
		if (from.dims[i] == 1)
			continue;
		unsigned at = used++;
		for (; at > 0 && from.strides[order[at - 1]] > from.strides[i]; --at)
			order[at] = order[at - 1];
		order[at] = i;
	}
	__int128 reach = to.element_bytes;
	for (unsigned n = 0; n < used; ++n) {
		const unsigned i = order[n];
		__int128 steps = from.dims[i];
		if (is_block(to.dtype) && i == from.quant.axis)
			steps /= ATOM_BLOCK_ELEMENTS;
		if (steps > 1 && static_cast<__int128>(from.strides[i]) < reach)
			return fail(ATOM_FAULT_BAD_STRIDE, field + offsetof(atom_tensor, strides) + 8 * i);
		reach += (steps - 1) * static_cast<__int128>(from.strides[i]);
	}
	return true;
}

bool parser::read_quant(const atom_quant &from, std::size_t field, const tensor_rules &rules,
			const atom_tensor &of, tensor &to)
{
	const bool blocks = is_block(to.dtype);
	if (rules.raw && !blocks)
		return true;
	const auto bad = [&](std::size_t at) { return fail(ATOM_FAULT_BAD_QUANT, field + at); };
	const bool per_tensor = from.kind == ATOM_QUANT_PER_TENSOR;
	const bool per_channel = from.kind == ATOM_QUANT_PER_CHANNEL;
	const bool integer = is_integer(to.dtype) && to.dtype != ATOM_DTYPE_I64;
	if (from.kind > ATOM_QUANT_BLOCK || blocks != (from.kind == ATOM_QUANT_BLOCK) ||
	    ((per_tensor || per_channel) && !integer))
		return bad(offsetof(atom_quant, kind));
	if (per_channel || blocks ? from.axis >= of.rank : from.axis != 0)
		return bad(offsetof(atom_quant, axis));
	if (!per_channel && from.slot != 0)
		return bad(offsetof(atom_quant, slot));
	if (per_tensor ? !(std::isfinite(from.scale) && from.scale > 0) : !is_zero(&from.scale, 4))
		return bad(offsetof(atom_quant, scale));
	const auto zero_point = static_cast<std::int32_t>(from.zero_point);
	if (per_tensor ? wrap(std::int64_t{zero_point}, to.dtype) != zero_point : zero_point != 0)
		return bad(offsetof(atom_quant, zero_point));
	if (from.flags & ~(per_channel ? ATOM_QUANT_ZERO_POINTS : 0u))
		return bad(offsetof(atom_quant, flags));
	if (!per_channel && from.scale_offset != 0)
		return bad(offsetof(atom_quant, scale_offset));
	const bool zero_points = per_channel && (from.flags & ATOM_QUANT_ZERO_POINTS);
	if (!zero_points && from.zero_point_offset != 0)
		return bad(offsetof(atom_quant, zero_point_offset));

	to.quant.kind = from.kind;
	to.quant.axis = static_cast<std::uint8_t>(from.axis + (ATOM_RANK_MAX - of.rank));
	if (per_tensor) {
		to.quant.scale = from.scale;
		to.quant.zero_point = zero_point;
	}
	if (!per_channel)
		return true;
	const __int128 bytes = static_cast<__int128>(of.dims[from.axis]) * 4;
	const std::size_t slot_field = field + offsetof(atom_quant, slot);
	const std::size_t scales_field = field + offsetof(atom_quant, scale_offset);
	const std::size_t zero_points_field = field + offsetof(atom_quant, zero_point_offset);
	if (!add_operand(from.slot, slot_field, from.scale_offset, scales_field, 0, bytes, 4,
			 ATOM_ACCESS_READ, scales_field, to.quant.scales))
		return false;
	to.quant.scales_field = static_cast<std::uint32_t>(scales_field);
	to.quant.scales_va = operands_[to.quant.scales].va;
	if (!zero_points)
		return true;
	if (!add_operand(from.slot, slot_field, from.zero_point_offset, zero_points_field, 0, bytes, 4,
			 ATOM_ACCESS_READ, zero_points_field, to.quant.zero_points))
		return false;
	to.quant.has_zero_points = true;
	to.quant.zero_points_field = static_cast<std::uint32_t>(zero_points_field);
	to.quant.zero_points_va = operands_[to.quant.zero_points].va;
	return true;
}

bool parser::read_tensor(const atom_tensor &from, std::size_t field, const tensor_rules &rules, tensor &to)
{
	to = tensor{};
	to.field = static_cast<std::uint32_t>(field);
	const std::size_t dtype_field = field + offsetof(atom_tensor, dtype);
	if (from.dtype == ATOM_DTYPE_NONE) {
		if (!rules.optional)
			return fail(ATOM_FAULT_BAD_DTYPE, dtype_field);
		const std::size_t set = first_nonzero(&from, sizeof from);
		return require(set == sizeof from, ATOM_FAULT_BAD_FIELD, field + set);
	}
	if (!slot_known(from.slot, field + offsetof(atom_tensor, slot)))
		return false;
	if (from.dtype >= 32 || !(rules.dtypes & dtype_bit(from.dtype)))
		return fail(ATOM_FAULT_BAD_DTYPE, dtype_field);
	if (from.rank > ATOM_RANK_MAX)
		return fail(ATOM_FAULT_BAD_SHAPE, field + offsetof(atom_tensor, rank));
	if (from.flags != 0)
		return fail(ATOM_FAULT_BAD_FIELD, field + offsetof(atom_tensor, flags));
	to.dtype = from.dtype;
	to.rank = from.rank;
	to.element_bytes = element_bytes(from.dtype);
	std::int64_t low = 0, high = 0;
	if (!read_layout(from, field, rules, to, low, high) ||
	    (rules.output && !check_output(from, field, to)) ||
	    !read_quant(from.quant, field + offsetof(atom_tensor, quant), rules, from, to))
		return false;
	if (!add_operand(from.slot, field + offsetof(atom_tensor, slot), from.offset,
			 field + offsetof(atom_tensor, offset), low, high,
			 is_block(to.dtype) ? 2 : to.element_bytes,
			 rules.output ? ATOM_ACCESS_WRITE : ATOM_ACCESS_READ, field, to.operand))
		return false;
	operand &op = operands_[to.operand];
	op.bytes = std::min(op.bytes, distinct_bytes(to));
	return true;
}

} // namespace atom::engine
