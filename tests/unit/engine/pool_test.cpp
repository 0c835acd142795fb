/* SPDX-License-Identifier: MIT */
/*
 * POOL2D: what it means, by small examples and by a plain computation in f64,
 * and the fast engine against the reference.
 */
#include <cmath>

#include <gtest/gtest.h>

#include "random_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t out_at = 8192, index_at = 12288;

atom_window square(unsigned kernel, unsigned stride, unsigned pad, unsigned dilation = 1)
{
	return {kernel, kernel, stride, stride, dilation, dilation, pad, pad, pad, pad};
}

/* An image of 1, 2, 3.. of one channel, or of whatever the test puts there. */
struct image {
	arena mem{16384};
	atom_cmd_pool2d c = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);

	image(unsigned kind, unsigned edge, unsigned out_edge, const atom_window &window, unsigned flags = 0)
	{
		c.header.flags = static_cast<std::uint16_t>(flags);
		c.kind = kind;
		c.window = window;
		c.in = dense(ATOM_DTYPE_F32, 0, {1, edge, edge, 1});
		c.out = dense(ATOM_DTYPE_F32, out_at, {1, out_edge, out_edge, 1});
		for (unsigned i = 0; i < edge * edge; ++i)
			mem.at<float>(0)[i] = static_cast<float>(i + 1);
	}
	template <class T> void is(const std::vector<T> &expected, bool reference)
	{
		const outcome o = run(c, mem, reference);
		ASSERT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
		ASSERT_EQ(o.why.code, ATOM_FAULT_NONE);
		ASSERT_EQ(o.breach, "");
		for (std::size_t i = 0; i < expected.size(); ++i)
			EXPECT_EQ(mem.at<T>(out_at)[i], expected[i]) << i;
	}
};

class Pool : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engine, Pool, testing::Bool(),
			 [](const auto &info) { return info.param ? "Reference" : "Fast"; });

TEST_P(Pool, TheLastWindowMayRunPastTheInput)
{
	image max(ATOM_POOL_MAX, 4, 2, square(3, 2, 0));
	max.is<float>({11, 12, 15, 16}, GetParam());
	/* What lies past the padded input does not count, with COUNT_PAD neither. */
	for (const unsigned flags : {0u, unsigned{ATOM_POOL_COUNT_PAD}}) {
		image average(ATOM_POOL_AVERAGE, 4, 2, square(3, 2, 0), flags);
		average.is<float>({6, 7.5f, 12, 13.5f}, GetParam());
	}
	image down(ATOM_POOL_MAX, 4, 1, square(3, 2, 0));
	down.is<float>({11}, GetParam());
}

TEST_P(Pool, DilationSpreadsTheTaps)
{
	image max(ATOM_POOL_MAX, 4, 2, square(2, 1, 0, 2));
	max.is<float>({11, 12, 15, 16}, GetParam());
	image average(ATOM_POOL_AVERAGE, 4, 2, square(2, 1, 0, 2));
	average.is<float>({6, 7, 10, 11}, GetParam());
}

TEST_P(Pool, PadsCountOnlyIfTheyAreToldTo)
{
	image inside(ATOM_POOL_AVERAGE, 2, 2, square(3, 1, 1));
	inside.is<float>({2.5f, 2.5f, 2.5f, 2.5f}, GetParam());
	image all(ATOM_POOL_AVERAGE, 2, 2, square(3, 1, 1), ATOM_POOL_COUNT_PAD);
	const float tenth = 10.0f / 9.0f;
	all.is<float>({tenth, tenth, tenth, tenth}, GetParam());
}

TEST_P(Pool, AWindowOfPadsAloneIsTheLeastOrNotANumber)
{
	image max(ATOM_POOL_MAX, 1, 3, square(1, 1, 1));
	const float none = -std::numeric_limits<float>::infinity();
	max.c.index = dense(ATOM_DTYPE_I64, index_at, {1, 3, 3, 1});
	max.is<float>({none, none, none, none, 1, none, none, none, none}, GetParam());
	EXPECT_EQ(max.mem.at<std::int64_t>(index_at)[0], -1);
	EXPECT_EQ(max.mem.at<std::int64_t>(index_at)[4], 0);

	image bytes(ATOM_POOL_MAX, 1, 3, square(1, 1, 1));
	bytes.c.in = dense(ATOM_DTYPE_I8, 0, {1, 1, 1, 1});
	bytes.c.out = dense(ATOM_DTYPE_I8, out_at, {1, 3, 3, 1});
	*bytes.mem.at<std::int8_t>(0) = -7;
	bytes.is<std::int8_t>({-128, -128, -128, -128, -7, -128, -128, -128, -128}, GetParam());

	image average(ATOM_POOL_AVERAGE, 1, 3, square(1, 1, 1));
	ASSERT_TRUE(run(average.c, average.mem, GetParam()).decoded);
	EXPECT_TRUE(std::isnan(average.mem.at<float>(out_at)[0]));
	EXPECT_EQ(average.mem.at<float>(out_at)[4], 1);
}

TEST_P(Pool, TheIndexIsOfTheFirstMaximumAndNanWins)
{
	const float nan = std::numeric_limits<float>::quiet_NaN();
	const float values[] = {5, 5, 1, 2, nan, 3, -1, nan, 5};
	image max(ATOM_POOL_MAX, 3, 2, square(2, 1, 0));
	std::copy(std::begin(values), std::end(values), max.mem.at<float>(0));
	max.c.index = dense(ATOM_DTYPE_I32, index_at, {1, 2, 2, 1});
	ASSERT_TRUE(run(max.c, max.mem, GetParam()).decoded);
	for (unsigned i = 0; i < 4; ++i) {
		EXPECT_TRUE(std::isnan(max.mem.at<float>(out_at)[i]));
		EXPECT_EQ(max.mem.at<std::int32_t>(index_at)[i], 4) << i;
	}
	max.mem.at<float>(0)[4] = 5;
	max.mem.at<float>(0)[7] = 5;
	ASSERT_TRUE(run(max.c, max.mem, GetParam()).decoded);
	const std::vector<std::int32_t> first = {0, 1, 4, 4};
	EXPECT_EQ(std::vector<std::int32_t>(max.mem.at<std::int32_t>(index_at), max.mem.at<std::int32_t>(index_at) + 4), first);
}

TEST_P(Pool, LpIsTheRootOfTheSumOfPowers)
{
	image lp(ATOM_POOL_LP, 2, 1, square(2, 1, 0));
	const float values[] = {-3, 4, 0, 0};
	std::copy(std::begin(values), std::end(values), lp.mem.at<float>(0));
	lp.c.p = 2;
	lp.is<float>({5}, GetParam());
	lp.c.p = 1;
	lp.is<float>({7}, GetParam());
	lp.c.p = 3;
	ASSERT_TRUE(run(lp.c, lp.mem, GetParam()).decoded);
	EXPECT_NEAR(*lp.mem.at<float>(out_at), std::cbrt(27 + 64), 1e-5);
}

TEST_P(Pool, QuantisedInputsArePooledAsRealsAndTheEpilogueFollows)
{
	image average(ATOM_POOL_AVERAGE, 2, 1, square(2, 1, 0));
	average.c.in = quantised(dense(ATOM_DTYPE_U8, 0, {1, 2, 2, 1}), 0.5f, 100);
	average.c.out = quantised(dense(ATOM_DTYPE_I8, out_at, {1, 1, 1, 1}), 0.25f, 10);
	const std::uint8_t values[] = {102, 104, 106, 96}; /* 1, 2, 3, -2: 1 on the average */
	std::copy(std::begin(values), std::end(values), average.mem.at<std::uint8_t>(0));
	average.is<std::int8_t>({14}, GetParam());
	average.c.epilogue.activation = ATOM_FN_CLIP;
	average.c.epilogue.p0 = -1;
	average.c.epilogue.p1 = 0.5f;
	average.is<std::int8_t>({12}, GetParam());
	average.c.epilogue = {};
	average.c.epilogue.activation = ATOM_FN_LUT;
	average.c.epilogue.lut = {.slot = 1, .reserved0 = 0, .reserved1 = 0, .offset = 4096};
	*average.mem.at<std::int8_t>(4096 + 14) = -77;
	average.is<std::int8_t>({-77}, GetParam());
}

/* Geometry of all kinds; @edge_max bounds height and width. */
atom_cmd_pool2d random_pool(generator &g, unsigned in_dtype, unsigned out_dtype, bool wide)
{
	auto c = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);
	const auto axis = [&](unsigned in, std::uint32_t &kernel, std::uint32_t &stride, std::uint32_t &dilation,
			      std::uint32_t &before, std::uint32_t &after) -> std::uint64_t {
		kernel = 1 + g.below(g.rarely() ? in : std::min(in, 4u));
		stride = 1 + g.below(3);
		dilation = 1 + (g.rarely() ? g.below(3) : 0);
		before = g.rarely() ? g.below(4) : 0;
		after = g.rarely() ? g.below(4) : 0;
		const unsigned reach = dilation * (kernel - 1) + 1;
		while (in + before + after < reach)
			before += 1;
		const unsigned steps = in + before + after - reach;
		return steps / stride + 1 + (g.below(2) && steps % stride ? 1 : 0);
	};
	const unsigned h = 1 + g.below(9), w = 1 + g.below(wide ? 60 : 9);
	static constexpr unsigned few[] = {1, 2, 3}, many[] = {1, 5, 16, 33, 130};
	const std::uint64_t n = 1 + g.below(2), channels = wide ? g.one_of(few) : g.one_of(many);
	atom_window &win = c.window;
	const std::uint64_t oh = axis(h, win.kernel_h, win.stride_h, win.dilation_h, win.pad_top, win.pad_bottom);
	const std::uint64_t ow = axis(w, win.kernel_w, win.stride_w, win.dilation_w, win.pad_left, win.pad_right);
	c.in = g.tensor(in_dtype, {n, h, w, channels}, false);
	c.out = g.tensor(out_dtype, {n, oh, ow, channels}, true);
	return c;
}

class FastPool : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, FastPool, instruction_sets(), instruction_set_name);

TEST_P(FastPool, PoolOfRealsIsTheSame)
{
	for (unsigned seed = 0; seed < 150; ++seed) {
		generator g(7000 + seed);
		const bool bytes = g.below(2), to_bytes = g.below(2);
		const unsigned from = bytes ? g.one_of(integers) : g.one_of(floats);
		auto c = random_pool(g, from, to_bytes ? unsigned{ATOM_DTYPE_I8} : g.one_of(floats), g.below(2));
		if (bytes)
			do {
				c.in.quant = {};
				g.quantise(c.in);
			} while (c.in.quant.kind == ATOM_QUANT_PER_CHANNEL && c.in.quant.axis != 3);
		if (to_bytes)
			g.quantise(c.out);
		c.kind = g.below(3);
		static constexpr float powers[] = {1, 2, 2.5f};
		c.p = c.kind == ATOM_POOL_LP ? g.one_of(powers) : 0;
		c.header.flags = c.kind == ATOM_POOL_AVERAGE && g.below(2) ? ATOM_POOL_COUNT_PAD : 0;
		if (c.kind == ATOM_POOL_MAX && g.below(2))
			c.index = g.tensor(g.below(2) ? ATOM_DTYPE_I32 : ATOM_DTYPE_I64,
					   {c.out.dims[0], c.out.dims[1], c.out.dims[2], c.out.dims[3]}, true);
		c.epilogue.activation = to_bytes && g.below(2) ? ATOM_FN_LUT : g.below(2) ? ATOM_FN_RELU : ATOM_FN_IDENTITY;
		if (c.epilogue.activation == ATOM_FN_LUT)
			c.epilogue.lut = {.slot = 1, .reserved0 = 0, .reserved1 = 0, .offset = arrays_at - 300};
		expect_same(c, c.out, g, seed, from);
	}
}

TEST_P(FastPool, MaximumOfPlainIntegersIsTheSame)
{
	for (unsigned seed = 0; seed < 60; ++seed) {
		generator g(7200 + seed);
		const unsigned dtype = g.one_of(integers);
		auto c = random_pool(g, dtype, dtype, g.below(2));
		if (g.below(2))
			c.index = g.tensor(g.below(2) ? ATOM_DTYPE_I32 : ATOM_DTYPE_I64,
					   {c.out.dims[0], c.out.dims[1], c.out.dims[2], c.out.dims[3]}, true);
		expect_same(c, c.out, g, seed, 0);
	}
}

TEST_P(FastPool, MaximumThatKeepsValuesIsTheSame)
{
	static constexpr unsigned dtypes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8, ATOM_DTYPE_F32};
	for (unsigned seed = 0; seed < 90; ++seed) {
		generator g(7400 + seed);
		const unsigned dtype = g.one_of(dtypes);
		auto c = random_pool(g, dtype, dtype, false);
		if (dtype != ATOM_DTYPE_F32) {
			c.in = quantised(c.in, 0.3f, 17);
			c.out = quantised(c.out, 0.3f, g.rarely() ? 16 : 17);
		}
		expect_same(c, c.out, g, seed, g.below(2) ? dtype : 0);
	}
}

/* By the definition, over the padded input, in f64. */
TEST(PoolMeaning, RandomPoolsAreWhatThePlainComputationGives)
{
	for (unsigned seed = 0; seed < 200; ++seed) {
		generator g(7300 + seed);
		auto c = random_pool(g, ATOM_DTYPE_F32, ATOM_DTYPE_F32, false);
		c.kind = g.below(3);
		c.p = c.kind == ATOM_POOL_LP ? 3 : 0;
		const bool pad = c.kind == ATOM_POOL_AVERAGE && g.below(2);
		c.header.flags = pad ? ATOM_POOL_COUNT_PAD : 0;
		arena mem(random_memory_bytes);
		for (std::uint64_t i = 0; i < arrays_at / 4; ++i)
			mem.at<float>(0)[i] = static_cast<float>(g.below(2000)) / 100 - 10;
		ASSERT_TRUE(run(c, mem, true).decoded) << seed;
		const auto value = [&](const atom_tensor &t, std::array<std::int64_t, 4> i) {
			std::int64_t at = static_cast<std::int64_t>(t.offset);
			for (unsigned d = 0; d < 4; ++d)
				at += i[d] * static_cast<std::int64_t>(t.strides[d]);
			return double{*mem.at<float>(static_cast<std::uint64_t>(at))};
		};
		const auto size = [](const atom_tensor &t, unsigned d) { return static_cast<std::int64_t>(t.dims[d]); };
		const atom_window &w = c.window;
		const std::int64_t height = size(c.in, 1), width = size(c.in, 2);
		for (std::int64_t n = 0; n < size(c.out, 0); ++n)
			for (std::int64_t y = 0; y < size(c.out, 1); ++y)
				for (std::int64_t x = 0; x < size(c.out, 2); ++x) {
					const std::int64_t ch = size(c.out, 3) - 1;
					double largest = -INFINITY, sum = 0, powers = 0, count = 0;
					for (std::int64_t ky = 0; ky < w.kernel_h; ++ky)
						for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
							const std::int64_t iy = y * w.stride_h - w.pad_top + ky * w.dilation_h;
							const std::int64_t ix = x * w.stride_w - w.pad_left + kx * w.dilation_w;
							const bool in = iy >= 0 && ix >= 0 && iy < height && ix < width;
							count += pad ? iy < height + w.pad_bottom && ix < width + w.pad_right : in;
							if (!in)
								continue;
							const double v = value(c.in, {n, iy, ix, ch});
							largest = std::max(largest, v);
							sum += v;
							powers += std::pow(std::fabs(v), 3);
						}
					const double expected = c.kind == ATOM_POOL_MAX       ? largest
								: c.kind == ATOM_POOL_AVERAGE ? sum / count
											      : std::cbrt(powers);
					const double is = value(c.out, {n, y, x, ch});
					if (std::isnan(expected))
						ASSERT_TRUE(std::isnan(is)) << seed;
					else if (std::isinf(expected))
						ASSERT_EQ(is, expected) << seed;
					else
						ASSERT_NEAR(is, expected, 1e-3) << seed;
				}
	}
}

/* One output over a large image, whose runs are taps or channels: stopped again and again, it ends all the same. */
TEST(PoolProgress, AnInterruptedTileGoesOnWhereItWas)
{
	for (const bool reference : {false, true})
		for (const unsigned channels : {1u, 64u})
			for (const unsigned kind : {ATOM_POOL_AVERAGE + 0u, ATOM_POOL_MAX + 0u}) {
				const unsigned edge = channels == 1 ? 700 : 100;
				arena mem(4 << 20);
				auto c = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);
				c.kind = kind;
				c.window = square(edge, 1, 0);
				c.in = dense(ATOM_DTYPE_U8, 4096, {1, edge, edge, channels});
				c.in = quantised(c.in, 1, 0);
				c.out = dense(ATOM_DTYPE_F32, 0, {1, 1, 1, channels});
				for (unsigned i = 0; i < edge * edge * channels; ++i)
					mem.at<std::uint8_t>(4096)[i] = static_cast<std::uint8_t>(i * 37 % 251);
				ASSERT_TRUE(run(c, mem, reference).decoded);
				const std::vector<float> expected(mem.at<float>(0), mem.at<float>(0) + channels);
				const atom_arg args[] = {whole(mem)};
				fault why;
				const auto op = decode(bytes_of(c), args, {.reference = reference}, why);
				unsigned stops = 0;
				std::fill_n(mem.at<float>(0), channels, 0.0f);
				for (std::uint64_t tile = 0; tile < op->tiles(); ++tile) {
					fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
					scratch work;
					do {
						m.interrupts = 1;
						m.was_interrupted = false;
						op->run(tile, m, work);
						stops += m.was_interrupted;
					} while (m.was_interrupted);
					ASSERT_EQ(m.breach(), "");
				}
				EXPECT_GT(stops, 0u) << reference << channels;
				EXPECT_EQ(std::vector<float>(mem.at<float>(0), mem.at<float>(0) + channels), expected);
			}
}

} // namespace
} // namespace atom::engine::test
