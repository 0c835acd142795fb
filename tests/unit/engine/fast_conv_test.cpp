/* SPDX-License-Identifier: MIT */
/*
 * CONV2D and CONVT2D of the fast engine against the reference on random commands: integers to
 * the bit, floats within the bound, wherever operands lie and whatever the host can map.
 */
#include "random_convs.h"

namespace atom::engine::test {
namespace {

class FastConv : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, FastConv, instruction_sets(), instruction_set_name);

/* Runs the command on @p start by the reference, and by the engine wherever the memory lies; says @p which where they differ. */
void expect_same(const atom_cmd_conv2d &c, const arena &start, const std::string &which)
{
	arena expected = start;
	const outcome reference = run(c, expected, true);
	ASSERT_EQ(reference.why.code, ATOM_FAULT_NONE) << which << " field " << reference.why.field;
	for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
		arena mem = start;
		const outcome fast = run(bytes_of(c), mem, false, how);
		EXPECT_EQ(fast.breach, "");
		EXPECT_TRUE(mem == expected) << which << " mapping " << static_cast<int>(how);
	}
}

TEST_P(FastConv, IsTheSameOrNear)
{
	unsigned decoded = 0;
	for (unsigned seed = 0; seed < 120; ++seed) {
		generator g(7000 + seed);
		const bool integer = g.below(2);
		const auto c = random_command(g, integer);
		arena expected(random_memory_bytes);
		g.fill(expected, 0);
		if (!integer)
			fill_with_floats(g, expected);
		const arena start = expected;
		const outcome reference = run(c, expected, true);
		ASSERT_TRUE(reference.decoded) << "seed " << seed << " code " << reference.why.code << " field " << reference.why.field;
		ASSERT_EQ(reference.breach, "");
		++decoded;
		for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
			arena mem = start;
			const outcome fast = run(bytes_of(c), mem, false, how);
			ASSERT_EQ(fast.breach, "") << "seed " << seed;
			ASSERT_EQ(fast.why.code, ATOM_FAULT_NONE) << "seed " << seed;
			if (integer)
				ASSERT_TRUE(mem == expected) << "seed " << seed << " mapping " << static_cast<int>(how);
			else
				expect_near(mem, expected, float_bound(c), seed);
		}
	}
	EXPECT_EQ(decoded, 120u);
}

TEST_P(FastConv, ChannelsThatArePlanesGiveTheSame)
{
	static constexpr unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
	for (unsigned seed = 0; seed < 24; ++seed) {
		generator g(9000 + seed);
		const std::uint64_t h = 1 + g.below(9), w = seed % 4 ? 1 + g.below(40) : 1100, channels = 1 + g.below(6), groups = g.below(2) ? 1 : channels;
		auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
		c.window = {3, 3, 1 + seed % 2, 1, 1, 1, 1, 1, 1, 1};
		c.groups = static_cast<std::uint32_t>(groups);
		const std::uint64_t oh = (h - 1) / c.window.stride_h + 1;
		c.in = quantised(dense(g.one_of(bytes), 0, {2, h, w, channels}), 0.5f, 3);
		c.in.strides[3] = h * w;
		c.in.strides[2] = 1;
		c.in.strides[1] = w;
		c.weight = quantised(dense(ATOM_DTYPE_I8, 1 << 18, {2 * groups, 3, 3, channels / groups}), 0.5f, 0);
		c.out = dense(ATOM_DTYPE_I32, 1 << 19, {2, oh, w, 2 * groups});
		arena start(random_memory_bytes);
		g.fill(start, 0);
		expect_same(c, start, "seed " + std::to_string(seed));
	}
}

TEST_P(FastConv, LargeLayersAreCutIntoTilesThatGiveTheSame)
{
	struct layer {
		std::uint64_t h, w, c, o;
		std::uint32_t kernel, stride, groups;
		std::int32_t zero_point = 3;
	};
	/* By rows, by columns, by channels, by groups; with several blocks of weights for few pixels. */
	static constexpr layer layers[] = {
		{60, 40, 32, 48, 3, 1, 1}, {1, 2500, 24, 40, 1, 1, 1}, {7, 7, 64, 600, 3, 2, 1}, {9, 9, 1100, 1100, 3, 1, 1100}, {20, 31, 96, 96, 3, 2, 12},
		{5, 5, 256, 320, 3, 1, 1}, {7, 7, 256, 320, 3, 1, 1, 0}, {1, 40, 1024, 600, 1, 1, 1},
	};
	for (const layer &l : layers) {
		const std::uint32_t pad = l.kernel / 2;
		auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
		c.window = {l.kernel, l.kernel, l.stride, l.stride, 1, 1, pad, pad, pad, pad};
		c.groups = l.groups;
		const std::uint64_t oh = (l.h - 1) / l.stride + 1, ow = (l.w - 1) / l.stride + 1;
		c.in = quantised(dense(ATOM_DTYPE_I8, 0, {1, l.h, l.w, l.c}), 0.5f, l.zero_point);
		c.weight = quantised(dense(ATOM_DTYPE_I8, 1 << 18, {l.o, l.kernel, l.kernel, l.c / l.groups}), 0.5f, 0);
		c.out = dense(ATOM_DTYPE_I32, 1 << 20, {1, oh, ow, l.o});
		arena expected(random_memory_bytes);
		generator g(l.h);
		g.fill(expected, 0);
		const arena start = expected;
		ASSERT_EQ(run(c, expected, true).why.code, ATOM_FAULT_NONE);
		fault why;
		const atom_arg args[] = {whole(expected)};
		EXPECT_GT(decode(bytes_of(c), args, {.reference = false}, why)->tiles(), 1u);
		arena mem = start;
		const outcome fast = run(c, mem, false);
		EXPECT_EQ(fast.breach, "");
		EXPECT_TRUE(mem == expected) << l.h << " x " << l.w;
	}
}

/* Weights that are multiplied where they lie, with rows that need not all taps, and columns of a last few. */
TEST_P(FastConv, LongWeightsOfFewPixelsGiveTheSame)
{
	static constexpr unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
	for (unsigned seed = 0; seed < 24; ++seed) {
		generator g(9300 + seed);
		const bool pointwise = g.below(2);
		const std::uint64_t size = 1 + g.below(8), channels = pointwise ? 4096 + 64 * g.below(9) : 512, outputs = 50 + g.below(9);
		const std::uint32_t kernel = pointwise ? 1 : 3, pad = kernel / 2, stride = 1 + g.below(2);
		auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
		c.window = {kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad};
		c.groups = 1;
		const std::uint64_t o = (size - 1) / stride + 1;
		c.in = quantised(dense(g.one_of(bytes), 0, {1, size, size, channels}), 0.5f, g.below(2) ? 0 : 3);
		c.weight = quantised(dense(g.one_of(bytes), 1 << 19, {outputs, kernel, kernel, channels}), 0.5f, g.below(2) ? 0 : 2);
		c.out = dense(ATOM_DTYPE_I32, 1 << 20, {1, o, o, outputs});
		arena expected(random_memory_bytes);
		g.fill(expected, 0);
		arena mem = expected;
		const outcome reference = run(c, expected, true);
		ASSERT_EQ(reference.why.code, ATOM_FAULT_NONE) << "seed " << seed << " field " << reference.why.field;
		EXPECT_EQ(run(c, mem, false).breach, "");
		EXPECT_TRUE(mem == expected) << "seed " << seed;
	}
}

TEST_P(FastConv, LongBf16WeightsOfFewPixelsAreNear)
{
	constexpr std::uint64_t channels = 2304, outputs = 41;
	constexpr unsigned seed = 1, one = 0x3f80;
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
	c.groups = 1;
	c.in = dense(ATOM_DTYPE_BF16, 0, {1, 7, 7, channels});
	c.weight = dense(ATOM_DTYPE_BF16, 1 << 19, {outputs, 1, 1, channels});
	c.out = dense(ATOM_DTYPE_F32, 1 << 20, {1, 7, 7, outputs});
	arena expected(random_memory_bytes);
	generator g(seed);
	for (std::uint64_t i = 0; i < random_memory_bytes / 2; ++i)
		expected.at<std::uint16_t>(0)[i] = static_cast<std::uint16_t>((g.below(2) << 15) + one + g.below(0x80));
	arena mem = expected;
	ASSERT_EQ(run(c, expected, true).why.code, ATOM_FAULT_NONE);
	EXPECT_EQ(run(c, mem, false).breach, "");
	expect_near(mem, expected, 0x1p-9, seed);
}

/* What the register tiles make of sums: panels, pairs of pixels and of lines, blocks of weights before, pads and holes. */
TEST_P(FastConv, FloatsWhoseSumsAreExactHaveTheBitsOfTheReference)
{
	constexpr std::uint64_t weight_at = 1 << 18, bias_at = 2 << 20, residual_at = bias_at + (1 << 14), out_at = 5 << 19;
	struct layer {
		std::uint64_t h, w, c, o;
		std::uint32_t kernel, groups = 1;
		unsigned in = ATOM_DTYPE_F32, out = ATOM_DTYPE_F32;
		std::uint64_t hole = 0; ///< bytes between rows of the output
		bool residual = true;
		float unit = 1;
	};
	static constexpr layer layers[] = {
		{5, 28, 40, 64, 1},                                                         /* pairs in a line */
		{3, 28, 40, 64, 3, 1, ATOM_DTYPE_BF16, ATOM_DTYPE_BF16},
		{9, 7, 40, 96, 3},                                                          /* pairs of lines */
		{9, 7, 40, 96, 3, 1, ATOM_DTYPE_BF16, ATOM_DTYPE_F16},
		{7, 7, 300, 64, 3},                                                         /* the last row needs nothing of the last block */
		{7, 9, 300, 64, 3, 1, ATOM_DTYPE_BF16},
		{1, 40, 1100, 64, 1},                                                       /* blocks of channels */
		{1, 10, 300, 1280, 1},                                                      /* blocks of columns */
		{5, 9, 24, 128, 3, 2, ATOM_DTYPE_F32, ATOM_DTYPE_F16},                      /* groups */
		{6, 14, 40, 64, 3, 1, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 192},
		{6, 7, 40, 64, 3, 1, ATOM_DTYPE_BF16, ATOM_DTYPE_BF16, 64, false},
		{3, 28, 40, 64, 3, 1, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 0, false, 0x1p-70F}, /* subnormal products */
		{8, 7, 40, 64, 3, 1, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 0, true, 0x1p-70F},
		{5, 28, 40, 72, 3},                                                         /* a last panel that is not full */
	};
	static constexpr unsigned activations[] = {ATOM_FN_IDENTITY, ATOM_FN_RELU, ATOM_FN_CLIP};
	unsigned number = 0;
	for (const layer &l : layers) {
		const std::uint32_t pad = l.kernel / 2;
		const float unit = l.unit * l.unit;
		auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
		c.window = {l.kernel, l.kernel, 1, 1, 1, 1, pad, pad, pad, pad};
		c.groups = l.groups;
		c.in = dense(l.in, 0, {1, l.h, l.w, l.c});
		c.weight = dense(l.in, weight_at, {l.o, l.kernel, l.kernel, l.c / l.groups});
		c.out = dense(l.out, out_at, {1, l.h, l.w, l.o});
		c.out.strides[1] += l.hole;
		c.epilogue.bias = dense(ATOM_DTYPE_F32, bias_at, {1, l.h, l.w, l.o});
		for (unsigned i = 0; i < 3; ++i)
			c.epilogue.bias.strides[i] = 0;
		if (l.residual)
			c.epilogue.residual = dense(ATOM_DTYPE_F32, residual_at, {1, l.h, l.w, l.o});
		c.epilogue.activation = static_cast<std::uint16_t>(activations[number++ % 3]);
		if (c.epilogue.activation == ATOM_FN_CLIP) {
			c.epilogue.p0 = -30 * unit;
			c.epilogue.p1 = 50 * unit;
		}
		arena start(4 << 20);
		generator g(number);
		fill_exactly(g, start, c.in, l.unit);
		fill_exactly(g, start, c.weight, l.unit);
		fill_exactly(g, start, dense(ATOM_DTYPE_F32, bias_at, {l.o}), 3 * unit);
		if (l.residual)
			fill_exactly(g, start, c.epilogue.residual, 5 * unit);
		expect_same(c, start, "layer " + std::to_string(number));
	}
}

/* The same of integers: terms of zero points, bias and scales of columns, in any block of weights. */
TEST_P(FastConv, BytesThatTilesMakeAreTheReferences)
{
	constexpr std::uint64_t weight_at = 1 << 18, scales_at = 2 << 20, bias_at = scales_at + (1 << 14), out_at = bias_at + (1 << 14),
				residual_at = 3 << 20;
	struct layer {
		std::uint64_t h, w, c, o;
		std::uint32_t kernel, groups = 1;
		unsigned in = ATOM_DTYPE_U8, weight = ATOM_DTYPE_I8, out = ATOM_DTYPE_U8;
		std::int32_t zero = 0, weight_zero = 0;
		std::uint64_t hole = 0; ///< bytes between rows of the output
		unsigned bias = ATOM_DTYPE_I32;
		unsigned residual = ATOM_DTYPE_NONE;
		float out_scale = 700;
	};
	static constexpr layer layers[] = {
		{5, 28, 40, 64, 1},                                                           /* pairs in a line */
		{3, 29, 40, 64, 3, 1, ATOM_DTYPE_I8, ATOM_DTYPE_I8, ATOM_DTYPE_I8, 5},        /* and an odd pixel */
		{9, 7, 40, 96, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 128},       /* pairs of lines */
		{9, 7, 40, 96, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_U8, ATOM_DTYPE_I8, 0, 0, 0, ATOM_DTYPE_I32, ATOM_DTYPE_NONE, 3e4F},
		{5, 5, 900, 64, 3},                                                           /* rows need nothing of the last block */
		{5, 9, 900, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 7},
		{1, 40, 4400, 64, 1, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 3},      /* blocks of channels */
		{1, 40, 4400, 64, 1},
		{1, 2, 2000, 640, 1, 1, ATOM_DTYPE_I8, ATOM_DTYPE_U8, ATOM_DTYPE_I8, -9, 0, 0, ATOM_DTYPE_I32, ATOM_DTYPE_NONE, 8e3F}, /* blocks of columns */
		{5, 9, 24, 128, 3, 2, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 1},        /* groups */
		{6, 14, 40, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_I8, 0, 0, 192},
		{6, 7, 40, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 2, 0, 64, ATOM_DTYPE_NONE},
		{6, 7, 40, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 2, 3},      /* not by tiles: zero points of weights, */
		{6, 7, 40, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 2, 0, 0, ATOM_DTYPE_F32}, /* bias of floats, */
		{6, 7, 40, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 0, 0, 0, ATOM_DTYPE_I32, ATOM_DTYPE_F32},
		{6, 7, 40, 64, 3, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_F32},
		{6, 7, 4, 64, 1, 1, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, 0, 0, 0, ATOM_DTYPE_I32, ATOM_DTYPE_NONE, 0.75F}, /* large factors */
		{6, 7, 40, 72, 3},                                                            /* a last panel that is not full */
	};
	static constexpr unsigned activations[] = {ATOM_FN_IDENTITY, ATOM_FN_RELU, ATOM_FN_CLIP};
	unsigned number = 0;
	for (const layer &l : layers) {
		const unsigned activation = activations[number++ % 3];
		const std::uint32_t pad = l.kernel / 2;
		auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
		c.window = {l.kernel, l.kernel, 1, 1, 1, 1, pad, pad, pad, pad};
		c.groups = l.groups;
		c.in = quantised(dense(l.in, 0, {1, l.h, l.w, l.c}), 0.5f, l.zero);
		c.weight = quantised(dense(l.weight, weight_at, {l.o, l.kernel, l.kernel, l.c / l.groups}), 1, l.weight_zero);
		if (l.weight_zero == 0)
			c.weight.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 0, .slot = 1, .scale = 0, .zero_point = 0,
					  .flags = 0, .scale_offset = scales_at, .zero_point_offset = 0};
		c.out = dense(l.out, out_at, {1, l.h, l.w, l.o});
		if (l.out != ATOM_DTYPE_F32)
			c.out = quantised(c.out, l.out_scale, l.out == ATOM_DTYPE_U8 ? 101 : -17);
		c.out.strides[1] += l.hole;
		if (l.bias != ATOM_DTYPE_NONE)
			c.epilogue.bias = dense(l.bias, bias_at, {1, l.h, l.w, l.o});
		for (unsigned i = 0; i < 3; ++i)
			c.epilogue.bias.strides[i] = 0;
		if (l.residual != ATOM_DTYPE_NONE)
			c.epilogue.residual = dense(l.residual, residual_at, {1, l.h, l.w, l.o});
		c.epilogue.activation = static_cast<std::uint16_t>(activation);
		if (activation == ATOM_FN_CLIP) {
			c.epilogue.p0 = -41 * l.out_scale;
			c.epilogue.p1 = 63.5f * l.out_scale;
		}
		arena start(4 << 20);
		generator g(number);
		for (std::uint64_t i = 0; i < scales_at; ++i)
			*start.at<std::uint8_t>(i) = static_cast<std::uint8_t>(g.below(256));
		for (unsigned i = 0; i < l.o; ++i) {
			start.at<float>(scales_at)[i] = 0.5f + static_cast<float>(g.below(64)) / 64;
			start.at<std::int32_t>(bias_at)[i] = static_cast<std::int32_t>(g.below(200000)) - 100000;
		}
		for (std::uint64_t i = 0; i < l.h * l.w * l.o && l.residual != ATOM_DTYPE_NONE; ++i)
			start.at<float>(residual_at)[i] = static_cast<float>(g.below(100)) * l.out_scale;
		expect_same(c, start, "layer " + std::to_string(number));
	}
}

/* Products with pads are left out of tiles whose pixels are at an end of a row: of one line, of two, of weights where they lie. */
TEST_P(FastConv, PadsThatAreLeftOutGiveTheSame)
{
	static constexpr unsigned types[] = {ATOM_DTYPE_U8, ATOM_DTYPE_BF16, ATOM_DTYPE_F32};
	static constexpr std::uint64_t widths[] = {7, 14, 21, 28, 56};
	constexpr std::uint64_t weight_at = 1 << 19, bias_at = 7 << 18, out_at = 2 << 20;
	for (unsigned seed = 0; seed < 48; ++seed) {
		generator g(9600 + seed);
		const unsigned type = types[seed % 3], bytes = type == ATOM_DTYPE_U8 ? 1 : type == ATOM_DTYPE_BF16 ? 2 : 4;
		const bool lines = seed % 8 == 7; /* long weights of few pixels */
		const bool wide = seed % 8 == 3;  /* rows that are cut */
		const auto some = [&](unsigned most) { return 1 + g.below(most); };
		auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
		c.window = {some(3), lines ? 3 : some(4), some(2), some(2), 1, some(2), g.below(3), g.below(3), g.below(3), g.below(3)};
		if (wide)
			c.window = {3, 3, 1, 1, 1, 1, g.below(3), 1, g.below(3), 1};
		c.groups = 1;
		const std::uint64_t h = lines ? 7 : wide ? 1 : some(9), w = lines ? 7 : wide ? 56 : g.one_of(widths), o = lines ? 50 : 64 + 8 * g.below(2);
		const std::uint64_t channels = lines ? 4608 / bytes / c.window.kernel_h / 64 * 64 : (128 + 32 * g.below(2)) / bytes;
		/* As many rows and columns of the input as give those outputs, or some more that nothing reads. */
		const auto input = [&](std::uint64_t outputs, std::uint32_t kernel, std::uint32_t stride, std::uint32_t dilation,
				       std::uint32_t pads) {
			const std::uint64_t reach = (outputs - 1) * stride + std::uint64_t{dilation} * (kernel - 1) + 1;
			return std::max<std::uint64_t>(reach, pads + 1) - pads;
		};
		const std::uint64_t in_h = input(h, c.window.kernel_h, c.window.stride_h, 1, c.window.pad_top + c.window.pad_bottom);
		const std::uint64_t in_w =
			input(w, c.window.kernel_w, c.window.stride_w, c.window.dilation_w, c.window.pad_left + c.window.pad_right);
		const auto outputs = [](std::uint64_t size, std::uint32_t kernel, std::uint32_t stride, std::uint32_t dilation,
					std::uint32_t pads) {
			return (size + pads - std::uint64_t{dilation} * (kernel - 1) - 1) / stride + 1;
		};
		const std::uint64_t oh =
			outputs(in_h, c.window.kernel_h, c.window.stride_h, 1, c.window.pad_top + c.window.pad_bottom);
		const std::uint64_t ow = outputs(in_w, c.window.kernel_w, c.window.stride_w, c.window.dilation_w,
						 c.window.pad_left + c.window.pad_right);
		c.in = dense(type, 0, {1, in_h, in_w, channels});
		c.weight = dense(type == ATOM_DTYPE_U8 ? unsigned{ATOM_DTYPE_I8} : type, weight_at,
				 {o, c.window.kernel_h, c.window.kernel_w, channels});
		c.out = dense(type == ATOM_DTYPE_U8 ? ATOM_DTYPE_I32 : ATOM_DTYPE_F32, out_at, {1, oh, ow, o});
		c.epilogue.bias = dense(c.out.dtype, bias_at, {1, oh, ow, o});
		for (unsigned i = 0; i < 3; ++i)
			c.epilogue.bias.strides[i] = 0;
		arena expected(4 << 20);
		/* Of usual size, or such that products are subnormal. */
		const float unit = type == ATOM_DTYPE_F32 && seed % 4 == 3 ? 0x1p-70F : 1;
		if (type == ATOM_DTYPE_U8) {
			c.in = quantised(c.in, 0.5f, seed % 4 ? 0 : 3); /* pads that are not 0 are not left out */
			c.weight = quantised(c.weight, 0.5f, seed % 5 ? 0 : 2);
			for (std::uint64_t i = 0; i < bias_at; ++i)
				*expected.at<std::uint8_t>(i) = static_cast<std::uint8_t>(g.below(256));
		} else {
			fill_exactly(g, expected, c.in, unit);
			fill_exactly(g, expected, c.weight, unit);
		}
		fill_exactly(g, expected, dense(ATOM_DTYPE_F32, bias_at, {o}), unit * unit);
		arena mem = expected;
		const outcome reference = run(c, expected, true);
		ASSERT_EQ(reference.why.code, ATOM_FAULT_NONE) << "seed " << seed << " field " << reference.why.field;
		EXPECT_EQ(run(c, mem, false).breach, "");
		EXPECT_TRUE(mem == expected) << "seed " << seed << ": " << oh << " x " << ow << ", " << channels << " channels";
	}
}

/*
 * One pixel whose products are subnormal, which may count as 0 (section 7 of the spec): in either run of a tile, in any block of
 * channels or of columns, strides between.
 */
TEST_P(FastConv, SubnormalSumsOfBf16StayOrGoWithoutHarmToOthers)
{
	struct layer {
		std::uint64_t w, c, o;
		std::uint32_t stride = 1;
	};
	static constexpr layer layers[] = {{28, 40, 64}, {28, 40, 64, 2}, {15, 256, 4096}, {14, 1100, 64}, {7, 2304, 41}};
	constexpr std::uint64_t weight_at = 1 << 18, out_at = 3 << 20;
	for (const layer &l : layers)
		for (const std::uint64_t pixel : {std::uint64_t{0}, l.w / 2, l.w - 1}) {
			auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
			c.window = {1, 1, l.stride, l.stride, 1, 1, 0, 0, 0, 0};
			c.groups = 1;
			c.in = dense(ATOM_DTYPE_BF16, 0, {1, 1, (l.w - 1) * l.stride + 1, l.c});
			c.weight = dense(ATOM_DTYPE_BF16, weight_at, {l.o, 1, 1, l.c});
			c.out = dense(ATOM_DTYPE_F32, out_at, {1, 1, l.w, l.o});
			arena expected(4 << 20);
			generator g(static_cast<unsigned>(l.c + pixel));
			fill_exactly(g, expected, c.in, 1);
			fill_exactly(g, expected, dense(ATOM_DTYPE_BF16, pixel * l.stride * l.c * 2, {l.c}), 0x1p-70F);
			fill_exactly(g, expected, c.weight, 0x1p-70F);
			arena mem = expected;
			ASSERT_EQ(run(c, expected, true).why.code, ATOM_FAULT_NONE);
			EXPECT_EQ(run(c, mem, false).breach, "");
			const float lost = static_cast<float>(l.c) * 0x1p-126F;
			for (std::uint64_t i = pixel * l.o; i < (pixel + 1) * l.o; ++i) {
				float *result = mem.at<float>(out_at) + i, *exact = expected.at<float>(out_at) + i;
				ASSERT_LE(std::fabs(*result - *exact), lost) << l.c << " channels, pixel " << pixel;
				*result = *exact;
			}
			EXPECT_TRUE(mem == expected) << l.w << " pixels of " << l.c << " channels, pixel " << pixel;
		}
}

struct depthwise_layer {
	std::uint64_t h, w, c;
	std::uint32_t kernel, stride, pad, dilation = 1;
};

/* 0: sums; 1: bias and bounds; 2: a residual, too; 3: outputs of another type; 4: an activation that is none of bounds; 5: all of that. */
constexpr unsigned depthwise_ends = 6;

atom_cmd_conv2d depthwise_command(const depthwise_layer &l, unsigned type, unsigned end)
{
	constexpr std::uint64_t weight_at = 1 << 19, bias_at = 600 << 10, residual_at = 1 << 20, out_at = 2 << 20;
	const bool bytes = size_of(type) == 1;
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.window = {l.kernel, l.kernel, l.stride, l.stride, l.dilation, l.dilation, l.pad, l.pad, l.pad, l.pad};
	c.groups = static_cast<std::uint32_t>(l.c);
	const auto outputs = [&](std::uint64_t n) { return (n + 2 * l.pad - l.dilation * (l.kernel - 1) - 1) / l.stride + 1; };
	const std::vector<std::uint64_t> out = {1, outputs(l.h), outputs(l.w), l.c};
	c.in = dense(type, 0, {1, l.h, l.w, l.c});
	c.weight = dense(bytes ? unsigned{ATOM_DTYPE_I8} : type, weight_at, {l.c, l.kernel, l.kernel, 1});
	if (bytes) {
		c.in = quantised(c.in, 0.5f, end % 2 ? 3 : 0);
		c.weight = quantised(c.weight, 0.5f, end > 3 ? 2 : 0);
		c.out = end == 0 ? dense(ATOM_DTYPE_I32, out_at, out) : quantised(dense(type, out_at, out), 0.25f, 9);
	} else {
		const unsigned other = type == ATOM_DTYPE_BF16 ? ATOM_DTYPE_BF16 : ATOM_DTYPE_F16;
		c.out = dense(end == 3 || end == 5 ? other : unsigned{ATOM_DTYPE_F32}, out_at, out);
	}
	if (end > 0) {
		c.epilogue.bias = dense(bytes ? ATOM_DTYPE_I32 : ATOM_DTYPE_F32, bias_at, out);
		for (unsigned i = 0; i < 3; ++i)
			c.epilogue.bias.strides[i] = 0;
		c.epilogue.activation = end < 4 ? ATOM_FN_CLIP : ATOM_FN_HARD_SWISH;
		c.epilogue.p0 = end < 4 ? -20 : 0;
		c.epilogue.p1 = end < 4 ? 6 : 0;
	}
	if (end == 2 || end == 5)
		c.epilogue.residual = dense(end == 2 ? ATOM_DTYPE_F32 : ATOM_DTYPE_BF16, residual_at, out);
	return c;
}

/* Small numbers, so that sums are exact, whether an image is read where it lies or not, and whatever the outputs become. */
TEST_P(FastConv, DepthwiseSumsAreExact)
{
	/* Few and many outputs with pads or none; channels that fill vectors, or some, or none; an image wider than the first cache. */
	static constexpr depthwise_layer layers[] = {
		{40, 30, 32, 3, 1, 1}, {31, 45, 48, 5, 2, 2}, {30, 31, 16, 3, 2, 1}, {23, 70, 20, 3, 1, 1}, {3, 3, 64, 5, 1, 2},
		{20, 20, 48, 3, 1, 0}, {7, 7, 200, 5, 1, 2},  {14, 14, 88, 3, 1, 1}, {9, 9, 72, 3, 1, 2, 2}, {4, 300, 40, 3, 1, 1},
		{5, 8, 7, 3, 1, 1},    {4, 5, 130, 3, 1, 5},  {9, 9, 16, 17, 1, 8},
	};
	for (const depthwise_layer &l : layers)
		for (const unsigned type : {ATOM_DTYPE_F32, ATOM_DTYPE_BF16, ATOM_DTYPE_U8, ATOM_DTYPE_I8})
			for (unsigned end = 0; end < depthwise_ends; ++end) {
				const auto c = depthwise_command(l, type, end);
				arena start(3 << 20);
				generator g(static_cast<unsigned>(l.h + end));
				fill_exactly(g, start, c.in);
				fill_exactly(g, start, c.weight);
				if (c.epilogue.bias.dtype == ATOM_DTYPE_I32)
					std::memset(start.at<std::byte>(c.epilogue.bias.offset), 0x01, 2 * l.c);
				else if (end > 0)
					fill_exactly(g, start, dense(ATOM_DTYPE_F32, c.epilogue.bias.offset, {l.c}));
				if (c.epilogue.residual.dtype != ATOM_DTYPE_NONE)
					fill_exactly(g, start, c.epilogue.residual);
				expect_same(c, start, std::to_string(l.h) + " x " + std::to_string(l.w) + " x " + std::to_string(l.c) + ", type " +
							      std::to_string(type) + ", end " + std::to_string(end));
			}
}

/* Outputs a stride of many rows apart, of an image that strides of 0 make out of one page: what is between them is not for the host to hold. */
TEST(ConvolutionTiles, NeedBoundedMemory)
{
	struct shape {
		std::uint64_t h, w, c;
		std::uint32_t groups, kernel_h, stride_h, stride_w;
	};
	static constexpr shape shapes[] = {
		{200001, 200, 16, 16, 2, 99999, 1}, {2000001, 200, 2, 1, 2, 999999, 1}, {2, 90000000, 4, 4, 1, 1, 9999999},
		{3, 2000000, 2, 2, 1, 1, 1},        {5000001, 20, 18, 18, 2, 999999, 1}, {400001, 29, 1, 1, 2, 99999, 2},
	};
	for (const unsigned type : {ATOM_DTYPE_F16, ATOM_DTYPE_U8})
		for (const shape &l : shapes) {
			auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
			c.window = {l.kernel_h, 1, l.stride_h, l.stride_w, 1, 1, 0, 0, 0, 0};
			c.groups = l.groups;
			c.in = dense(type, 0, {1, l.h, l.w, l.c});
			std::memset(c.in.strides, 0, sizeof c.in.strides);
			c.weight = dense(type, 4096, {l.c, l.kernel_h, 1, l.c / l.groups});
			c.out = dense(type == ATOM_DTYPE_U8 ? ATOM_DTYPE_I32 : ATOM_DTYPE_F32, 1 << 20,
				      {1, (l.h - l.kernel_h) / l.stride_h + 1, (l.w - 1) / l.stride_w + 1, l.c});
			arena mem(64 << 20);
			const atom_arg args[] = {whole(mem)};
			fault why;
			const auto op = decode(bytes_of(c), args, {}, why);
			ASSERT_TRUE(op) << why.code << ", field " << why.field << ": " << l.h << " x " << l.w;
			fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
			scratch work;
			op->run(0, m, work);
			EXPECT_FALSE(m.failed());
			EXPECT_LT(work.held(), std::size_t{128} << 20) << l.h << " x " << l.w << " x " << l.c;
		}
}

/* For two threads to share. */
TEST(ConvolutionTiles, AreOneOrAnEvenNumber)
{
	for (const std::uint64_t side : {7, 14, 30, 56})
		for (const std::uint64_t in : {24, 192, 672})
			for (const std::uint64_t out : {16, 24, 112, 192, 320, 672, 1000, 1152, 1280}) {
				auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
				c.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
				c.groups = 1;
				c.in = dense(ATOM_DTYPE_F32, 0, {1, side, side, in});
				c.weight = dense(ATOM_DTYPE_F32, 0, {out, 1, 1, in});
				c.out = dense(ATOM_DTYPE_F32, 32 << 20, {1, side, side, out});
				const atom_arg args[] = {{.va = 1 << 20, .bytes = 64 << 20}};
				fault why;
				const auto op = decode(bytes_of(c), args, {}, why);
				ASSERT_TRUE(op) << "field " << why.field;
				EXPECT_TRUE(op->tiles() == 1 || op->tiles() % 2 == 0)
					<< op->tiles() << ": " << side << " x " << side << ", " << in << " to " << out;
			}
}

} // namespace
} // namespace atom::engine::test
