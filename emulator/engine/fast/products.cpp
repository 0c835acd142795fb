/* SPDX-License-Identifier: MIT */
/* Compiled once for each instruction set, ATOM_PRODUCTS naming the table; see vector.cpp. */
#include "fast/products.h"

#ifdef __AVX512F__
#include "fast/finish_avx512.h"
#else
#include "fast/finish_loops.h"
#endif

namespace atom::engine::fast {

namespace {

using size = std::size_t;

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
#pragma GCC unroll 8
		for (unsigned i = 0; i < Pixels; ++i, from += t.pixel_stride) {
			__builtin_memcpy(&x, from, sizeof x);
			sum[i] += x * w;
		}
	}
	T *to = static_cast<T *>(t.sums) + pixel * t.channels + channel;
#pragma GCC unroll 8
	for (unsigned i = 0; i < Pixels; ++i, to += t.channels)
		__builtin_memcpy(to, &sum[i], sizeof sum[i]);
}

template <class T> void depthwise(const depthwise_args &t)
{
	for (size channel = 0; channel < t.channels; channel += depthwise_lanes) {
		size pixel = 0;
		for (; pixel + 8 <= t.pixels; pixel += 8)
			depthwise_pixels<T, 8>(t, pixel, channel);
		for (; pixel + 4 <= t.pixels; pixel += 4)
			depthwise_pixels<T, 4>(t, pixel, channel);
		for (; pixel < t.pixels; ++pixel)
			depthwise_pixels<T, 1>(t, pixel, channel);
	}
}

} // namespace

constinit const product_kernels ATOM_PRODUCTS = {finish, depthwise<float>, depthwise<std::uint32_t>};

} // namespace atom::engine::fast
