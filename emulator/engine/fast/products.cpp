/* SPDX-License-Identifier: MIT */
/* Compiled once for each instruction set, ATOM_PRODUCTS naming the table; see vector.cpp. */
#include "fast/products.h"

#include "fast/vector_convert.h"

namespace atom::engine::fast {

namespace {

constexpr size chunk = 128;

/* i32 sums to reals. */
void scale_sums(const std::int32_t *sums, const std::int32_t *bias, const float *scale, float *to, size n)
{
	if (bias)
		for (size i = 0; i < n; ++i) {
			const auto sum = static_cast<std::uint32_t>(sums[i]) + static_cast<std::uint32_t>(bias[i]);
			to[i] = static_cast<float>(static_cast<std::int32_t>(sum)) * scale[i];
		}
	else
		for (size i = 0; i < n; ++i)
			to[i] = static_cast<float>(sums[i]) * scale[i];
}

void add(const float *a, const float *b, float *to, size n)
{
	for (size i = 0; i < n; ++i)
		to[i] = a[i] + b[i];
}

void activate(const finish_args &t, const float *from, float *to, size n)
{
	if (t.activation == ATOM_FN_RELU)
		for (size i = 0; i < n; ++i)
			to[i] = from[i] < 0 ? 0.0f : from[i];
	else
		for (size i = 0; i < n; ++i) {
			const float x = from[i] < t.p0 ? t.p0 : from[i];
			to[i] = x > t.p1 ? t.p1 : x;
		}
}

void store(const finish_args &t, const float *from, void *to, size n)
{
	switch (t.dtype) {
	case ATOM_DTYPE_F16:
		return store_f16(from, to, n);
	case ATOM_DTYPE_BF16:
		return store_bf16(from, to, n);
	case ATOM_DTYPE_I8:
		return quantise<std::int8_t, INT8_MIN, INT8_MAX>(from, to, n, t.out_scale, t.out_zero);
	case ATOM_DTYPE_U8:
		return quantise<std::uint8_t, 0, UINT8_MAX>(from, to, n, t.out_scale, t.out_zero);
	default:
		return store_f32(from, to, n);
	}
}

/* In chunks that stay in registers or the first cache. */
void finish_row(const finish_args &t, const float *sums, std::byte *out)
{
	const size bytes = t.dtype == ATOM_DTYPE_F32 ? 4 : t.dtype >= ATOM_DTYPE_F16 ? 2 : 1;
	alignas(64) float r[chunk];
	for (size i = 0; i < t.columns; i += chunk) {
		const size n = t.columns - i < chunk ? t.columns - i : chunk;
		const float *x = sums + i;
		if (t.scale) {
			scale_sums(reinterpret_cast<const std::int32_t *>(x), t.integer_bias ? t.integer_bias + i : nullptr,
				   t.scale + i, r, n);
			x = r;
		}
		if (t.bias) {
			add(x, t.bias + i, r, n);
			x = r;
		}
		if (t.residual) {
			add(x, t.residual + i, r, n);
			x = r;
		}
		if (t.activation != ATOM_FN_IDENTITY) {
			activate(t, x, r, n);
			x = r;
		}
		store(t, x, out + i * bytes, n);
	}
}

void finish(const finish_args &t)
{
	for (size row = 0; row < t.rows; ++row)
		finish_row(t, static_cast<const float *>(t.sums) + row * t.stride,
			   t.out + static_cast<std::ptrdiff_t>(row) * t.out_stride);
}

template <class T> struct vector_of {
	typedef T type __attribute__((vector_size(depthwise_lanes * sizeof(T))));
};

template <class T> using vector = typename vector_of<T>::type;

/* Some pixels of a vector of channels: each weight is loaded once for all of them. */
template <class T, unsigned Pixels> void depthwise_pixels(const depthwise_args &t, size pixel, size channel)
{
	const std::byte *image = t.image + static_cast<std::ptrdiff_t>(pixel) * t.pixel_stride + channel * sizeof(T);
	const T *weights = static_cast<const T *>(t.weights) + channel;
	vector<T> sum[Pixels] = {};
	for (size tap = 0; tap < t.taps; ++tap, weights += t.channels) {
		vector<T> w, x;
		__builtin_memcpy(&w, weights, sizeof w);
		const std::byte *from = image + t.offsets[tap];
#pragma GCC unroll 4
		for (unsigned i = 0; i < Pixels; ++i, from += t.pixel_stride) {
			__builtin_memcpy(&x, from, sizeof x);
			sum[i] += x * w;
		}
	}
	T *to = static_cast<T *>(t.sums) + pixel * t.channels + channel;
#pragma GCC unroll 4
	for (unsigned i = 0; i < Pixels; ++i, to += t.channels)
		__builtin_memcpy(to, &sum[i], sizeof sum[i]);
}

template <class T> void depthwise(const depthwise_args &t)
{
	for (size channel = 0; channel < t.channels; channel += depthwise_lanes) {
		size pixel = 0;
		for (; pixel + 4 <= t.pixels; pixel += 4)
			depthwise_pixels<T, 4>(t, pixel, channel);
		for (; pixel < t.pixels; ++pixel)
			depthwise_pixels<T, 1>(t, pixel, channel);
	}
}

} // namespace

constinit const product_kernels ATOM_PRODUCTS = {finish, depthwise<float>, depthwise<std::uint32_t>};

} // namespace atom::engine::fast
