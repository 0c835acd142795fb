/* SPDX-License-Identifier: MIT */
#include "element.h"

#include <cmath>

#include "numeric/convert.h"
#include "numeric/function.h"

namespace atom::engine::reference {

namespace {

fault bad_quant(std::uint32_t field, std::uint64_t va)
{
	fault why;
	why.code = ATOM_FAULT_BAD_QUANT;
	why.where = ATOM_WHERE_DATA;
	why.field = field;
	why.va = va;
	why.access = ATOM_ACCESS_READ;
	return why;
}

} // namespace

bool read_quant(memory &mem, const tensor &t, const index5 &index, float &scale, std::int32_t &zero_point)
{
	const quantisation &q = t.quant;
	scale = q.scale;
	zero_point = q.zero_point;
	if (q.kind != ATOM_QUANT_PER_CHANNEL)
		return true;
	const std::int64_t at = index[q.axis] * 4;
	if (!mem.read(q.scales, at, &scale, 4))
		return false;
	if (!std::isfinite(scale) || !(scale > 0)) {
		mem.fail(bad_quant(q.scales_field, q.scales_va + static_cast<std::uint64_t>(at)));
		return false;
	}
	if (!q.has_zero_points)
		return true;
	if (!mem.read(q.zero_points, at, &zero_point, 4))
		return false;
	if (wrap(std::int64_t{zero_point}, t.dtype) != zero_point) {
		mem.fail(bad_quant(q.zero_points_field, q.zero_points_va + static_cast<std::uint64_t>(at)));
		return false;
	}
	return true;
}

bool read_integer(memory &mem, const tensor &t, const index5 &index, std::int64_t &to)
{
	std::byte bytes[8];
	if (!mem.read(t.operand, offset_of(index, t.strides), bytes, t.element_bytes))
		return false;
	to = load_integer(bytes, t.dtype);
	return true;
}

bool read_real(memory &mem, const tensor &t, const index5 &index, float &to)
{
	if (is_block(t.dtype)) {
		std::byte block[sizeof(atom_block_q8_0)];
		index5 at = index;
		at[t.quant.axis] /= ATOM_BLOCK_ELEMENTS;
		if (!mem.read(t.operand, offset_of(at, t.strides), block, t.element_bytes))
			return false;
		to = load_block_element(block, t.dtype,
					static_cast<unsigned>(index[t.quant.axis] % ATOM_BLOCK_ELEMENTS));
		return true;
	}
	if (is_float(t.dtype)) {
		std::byte bytes[4];
		if (!mem.read(t.operand, offset_of(index, t.strides), bytes, t.element_bytes))
			return false;
		to = load_float(bytes, t.dtype);
		return true;
	}
	float scale;
	std::int32_t zero_point;
	std::int64_t q;
	if (!read_quant(mem, t, index, scale, zero_point) || !read_integer(mem, t, index, q))
		return false;
	to = dequantise(q, scale, zero_point);
	return true;
}

bool write_integer(memory &mem, const tensor &t, const index5 &index, std::int64_t value)
{
	std::byte bytes[8];
	store_integer(bytes, t.dtype, value);
	return mem.write(t.operand, offset_of(index, t.strides), bytes, t.element_bytes);
}

bool write_real(memory &mem, const tensor &t, const index5 &index, float value, bool toward_zero)
{
	if (is_float(t.dtype)) {
		std::byte bytes[4];
		store_float(bytes, t.dtype, value);
		return mem.write(t.operand, offset_of(index, t.strides), bytes, t.element_bytes);
	}
	float scale;
	std::int32_t zero_point;
	return read_quant(mem, t, index, scale, zero_point) &&
	       write_integer(mem, t, index, quantise(value, scale, zero_point, t.dtype, toward_zero));
}

bool finish(memory &mem, const epilogue &tail, const tensor &out, const index5 &index, float r)
{
	if (tail.residual) {
		float residual;
		if (!read_real(mem, tail.residual, index, residual))
			return false;
		r += residual;
	}
	if (tail.activation != ATOM_FN_LUT)
		return write_real(mem, out, index, apply_function(tail.activation, r, tail.p0, tail.p1));

	/* The table maps the quantised result, taken as an unsigned byte, to the output byte. */
	float scale;
	std::int32_t zero_point;
	if (!read_quant(mem, out, index, scale, zero_point))
		return false;
	const auto row = static_cast<std::uint8_t>(quantise(r, scale, zero_point, out.dtype));
	std::byte entry;
	return mem.read(tail.lut, row, &entry, 1) &&
	       mem.write(out.operand, offset_of(index, out.strides), &entry, 1);
}

bool read_run(memory &mem, const tensor &t, const index5 &index, unsigned axis, std::int64_t count, std::byte *to)
{
	const std::int64_t at = offset_of(index, t.strides), stride = t.strides[axis];
	const std::int64_t bytes = t.element_bytes;
	if (stride == bytes)
		return mem.read(t.operand, at, to, static_cast<std::size_t>(count * bytes));
	for (std::int64_t i = 0; i < count; ++i)
		if (!mem.read(t.operand, at + i * stride, to + i * bytes, t.element_bytes))
			return false;
	return true;
}

bool finish_real(memory &mem, const epilogue &tail, const tensor &out, const index5 &index, float acc)
{
	float bias = 0;
	if (tail.bias && !read_real(mem, tail.bias, index, bias))
		return false;
	return finish(mem, tail, out, index, tail.bias ? acc + bias : acc);
}

bool finish_integer(memory &mem, const epilogue &tail, const tensor &out, bool exact, const index5 &index,
		    std::uint32_t acc, float scale)
{
	const bool integer_bias = tail.bias.dtype == ATOM_DTYPE_I32;
	std::int64_t bias = 0;
	if (integer_bias && !read_integer(mem, tail.bias, index, bias))
		return false;
	acc += static_cast<std::uint32_t>(bias);
	if (exact)
		return write_integer(mem, out, index, acc);
	const float r = static_cast<float>(static_cast<std::int32_t>(acc)) * scale;
	return integer_bias ? finish(mem, tail, out, index, r) : finish_real(mem, tail, out, index, r);
}

} // namespace atom::engine::reference
