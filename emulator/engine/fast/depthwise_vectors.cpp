/* SPDX-License-Identifier: MIT */
/* Compiled once for each instruction set, ATOM_DEPTHWISE_VECTORS naming the table; see vector.cpp. Products and sums may be fused. */
#include "fast/depthwise_vectors.h"

namespace atom::engine::fast {

namespace {

using size = std::size_t;
using std::ptrdiff_t;

template <class T> struct vector_of {
	typedef T type __attribute__((vector_size(depthwise_lanes * sizeof(T))));
};

template <class T> using vector = typename vector_of<T>::type;

/* Sums in registers at a time. */
#ifdef __AVX512F__
constexpr unsigned most_sums = 8;
#else
constexpr unsigned most_sums = 4;
#endif

inline ptrdiff_t times(size n, ptrdiff_t stride)
{
	return static_cast<ptrdiff_t>(n) * stride;
}

/* By reference: vectors that the instruction set lacks are no arguments. */
template <class T> void load(const void *from, vector<T> &to)
{
	__builtin_memcpy(&to, from, sizeof to);
}

template <class T> void end(const depthwise_args &, size, vector<T> &)
{
}

template <> void end<float>(const depthwise_args &t, size channel, vector<float> &sum)
{
	constexpr vector<float> zeros = {};
	vector<float> bias;
	if (t.bias) {
		load<float>(t.bias + channel, bias);
		sum += bias;
	}
	sum = sum < t.low ? t.low - zeros : sum;
	sum = sum > t.high ? t.high - zeros : sum;
}

/* Outputs of some pixels and some vectors of channels: each weight is loaded once for all of the pixels. */
template <class T, unsigned Pixels, unsigned Vectors>
void block(const depthwise_args &t, size row, size column, tap_span columns, size channel)
{
	constexpr ptrdiff_t vector_bytes = sizeof(vector<T>);
	const std::byte *image = t.image + times(row, t.row_stride) + times(column, t.column_stride) + channel * sizeof(T);
	const tap_span rows = t.row_taps[row];
	vector<T> sum[Pixels][Vectors] = {};
	for (size kh = rows.first; kh < rows.last; ++kh) {
		const T *weights = static_cast<const T *>(t.weights) + (kh * t.tap_columns + columns.first) * t.weight_stride + channel;
		const std::byte *line = image + t.row_offsets[kh];
		for (size kw = columns.first; kw < columns.last; ++kw, weights += t.weight_stride) {
			const std::byte *from = line + t.column_offsets[kw];
			vector<T> w[Vectors];
#pragma GCC unroll 8
			for (unsigned j = 0; j < Vectors; ++j)
				load<T>(weights + j * depthwise_lanes, w[j]);
#pragma GCC unroll 8
			for (unsigned i = 0; i < Pixels; ++i)
#pragma GCC unroll 8
				for (unsigned j = 0; j < Vectors; ++j) {
					vector<T> x;
					load<T>(from + i * t.column_stride + j * vector_bytes, x);
					sum[i][j] += x * w[j];
				}
		}
	}
	std::byte *out = t.out + times(row, t.out_row_stride) + times(column, t.out_column_stride) + channel * sizeof(T);
#pragma GCC unroll 8
	for (unsigned i = 0; i < Pixels; ++i)
#pragma GCC unroll 8
		for (unsigned j = 0; j < Vectors; ++j) {
			end<T>(t, channel + j * depthwise_lanes, sum[i][j]);
			__builtin_memcpy(out + i * t.out_column_stride + j * vector_bytes, &sum[i][j], sizeof(vector<T>));
		}
}

/* Channels beyond the last full vector are computed with some before them once more. */
template <class T, unsigned Pixels> void all_channels(const depthwise_args &t, size row, size column, tap_span taps)
{
	constexpr unsigned vectors = most_sums / Pixels < 4 ? most_sums / Pixels : 4;
	size channel = 0;
	for (; channel + vectors * depthwise_lanes <= t.channels; channel += vectors * depthwise_lanes)
		block<T, Pixels, vectors>(t, row, column, taps, channel);
	for (; channel + depthwise_lanes <= t.channels; channel += depthwise_lanes)
		block<T, Pixels, 1>(t, row, column, taps, channel);
	if (channel < t.channels)
		block<T, Pixels, 1>(t, row, column, taps, t.channels - depthwise_lanes);
}

template <class T> void depthwise(const depthwise_args &t)
{
	for (size row = 0; row < t.rows; ++row)
		for (size i = 0; i < t.column_spans; ++i) {
			const column_span span = t.columns[i];
			size column = span.first;
			for (; column + most_sums <= span.last; column += most_sums)
				all_channels<T, most_sums>(t, row, column, span.taps);
			if constexpr (most_sums > 4)
				for (; column + 4 <= span.last; column += 4)
					all_channels<T, 4>(t, row, column, span.taps);
			for (; column + 2 <= span.last; column += 2)
				all_channels<T, 2>(t, row, column, span.taps);
			for (; column < span.last; ++column)
				all_channels<T, 1>(t, row, column, span.taps);
		}
}

} // namespace

constinit const depthwise_kernels ATOM_DEPTHWISE_VECTORS = {depthwise<float>, depthwise<std::uint32_t>};

} // namespace atom::engine::fast
