/* SPDX-License-Identifier: MIT */
/**
 * @file finish_loops.h
 * @brief finish() as loops for the compiler's vectors.
 */
#pragma once

#include "fast/finish.h"
#include "fast/vector_convert.h"

namespace atom::engine::fast {
namespace {

constexpr size chunk = 256;

/* -0 added to anything is that. */
alignas(64) constexpr struct zeros {
	float negative[chunk];
	std::int32_t integer[chunk];
	constexpr zeros() : negative(), integer()
	{
		for (float &x : negative)
			x = -0.0f;
	}
} nothing;

/** Some columns of a row. */
struct piece {
	const void *sums;
	size n;
	const std::int32_t *integer_bias;
	const float *scale, *bias, *residual;
	float low, high;
};

struct of_floats {
	static float real(const piece &p, size i) { return static_cast<const float *>(p.sums)[i]; }
};

struct of_integers {
	static float real(const piece &p, size i)
	{
		std::uint32_t sum; /* where the output may go, which is another type */
		__builtin_memcpy(&sum, static_cast<const std::byte *>(p.sums) + 4 * i, sizeof sum);
		sum += static_cast<std::uint32_t>(p.integer_bias[i]);
		return static_cast<float>(static_cast<std::int32_t>(sum)) * p.scale[i];
	}
};

template <class Sums> void to_real(const piece &p, float *to)
{
	for (size i = 0; i < p.n; ++i) {
		float x = Sums::real(p, i) + p.bias[i] + p.residual[i];
		x = x < p.low ? p.low : x;
		to[i] = x > p.high ? p.high : x;
	}
}

template <class Sums> void finish_piece(const finish_args &t, const piece &p, void *to)
{
	if (t.dtype == ATOM_DTYPE_F32) /* a sum is no signalling NaN */
		return to_real<Sums>(p, static_cast<float *>(to));
	alignas(64) float r[chunk];
	to_real<Sums>(p, r);
	switch (t.dtype) {
	case ATOM_DTYPE_F16:
		return store_f16(r, to, p.n);
	case ATOM_DTYPE_BF16:
		return store_bf16(r, to, p.n);
	case ATOM_DTYPE_I8:
		return quantise<std::int8_t, INT8_MIN, INT8_MAX>(r, to, p.n, t.out_scale, t.out_zero);
	default:
		return quantise<std::uint8_t, 0, UINT8_MAX>(r, to, p.n, t.out_scale, t.out_zero);
	}
}

const float *residual_of(const finish_args &t, size row)
{
	return reinterpret_cast<const float *>(reinterpret_cast<const std::byte *>(t.residual) +
					       static_cast<std::ptrdiff_t>(row) * t.residual_stride);
}

void finish(const finish_args &t)
{
	const size bytes = t.dtype == ATOM_DTYPE_F32 ? 4 : t.dtype >= ATOM_DTYPE_F16 ? 2 : 1;
	piece p;
	p.low = t.low;
	p.high = t.high;
	for (size row = 0; row < t.rows; ++row)
		for (size i = 0; i < t.columns; i += chunk) {
			p.sums = static_cast<const float *>(t.sums) + row * t.stride + i;
			p.n = t.columns - i < chunk ? t.columns - i : chunk;
			p.integer_bias = t.integer_bias ? t.integer_bias + i : nothing.integer;
			p.scale = t.scale ? t.scale + i : nullptr;
			p.bias = t.bias ? t.bias + i : nothing.negative;
			p.residual = t.residual ? residual_of(t, row) + i : nothing.negative;
			void *to = t.out + static_cast<std::ptrdiff_t>(row) * t.out_stride + i * bytes;
			if (t.scale)
				finish_piece<of_integers>(t, p, to);
			else
				finish_piece<of_floats>(t, p, to);
		}
}

} // namespace
} // namespace atom::engine::fast
