/* SPDX-License-Identifier: MIT */
/**
 * @file vector_convert.h
 * @brief Between dtypes and f32, for the files that are compiled once for each instruction set.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "numeric/half.h"
#ifdef __F16C__
#include <immintrin.h>
#endif

namespace atom::engine::fast {
namespace {

using size = std::size_t;

template <class T> void load_as_real(const void *from, float *to, size n)
{
	const T *x = static_cast<const T *>(from);
	for (size i = 0; i < n; ++i)
		to[i] = static_cast<float>(x[i]);
}

inline void load_f16(const void *from, float *to, size n)
{
	const auto *x = static_cast<const std::uint16_t *>(from);
	size i = 0;
#ifdef __F16C__
	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(to + i,
				 _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(x + i))));
#endif
	for (; i < n; ++i)
		to[i] = f16_to_f32(x[i]);
}

inline void load_bf16(const void *from, float *to, size n)
{
	const auto *x = static_cast<const std::uint16_t *>(from);
	for (size i = 0; i < n; ++i)
		to[i] = bf16_to_f32(x[i]);
}

inline void store_f16(const float *from, void *to, size n)
{
	auto *y = static_cast<std::uint16_t *>(to);
	size i = 0;
#ifdef __F16C__
	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128(reinterpret_cast<__m128i *>(y + i),
				 _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
	for (; i < n; ++i)
		y[i] = f32_to_f16(from[i]);
}

inline void store_bf16(const float *from, void *to, size n)
{
	auto *y = static_cast<std::uint16_t *>(to);
	for (size i = 0; i < n; ++i)
		y[i] = f32_to_bf16(from[i]);
}

inline void store_f32(const float *from, void *to, size n)
{
	auto *y = static_cast<float *>(to);
	for (size i = 0; i < n; ++i)
		y[i] = quiet(from[i]);
}

template <class T, int Low, int High> void quantise(const float *from, void *to, size n, float scale, float zero)
{
	T *y = static_cast<T *>(to);
	for (size i = 0; i < n; ++i) {
		float v = from[i] / scale;
		v = v == v ? v : 0.0f;
		/* What is farther out saturates whatever the zero point; inside, adding 1.5 * 2^23 rounds. */
		v = v < -0x1p20f ? -0x1p20f : v;
		v = v > 0x1p20f ? 0x1p20f : v;
		v = (v + 0x1.8p23f) - 0x1.8p23f;
		v += zero;
		v = v < static_cast<float>(Low) ? static_cast<float>(Low) : v;
		v = v > static_cast<float>(High) ? static_cast<float>(High) : v;
		y[i] = static_cast<T>(static_cast<std::int32_t>(v));
	}
}

} // namespace
} // namespace atom::engine::fast
