/* SPDX-License-Identifier: MIT */
#include "fast/values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numeric/convert.h"
#include "numeric/function.h"

namespace atom::engine::fast {

namespace {

bool quantised_in_vectors(std::uint8_t dtype)
{
	return dtype == ATOM_DTYPE_I8 || dtype == ATOM_DTYPE_U8 || dtype == ATOM_DTYPE_I16;
}

bool bad_quant(memory &mem, std::uint32_t field, std::uint64_t va)
{
	fault why;
	why.code = ATOM_FAULT_BAD_QUANT;
	why.where = ATOM_WHERE_DATA;
	why.field = field;
	why.va = va;
	why.access = ATOM_ACCESS_READ;
	mem.fail(why);
	return false;
}

} // namespace

bool run_quant::open(memory &mem, const stream &s)
{
	mem_ = &mem;
	stream_ = &s;
	scale_ = s.t.quant.scale;
	zero_point_ = s.t.quant.zero_point;
	return true;
}

bool run_quant::load(const index5 &index, std::size_t count, run_buffers &buffers)
{
	const quantisation &q = stream_->t.quant;
	if (q.kind != ATOM_QUANT_PER_CHANNEL)
		return true;
	varies_ = stream_->channels.back() != 0;
	const std::int64_t at = offset_of(index, stream_->channels), stride = stream_->channels.back();
	const std::size_t values = varies_ ? count : 1;
	/* The channel may come round faster than once an element only through merged dimensions, which this is not. */
	if (!mem_->read(q.scales, at, buffers.scales, values * 4))
		return false;
	for (std::size_t i = 0; i < values; ++i)
		if (!std::isfinite(buffers.scales[i]) || !(buffers.scales[i] > 0))
			return bad_quant(*mem_, q.scales_field,
					 q.scales_va + static_cast<std::uint64_t>(at) + i * static_cast<std::size_t>(stride));
	if (!q.has_zero_points) {
		std::memset(buffers.zero_points, 0, values * 4);
	} else {
		if (!mem_->read(q.zero_points, at, buffers.zero_points, values * 4))
			return false;
		for (std::size_t i = 0; i < values; ++i)
			if (wrap(std::int64_t{buffers.zero_points[i]}, stream_->t.dtype) != buffers.zero_points[i])
				return bad_quant(*mem_, q.zero_points_field,
						 q.zero_points_va + static_cast<std::uint64_t>(at) +
							 i * static_cast<std::size_t>(stride));
	}
	scale_ = buffers.scales[0];
	zero_point_ = buffers.zero_points[0];
	return true;
}

bool real_run::open(memory &mem, const stream &s, const index5 &dims, std::uint64_t first, std::uint64_t last,
		    std::uint32_t access)
{
	return quant_.open(mem, s) && window_.open(mem, s, dims, first, last, access);
}

bool real_run::open(memory &mem, const stream &s, const byte_range &bytes, std::uint32_t access)
{
	return quant_.open(mem, s) && window_.open(mem, s, bytes, access);
}

bool real_run::load(const index5 &index, std::size_t count, float *to, run_buffers &buffers)
{
	const tensor &t = window_.of().t;
	if (is_float(t.dtype) && t.strides.back() == 0 && count > 1) {
		if (!load(index, 1, to, buffers))
			return false;
		std::fill_n(to + 1, count - 1, to[0]);
		return true;
	}
	const std::byte *raw = window_.read(index, count, buffers.raw);
	if (!raw)
		return false;
	if (is_float(t.dtype)) {
		vectors().load[t.dtype](raw, to, count);
		return true;
	}
	if (!quant_.load(index, count, buffers))
		return false;
	if (!quantised_in_vectors(t.dtype) && !is_plain_integer(t)) {
		for (std::size_t i = 0; i < count; ++i)
			to[i] = dequantise(load_integer(raw + i * t.element_bytes, t.dtype),
					   quant_.varies() ? buffers.scales[i] : quant_.scale(),
					   quant_.varies() ? buffers.zero_points[i] : quant_.zero_point());
		return true;
	}
	vectors().load[t.dtype](raw, to, count);
	if (quant_.varies())
		vectors().dequantise_channels(to, count, buffers.scales, buffers.zero_points);
	else if (t.quant.kind != ATOM_QUANT_NONE)
		vectors().dequantise(to, count, quant_.scale(), static_cast<float>(quant_.zero_point()));
	return true;
}

const float *real_run::view(const index5 &index, std::size_t count, float *buffer, run_buffers &buffers)
{
	if (window_.of().t.dtype == ATOM_DTYPE_F32)
		if (const std::byte *place = window_.place(index))
			return reinterpret_cast<const float *>(place);
	return load(index, count, buffer, buffers) ? buffer : nullptr;
}

void real_run::store_integers(const float *from, std::byte *to, std::size_t count, run_buffers &buffers,
			      bool toward_zero)
{
	const tensor &t = window_.of().t;
	const bool plain = is_plain_integer(t);
	if (plain && toward_zero) {
		/* What is whole already stays as it is when it is rounded. */
		vectors().unary[ATOM_FN_TRUNC](from, buffers.rounded, count, 0, 0);
		from = buffers.rounded;
		toward_zero = false;
	}
	if (quantised_in_vectors(t.dtype) && !quant_.varies() && !toward_zero)
		return vectors().quantise[t.dtype](from, to, count, quant_.scale(),
						   static_cast<float>(quant_.zero_point()));
	if (plain) /* i32 */
		return vectors().store_i32(from, reinterpret_cast<std::int32_t *>(to), count);
	for (std::size_t i = 0; i < count; ++i)
		store_integer(to + i * t.element_bytes, t.dtype,
			      quantise(from[i], quant_.varies() ? buffers.scales[i] : quant_.scale(),
				       quant_.varies() ? buffers.zero_points[i] : quant_.zero_point(), t.dtype,
				       toward_zero));
}

bool real_run::store(const index5 &index, std::size_t count, const float *from, run_buffers &buffers,
		     const std::byte *lut, bool toward_zero)
{
	const tensor &t = window_.of().t;
	std::byte *place = window_.place(index);
	std::byte *to = place ? place : buffers.raw;
	if (is_float(t.dtype)) {
		vectors().store[t.dtype](from, to, count);
	} else {
		if (!quant_.load(index, count, buffers))
			return false;
		store_integers(from, to, count, buffers, toward_zero);
		if (lut)
			for (std::size_t i = 0; i < count; ++i)
				to[i] = lut[std::to_integer<unsigned>(to[i])];
	}
	return place || window_.write(index, count, to);
}

bool integer_run::load(const index5 &index, std::size_t count, std::int32_t *to, run_buffers &buffers)
{
	const std::byte *raw = window_.read(index, count, buffers.raw);
	if (raw)
		vectors().load_integer[window_.of().t.dtype](raw, to, count);
	return raw;
}

bool integer_run::store(const index5 &index, std::size_t count, const std::int32_t *from, run_buffers &buffers)
{
	std::byte *place = window_.place(index);
	std::byte *to = place ? place : buffers.raw;
	vectors().store_integer[window_.of().t.dtype](from, to, count);
	return place || window_.write(index, count, to);
}

void dequantise_blocks(const std::byte *from, std::uint8_t dtype, std::size_t count, float *to)
{
	for (; count > 0; --count, from += element_bytes(dtype), to += ATOM_BLOCK_ELEMENTS) {
		const block_integers block = load_block(from, dtype);
		for (unsigned i = 0; i < ATOM_BLOCK_ELEMENTS; ++i)
			to[i] = block.scale * static_cast<float>(block.q[i]);
		if (dtype == ATOM_DTYPE_Q4_1)
			for (unsigned i = 0; i < ATOM_BLOCK_ELEMENTS; ++i)
				to[i] += block.min;
	}
}

void apply(std::uint32_t f, const float *x, float *to, std::size_t n, float p0, float p1)
{
	if (vectors().unary[f])
		return vectors().unary[f](x, to, n, p0, p1);
	for (std::size_t i = 0; i < n; ++i)
		to[i] = apply_function(f, x[i], p0, p1);
}

} // namespace atom::engine::fast
