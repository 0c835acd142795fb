/* SPDX-License-Identifier: MIT */
#include "reference/conv.h"

#include <algorithm>
#include <cstring>

#include "numeric/convert.h"
#include "reference/element.h"

namespace atom::engine::reference {

namespace {

/* Input channels at a time. */
constexpr std::int64_t chunk = 256;

struct tap {
	std::int64_t h, w;
};

/* Accumulators of a tile, and the terms that are multiplied: x of one pixel, w of all channels. */
struct state {
	const conv_plan &p;
	memory &mem;
	const conv_tile &tile;
	float *real;            /* [pixels][channels] */
	std::uint32_t *integer; /* instead of real */
	float *x;               /* [chunk] */
	float *w;               /* [channels][chunk] */
	std::int32_t *ix;       /* instead of x and w */
	std::int32_t *iw;
	std::byte *bytes; /* elements as they are in memory */
	std::int32_t zero_points[conv_channels];

	index5 out_at(std::int64_t pixel, std::int64_t channel) const
	{
		index5 pixels = p.out.dims;
		pixels[4] = 1;
		index5 i = index_at(static_cast<std::uint64_t>(tile.first_pixel + pixel), pixels);
		i[4] = tile.group * p.out_channels + tile.first_channel + channel;
		return i;
	}
	index5 weight_at(std::int64_t channel, tap t, std::int64_t c) const
	{
		if (p.transposed)
			return {0, tile.group * p.in_channels + c, t.h, t.w, tile.first_channel + channel};
		return {0, tile.group * p.out_channels + tile.first_channel + channel, t.h, t.w, c};
	}
};

/* Which element of the input tap @t of output @out means: it may lie outside; false: none, between strides. */
bool input_of(const window_axis &axis, bool transposed, std::int64_t out, std::int64_t t, std::int64_t &in)
{
	if (!transposed) {
		in = out * axis.stride - axis.pad_before + t * axis.dilation;
		return true;
	}
	const std::int64_t steps = out + axis.pad_before - t * axis.dilation;
	in = steps / axis.stride;
	return steps % axis.stride == 0;
}

bool load_weights(state &s, tap t, std::int64_t c0, std::int64_t count)
{
	const tensor &weight = s.p.weight;
	const unsigned along = s.p.transposed ? 1 : 4;
	for (std::int64_t o = 0; o < s.tile.channels; ++o) {
		if (!read_run(s.mem, weight, s.weight_at(o, t, c0), along, count, s.bytes))
			return false;
		for (std::int64_t c = 0; c < count; ++c) {
			const std::byte *from = s.bytes + c * weight.element_bytes;
			if (s.p.integer)
				s.iw[o * chunk + c] = static_cast<std::int32_t>(load_integer(from, weight.dtype)) -
						      s.zero_points[o];
			else
				s.w[o * chunk + c] = load_float(from, weight.dtype);
		}
	}
	return true;
}

bool load_input(state &s, const index5 &at, bool inside, std::int64_t count)
{
	const tensor &in = s.p.in;
	if (!inside) { /* real 0: the zero point has been taken off */
		std::memset(s.x, 0, static_cast<std::size_t>(count) * 4);
		return true;
	}
	if (!read_run(s.mem, in, at, 4, count, s.bytes))
		return false;
	for (std::int64_t c = 0; c < count; ++c) {
		const std::byte *from = s.bytes + c * in.element_bytes;
		if (s.p.integer)
			s.ix[c] = static_cast<std::int32_t>(load_integer(from, in.dtype)) - in.quant.zero_point;
		else
			s.x[c] = load_float(from, in.dtype);
	}
	return true;
}

/* What input channels [c0, c0 + count) under one tap add to all sums. */
bool accumulate(state &s, tap t, std::int64_t c0, std::int64_t count)
{
	if (!load_weights(s, t, c0, count))
		return false;
	const window_plan &window = s.p.window;
	const index5 &dims = s.p.in.dims;
	for (std::int64_t i = 0; i < s.tile.pixels; ++i) {
		index5 at = s.out_at(i, 0);
		if (!input_of(window.h, s.p.transposed, at[2], t.h, at[2]) ||
		    !input_of(window.w, s.p.transposed, at[3], t.w, at[3]))
			continue;
		const bool inside = at[2] >= 0 && at[2] < dims[2] && at[3] >= 0 && at[3] < dims[3];
		at[4] = s.tile.group * s.p.in_channels + c0;
		if (!load_input(s, at, inside, count))
			return false;
		for (std::int64_t o = 0; o < s.tile.channels; ++o)
			for (std::int64_t c = 0; c < count; ++c) {
				const std::int64_t sum = i * s.tile.channels + o;
				if (s.p.integer)
					s.integer[sum] += static_cast<std::uint32_t>(s.ix[c] * s.iw[o * chunk + c]);
				else
					s.real[sum] += s.x[c] * s.w[o * chunk + c];
			}
	}
	return true;
}

bool finish_all(state &s)
{
	for (std::int64_t i = 0; i < s.tile.pixels; ++i)
		for (std::int64_t o = 0; o < s.tile.channels; ++o) {
			const index5 out = s.out_at(i, o);
			const std::int64_t sum = i * s.tile.channels + o;
			if (!s.p.integer) {
				if (!finish_real(s.mem, s.p.tail, s.p.out, out, s.real[sum]))
					return false;
				continue;
			}
			float scale;
			std::int32_t zero_point;
			if (!read_quant(s.mem, s.p.weight, s.weight_at(o, {}, 0), scale, zero_point) ||
			    !finish_integer(s.mem, s.p.tail, s.p.out, s.p.exact, out, s.integer[sum],
					    s.p.in.quant.scale * scale))
				return false;
		}
	return true;
}

} // namespace

/*
 * acc = sum over kh, kw, c of in[n, h, w, c] * weight, in this order.
 * CONV2D: h = h' * stride - pad + kh * dilation.
 * CONVT2D: h' = h * stride - pad + kh * dilation; a tap that has no such h adds nothing.
 * Outside the input it is 0.
 * Floats: one f32 accumulator an output, product and sum rounded each. i8/u8: i32 modulo
 * 2^32, zero points taken off before. Then the epilogue.
 */
void conv(const conv_plan &p, memory &mem, scratch &work, const conv_tile &tile)
{
	constexpr auto words = [](std::int64_t n) { return static_cast<std::size_t>(n) * 4; };
	std::byte *x = work.get(0, words(chunk));
	std::byte *w = work.get(1, words(conv_channels * chunk));
	std::byte *acc = work.get(2, words(conv_pixels * conv_channels));
	state s{p, mem, tile, reinterpret_cast<float *>(acc), reinterpret_cast<std::uint32_t *>(acc),
		reinterpret_cast<float *>(x), reinterpret_cast<float *>(w), reinterpret_cast<std::int32_t *>(x),
		reinterpret_cast<std::int32_t *>(w), work.get(3, words(chunk)), {}};
	for (std::int64_t o = 0; p.integer && o < tile.channels; ++o) {
		float scale;
		if (!read_quant(mem, p.weight, s.weight_at(o, {}, 0), scale, s.zero_points[o]))
			return;
	}

	const std::size_t bytes = words(tile.pixels * tile.channels);
	const std::int64_t chunks = (p.in_channels + chunk - 1) / chunk, steps = p.window.taps() * chunks;
	tile_progress &kept = mem.progress();
	if (kept.k)
		std::memcpy(acc, kept.sums.data(), bytes);
	else
		std::memset(acc, 0, bytes);
	for (std::int64_t step = kept.k; step < steps; ++step) {
		if (mem.interrupted()) {
			kept.sums.assign(acc, acc + bytes);
			kept.k = step;
			return;
		}
		const std::int64_t c0 = step % chunks * chunk, t = step / chunks;
		const tap at = {t / p.window.w.kernel, t % p.window.w.kernel};
		if (!accumulate(s, at, c0, std::min(chunk, p.in_channels - c0)))
			return;
	}
	finish_all(s);
}

} // namespace atom::engine::reference
