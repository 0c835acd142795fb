/* SPDX-License-Identifier: MIT */
/**
 * @file random_convs.h
 * @brief Random CONV2D and CONVT2D of all kinds, and how near the fast engine has to come.
 */
#pragma once

#include <bit>

#include "random_commands.h"

namespace atom::engine::test {

inline std::uint32_t small(generator &g, unsigned most) { return g.rarely() ? 1 + g.below(most) : 1; }

/* Kinds of layers: dense, 1 x 1, depthwise, groups, first layers. */
inline void random_channels(generator &g, std::uint64_t &in, std::uint64_t &out, std::uint32_t &groups)
{
	groups = 1;
	in = 1 + g.below(g.rarely() ? 300 : 20);
	out = 1 + g.below(g.rarely() ? 300 : 40);
	switch (g.below(4)) {
	case 0:
		in = out = groups = 1 + g.below(70);
		break;
	case 1:
		groups = 2 + g.below(4);
		in = groups * (1 + g.below(9));
		out = groups * (1 + g.below(9));
		break;
	default:
		break;
	}
}

inline atom_cmd_conv2d random_geometry(generator &g, std::vector<std::uint64_t> &in, std::vector<std::uint64_t> &weight,
				std::vector<std::uint64_t> &out)
{
	auto c = command<atom_cmd_conv2d>(g.rarely() ? ATOM_OP_CONVT2D : ATOM_OP_CONV2D);
	const bool transposed = c.header.opcode == ATOM_OP_CONVT2D;
	std::uint64_t from, to;
	std::uint32_t groups;
	random_channels(g, from, to, groups);
	c.groups = groups;
	const bool pointwise = g.rarely();
	const auto kernel = [&] { return pointwise ? 1 : 1 + g.below(4); };
	c.window.kernel_h = kernel();
	c.window.kernel_w = kernel();
	c.window.stride_h = small(g, 3);
	c.window.stride_w = small(g, 3);
	c.window.dilation_h = small(g, 3);
	c.window.dilation_w = small(g, 3);
	if (g.below(2)) {
		c.window.pad_top = g.below(3);
		c.window.pad_left = g.below(3);
		c.window.pad_bottom = g.below(3);
		c.window.pad_right = g.below(3);
	}
	const auto extent = [&](std::uint64_t &size, std::uint32_t k, std::uint32_t stride, std::uint32_t dilation,
				std::uint32_t pads) {
		const std::uint64_t reach = dilation * (k - 1) + 1;
		size = std::max<std::uint64_t>(1 + g.below(12), reach + pads);
		return transposed ? (size - 1) * stride + reach - pads + g.below(stride) : (size + pads - reach) / stride + 1;
	};
	std::uint64_t h, w;
	const std::uint64_t oh = extent(h, c.window.kernel_h, c.window.stride_h, c.window.dilation_h,
					c.window.pad_top + c.window.pad_bottom);
	const std::uint64_t ow = extent(w, c.window.kernel_w, c.window.stride_w, c.window.dilation_w,
					c.window.pad_left + c.window.pad_right);
	const std::uint64_t n = 1 + (g.rarely() ? g.below(3) : 0);
	in = {n, h, w, from};
	out = {n, oh, ow, to};
	weight = transposed ? std::vector<std::uint64_t>{from, c.window.kernel_h, c.window.kernel_w, to / groups}
			    : std::vector<std::uint64_t>{to, c.window.kernel_h, c.window.kernel_w, from / groups};
	return c;
}

inline atom_tensor random_bias(generator &g, unsigned dtype, const std::vector<std::uint64_t> &out)
{
	if (g.rarely())
		return g.tensor(dtype, out, false);
	atom_tensor t = g.tensor(dtype, {1, 1, 1, out[3]}, false);
	for (unsigned i = 0; i < 3; ++i) {
		t.dims[i] = out[i];
		t.strides[i] = 0;
	}
	return t;
}

inline void quantise_weights(generator &g, atom_tensor &t, unsigned axis)
{
	if (g.rarely())
		return;
	do {
		t.quant = {};
		g.quantise(t);
	} while (t.quant.kind == ATOM_QUANT_PER_CHANNEL && t.quant.axis != axis);
}

inline atom_cmd_conv2d random_command(generator &g, bool integer)
{
	static constexpr unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
	static constexpr unsigned activations[] = {ATOM_FN_IDENTITY, ATOM_FN_RELU, ATOM_FN_CLIP, ATOM_FN_LEAKY_RELU};
	std::vector<std::uint64_t> in, weight, out;
	auto c = random_geometry(g, in, weight, out);
	const auto type = [&] { return integer ? g.one_of(bytes) : g.one_of(floats); };
	c.in = g.tensor(type(), in, false);
	c.weight = g.tensor(type(), weight, false);
	if (integer) {
		c.in = quantised(c.in, 0.05f, g.below(2) ? 7 : 0);
		quantise_weights(g, c.weight, c.header.opcode == ATOM_OP_CONVT2D ? 3 : 0);
	}
	const bool exact = integer && g.rarely();
	c.out = g.tensor(exact ? unsigned{ATOM_DTYPE_I32} : integer ? g.one_of(bytes) : unsigned{ATOM_DTYPE_F32}, out, true);
	if (!exact) {
		if (integer)
			g.quantise(c.out);
		c.epilogue.activation = static_cast<std::uint16_t>(g.one_of(activations));
		c.epilogue.p0 = c.epilogue.activation == ATOM_FN_CLIP ? -1 : c.epilogue.activation == ATOM_FN_LEAKY_RELU ? 0.25f : 0;
		c.epilogue.p1 = c.epilogue.activation == ATOM_FN_CLIP ? 6 : 0;
		if (g.rarely())
			c.epilogue.residual = g.tensor(g.one_of(floats), out, false);
	}
	if (g.below(2))
		c.epilogue.bias = random_bias(g, exact || (integer && g.below(2)) ? unsigned{ATOM_DTYPE_I32} : unsigned{ATOM_DTYPE_F32}, out);
	return c;
}

/* Where outputs differ they are both NaN or within the bound of section 7; integers and all else do not differ. */
inline void expect_near(arena &fast, arena &expected, double bound, unsigned seed)
{
	for (std::uint64_t i = 0; i < random_memory_bytes / 4; ++i) {
		if (*fast.at<std::uint32_t>(4 * i) == *expected.at<std::uint32_t>(4 * i))
			continue;
		const float x = fast.at<float>(0)[i], y = expected.at<float>(0)[i];
		ASSERT_NEAR(x, y, bound + std::fabs(y) * 0x1p-22) << "seed " << seed << " at " << 4 * i;
	}
}

/* f32 or bf16 of small multiples of @unit, whose sums are exact in any order, or such bytes. */
inline void fill_exactly(generator &g, arena &mem, const atom_tensor &t, float unit = 1)
{
	std::uint64_t count = 1;
	for (unsigned i = 0; i < t.rank; ++i)
		count *= t.dims[i];
	for (std::uint64_t i = 0; i < count; ++i) {
		const int small = static_cast<int>(g.below(9)) - 4;
		const float value = static_cast<float>(small) * unit;
		if (size_of(t.dtype) == 1)
			mem.at<std::int8_t>(t.offset)[i] = static_cast<std::int8_t>(small);
		else if (t.dtype == ATOM_DTYPE_F32)
			mem.at<float>(t.offset)[i] = value;
		else
			mem.at<std::uint16_t>(t.offset)[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
	}
}

/* Every half word is in [1, 2) as f16, below that as bf16, and two are as f32. */
inline void fill_with_floats(generator &g, arena &mem)
{
	for (std::uint64_t i = 0; i < arrays_at / 2; ++i)
		mem.at<std::uint16_t>(0)[i] = static_cast<std::uint16_t>((g.below(2) ? 0x3c00 : 0xbc00) + g.below(0x400));
}

/* Of the sums of what fill_with_floats() wrote: all products are below 4 in size. */
inline double float_bound(const atom_cmd_conv2d &c)
{
	const double terms = static_cast<double>(c.window.kernel_h * c.window.kernel_w) * static_cast<double>(c.in.dims[3]) / c.groups;
	return 0x1p-21 * std::sqrt(terms) * 4 * terms;
}

} // namespace atom::engine::test
