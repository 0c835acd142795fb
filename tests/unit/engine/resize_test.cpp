/* SPDX-License-Identifier: MIT */
/*
 * RESIZE2D: what it means, by examples and by a plain computation in f64, and
 * the fast engine against the reference.
 */
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "random_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t out_at = 8192;

class Resize : public testing::TestWithParam<bool> {
protected:
	/* 1, 2, 3.. in an image of one channel; rows are checked one behind the other. */
	void resize(std::uint64_t height, std::uint64_t width, std::uint64_t to_height, std::uint64_t to_width)
	{
		c.in = dense(ATOM_DTYPE_F32, 0, {1, height, width, 1});
		c.out = dense(ATOM_DTYPE_F32, out_at, {1, to_height, to_width, 1});
		for (unsigned i = 0; i < height * width; ++i)
			mem.at<float>(0)[i] = static_cast<float>(i + 1);
	}
	void is(const std::vector<float> &expected)
	{
		const outcome o = run(c, mem, GetParam());
		ASSERT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
		ASSERT_EQ(o.why.code, ATOM_FAULT_NONE);
		ASSERT_EQ(o.breach, "");
		for (std::size_t i = 0; i < expected.size(); ++i)
			EXPECT_NEAR(mem.at<float>(out_at)[i], expected[i], 1e-5) << i;
	}
	void set(unsigned mode, unsigned coordinate, float scale_h, float scale_w)
	{
		c.mode = static_cast<std::uint8_t>(mode);
		c.coordinate = static_cast<std::uint8_t>(coordinate);
		c.scale_h = scale_h;
		c.scale_w = scale_w;
		c.cubic_coeff = mode == ATOM_RESIZE_CUBIC ? -0.75f : 0;
	}

	arena mem{16384};
	atom_cmd_resize2d c = command<atom_cmd_resize2d>(ATOM_OP_RESIZE2D);
};
INSTANTIATE_TEST_SUITE_P(Engine, Resize, testing::Bool(),
			 [](const auto &info) { return info.param ? "Reference" : "Fast"; });

TEST_P(Resize, NearestRepeatsOrSkips)
{
	resize(2, 2, 4, 6);
	set(ATOM_RESIZE_NEAREST, ATOM_COORD_HALF_PIXEL, 2, 3);
	is({1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4});
	/* The scale counts, not the ratio of the sizes. */
	resize(2, 4, 1, 2);
	set(ATOM_RESIZE_NEAREST, ATOM_COORD_HALF_PIXEL, 0.6f, 0.6f);
	is({1, 3});
}

TEST_P(Resize, NearestModesDifferInTheMiddle)
{
	resize(1, 4, 1, 2); /* at 0.5 and 2.5 */
	set(ATOM_RESIZE_NEAREST, ATOM_COORD_HALF_PIXEL, 1, 0.5f);
	is({1, 3});
	c.nearest = ATOM_NEAREST_ROUND_PREFER_CEIL;
	is({2, 4});
	c.nearest = ATOM_NEAREST_FLOOR;
	is({1, 3});
	c.nearest = ATOM_NEAREST_CEIL;
	is({2, 4});
}

TEST_P(Resize, ARatioThatNoF32SaysIsMeantExactly)
{
	/* Output 7 lies at 7 * 6 / 14 = 3, with the nearest f32 to 14 / 6 just before it. */
	resize(1, 6, 1, 14);
	set(ATOM_RESIZE_NEAREST, ATOM_COORD_ASYMMETRIC, 1, 14.0f / 6.0f);
	c.nearest = ATOM_NEAREST_FLOOR;
	is({1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6});
}

TEST_P(Resize, LinearByEachCoordinate)
{
	resize(2, 2, 4, 4);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL, 2, 2);
	is({1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4});
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_ALIGN_CORNERS, 2, 2);
	is({1, 4 / 3.0f, 5 / 3.0f, 2, 5 / 3.0f, 2, 7 / 3.0f, 8 / 3.0f});
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_ASYMMETRIC, 2, 2);
	is({1, 1.5f, 2, 2, 2, 2.5f, 3, 3});
	resize(2, 4, 1, 2);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL, 0.6f, 0.6f);
	is({8 / 3.0f, 13 / 3.0f});
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_ALIGN_CORNERS, 0.6f, 0.6f); /* the length is 2.4 */
	is({1, 1 + 3 / 1.4f});
	resize(1, 4, 1, 2);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL_SYMMETRIC, 1, 0.6f);
	is({5 / 3.0f, 10 / 3.0f});
	resize(2, 2, 4, 5);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL_SYMMETRIC, 2.3f, 2.94f);
	is({1, 1.15986395f, 1.5f, 1.84013605f, 2});
	resize(4, 4, 3, 1);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_PYTORCH_HALF_PIXEL, 0.75f, 0.25f);
	is({5 / 3.0f, 7, 37 / 3.0f});
}

TEST_P(Resize, CubicOvershootsAtTheEdges)
{
	resize(4, 4, 8, 8);
	set(ATOM_RESIZE_CUBIC, ATOM_COORD_HALF_PIXEL, 2, 2);
	is({0.47265625f, 0.76953125f, 1.24609375f, 1.875f, 2.28125f, 2.91015625f, 3.38671875f, 3.68359375f,
	    1.66015625f});
	set(ATOM_RESIZE_CUBIC, ATOM_COORD_ALIGN_CORNERS, 2, 2);
	is({1, 1.34110787f, 1.80029155f, 2.32944606f, 2.67055394f, 3.19970845f, 3.65889213f, 4});
	resize(4, 4, 3, 3);
	set(ATOM_RESIZE_CUBIC, ATOM_COORD_HALF_PIXEL, 0.8f, 0.8f);
	is({1.47119141f, 2.78125f, 4.08251953f, 6.71142578f, 8.02148438f, 9.32275391f});
	set(ATOM_RESIZE_CUBIC, ATOM_COORD_HALF_PIXEL, 0.8f, 0.8f);
	c.header.flags = ATOM_RESIZE_EXCLUDE_OUTSIDE;
	c.cubic_coeff = -0.5f;
	is({1.36812675f, 2.6695014f, 4.0133367f, 6.57362535f, 7.875f, 9.2188353f});
}

TEST_P(Resize, AntialiasWidensTheFilter)
{
	resize(4, 4, 2, 2);
	c.header.flags = ATOM_RESIZE_ANTIALIAS;
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL, 0.6f, 0.6f);
	is({2.875f, 4.5f, 9.375f, 11});
	set(ATOM_RESIZE_CUBIC, ATOM_COORD_HALF_PIXEL, 0.6f, 0.6f);
	is({2.5180721f, 4.2858863f, 9.589329f, 11.357142f});
	/* Not when it grows. */
	resize(1, 2, 1, 4);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL, 1, 2);
	is({1, 1.25f, 1.75f, 2});
}

TEST_P(Resize, ACropHasItsOwnValueOutside)
{
	resize(4, 4, 3, 3);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_CROP_AND_RESIZE, 0.75f, 0.75f);
	const float roi[] = {0.4f, 0.6f, 0.6f, 0.8f};
	std::copy(std::begin(roi), std::end(roi), c.roi);
	is({7.6f, 7.9f, 8.2f, 8.8f, 9.1f, 9.4f, 10, 10.3f, 10.6f});
	const float beyond[] = {0.4f, 0.6f, 1.2f, 1.7f};
	std::copy(std::begin(beyond), std::end(beyond), c.roi);
	c.extrapolation = 10;
	is({7.6f, 10, 10, 12.4f, 10, 10, 10, 10, 10});
	/* One output is the middle of the crop. */
	resize(1, 5, 1, 1);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_CROP_AND_RESIZE, 1, 0.2f);
	const float half[] = {0, 0.5f, 0, 1};
	std::copy(std::begin(half), std::end(half), c.roi);
	is({4});
}

TEST_P(Resize, AWeightOfZeroTakesNoInfinity)
{
	resize(1, 3, 1, 5);
	mem.at<float>(0)[1] = std::numeric_limits<float>::infinity();
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_ALIGN_CORNERS, 1, 5 / 3.0f); /* at 0, 0.5, 1, 1.5, 2 */
	ASSERT_TRUE(run(c, mem, GetParam()).decoded);
	EXPECT_EQ(mem.at<float>(out_at)[0], 1);
	EXPECT_EQ(mem.at<float>(out_at)[4], 3);
	EXPECT_TRUE(std::isinf(mem.at<float>(out_at)[1]));
}

TEST_P(Resize, PlainIntegersAreCopiedAndQuantisedOnesAreReals)
{
	resize(1, 2, 1, 4);
	set(ATOM_RESIZE_NEAREST, ATOM_COORD_CROP_AND_RESIZE, 1, 2);
	c.in = dense(ATOM_DTYPE_I32, 0, {1, 1, 2, 1});
	c.out = dense(ATOM_DTYPE_I32, out_at, {1, 1, 4, 1});
	mem.at<std::int32_t>(0)[0] = 16777217;
	mem.at<std::int32_t>(0)[1] = -5;
	c.roi[3] = 1.5f; /* at 0, 0.5, 1, 1.5 */
	c.extrapolation = 2.5f;
	ASSERT_TRUE(run(c, mem, GetParam()).decoded);
	const std::vector<std::int32_t> expected = {16777217, 16777217, -5, 2};
	EXPECT_EQ(std::vector<std::int32_t>(mem.at<std::int32_t>(out_at), mem.at<std::int32_t>(out_at) + 4), expected);

	c = command<atom_cmd_resize2d>(ATOM_OP_RESIZE2D);
	set(ATOM_RESIZE_LINEAR, ATOM_COORD_HALF_PIXEL, 1, 2);
	c.in = quantised(dense(ATOM_DTYPE_U8, 0, {1, 1, 2, 1}), 0.5f, 10);
	c.out = quantised(dense(ATOM_DTYPE_I8, out_at, {1, 1, 4, 1}), 0.25f, 0);
	mem.at<std::uint8_t>(0)[0] = 12;
	mem.at<std::uint8_t>(0)[1] = 20;
	ASSERT_TRUE(run(c, mem, GetParam()).decoded);
	const std::vector<std::int8_t> quarters = {4, 8, 16, 20};
	EXPECT_EQ(std::vector<std::int8_t>(mem.at<std::int8_t>(out_at), mem.at<std::int8_t>(out_at) + 4), quarters);
}

atom_cmd_resize2d random_resize(generator &g, unsigned mode, unsigned in_dtype, unsigned out_dtype)
{
	auto c = command<atom_cmd_resize2d>(ATOM_OP_RESIZE2D);
	static constexpr unsigned few[] = {1, 2, 3, 20, 33};
	const std::uint64_t n = 1 + g.below(2), channels = g.one_of(few);
	const auto size = [&] { return std::uint64_t{1} + g.below(g.rarely() ? 40 : 8); };
	const std::uint64_t h = size(), w = size(), to_h = size(), to_w = size();
	c.in = g.tensor(in_dtype, {n, h, w, channels}, false);
	c.out = g.tensor(out_dtype, {n, to_h, to_w, channels}, true);
	c.mode = static_cast<std::uint8_t>(mode);
	c.coordinate = static_cast<std::uint8_t>(g.below(6));
	c.nearest = mode == ATOM_RESIZE_NEAREST ? static_cast<std::uint8_t>(g.below(4)) : 0;
	const auto scale = [&](std::uint64_t from, std::uint64_t to) {
		const float ratio = static_cast<float>(to) / static_cast<float>(from);
		return g.rarely() ? ratio * (1 + static_cast<float>(g.below(100)) / 500) : ratio;
	};
	c.scale_h = scale(h, to_h);
	c.scale_w = scale(w, to_w);
	if (mode == ATOM_RESIZE_CUBIC)
		c.cubic_coeff = g.below(2) ? -0.75f : -0.5f;
	if (mode != ATOM_RESIZE_NEAREST)
		c.header.flags = static_cast<std::uint16_t>(g.below(4));
	if (c.coordinate == ATOM_COORD_CROP_AND_RESIZE) {
		for (float &edge : c.roi)
			edge = static_cast<float>(g.below(150)) / 100 - 0.25f;
		c.extrapolation = 7;
	}
	return c;
}

class FastResize : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, FastResize, instruction_sets(), instruction_set_name);

TEST_P(FastResize, ResizeOfRealsIsTheSame)
{
	for (unsigned seed = 0; seed < 120; ++seed) {
		generator g(8000 + seed);
		const bool bytes = g.below(2), to_bytes = g.below(2);
		const unsigned from = bytes ? g.one_of(integers) : g.one_of(floats);
		auto c = random_resize(g, g.below(3), from, to_bytes ? unsigned{ATOM_DTYPE_U8} : g.one_of(floats));
		if (bytes)
			do {
				c.in.quant = {};
				g.quantise(c.in);
			} while (c.in.quant.kind == ATOM_QUANT_PER_CHANNEL && c.in.quant.axis != 3);
		if (to_bytes)
			g.quantise(c.out);
		expect_same(c, c.out, g, seed, from);
	}
}

TEST_P(FastResize, NearestOfPlainIntegersIsTheSame)
{
	for (unsigned seed = 0; seed < 40; ++seed) {
		generator g(8200 + seed);
		const unsigned dtype = g.one_of(integers);
		const auto c = random_resize(g, ATOM_RESIZE_NEAREST, dtype, dtype);
		expect_same(c, c.out, g, seed, 0);
	}
}

TEST_P(FastResize, LongRowsAreTheSame)
{
	for (const auto &[from, to] : {std::array<std::uint64_t, 2>{3000, 2900}, {700, 2600}, {9000, 1500}, {4000, 300}})
		for (const unsigned mode : {ATOM_RESIZE_NEAREST + 0u, ATOM_RESIZE_LINEAR + 0u, ATOM_RESIZE_CUBIC + 0u}) {
			generator g(8300);
			auto c = random_resize(g, mode, ATOM_DTYPE_F32, ATOM_DTYPE_F32);
			c.coordinate = ATOM_COORD_HALF_PIXEL;
			c.header.flags = 0;
			for (float &edge : c.roi)
				edge = 0;
			c.extrapolation = 0;
			c.in = dense(ATOM_DTYPE_F32, 64, {2, 2, from, 3});
			c.out = dense(ATOM_DTYPE_F32, 1 << 20, {2, 3, to, 3});
			c.scale_h = 1.5f;
			c.scale_w = static_cast<float>(to) / static_cast<float>(from);
			expect_same(c, c.out, g, mode, ATOM_DTYPE_F32);
		}
}

/* One axis by the definition: all elements of the input and of its edges, near or far, have their weight. */
double plain(const std::vector<double> &data, const atom_cmd_resize2d &c, double scale, double start, double end,
	     std::int64_t m, std::int64_t i)
{
	const auto n = static_cast<std::int64_t>(data.size());
	const double size = static_cast<double>(n), last = size - 1;
	const bool exact = static_cast<float>(scale) == static_cast<float>(static_cast<double>(m) / size);
	const double s = exact ? static_cast<double>(m) / size : scale, length = exact ? static_cast<double>(m) : s * size;
	const double half = (static_cast<double>(i) + 0.5) / s - 0.5;
	double x = half;
	if (c.coordinate == ATOM_COORD_ASYMMETRIC)
		x = static_cast<double>(i) / s;
	else if (c.coordinate == ATOM_COORD_ALIGN_CORNERS)
		x = length == 1 ? 0 : static_cast<double>(i) * last / (length - 1);
	else if (c.coordinate == ATOM_COORD_PYTORCH_HALF_PIXEL)
		x = m == 1 ? 0 : half;
	else if (c.coordinate == ATOM_COORD_HALF_PIXEL_SYMMETRIC)
		x = size / 2 * (1 - static_cast<double>(m) / length) + half;
	else if (c.coordinate == ATOM_COORD_CROP_AND_RESIZE)
		x = start * last + (length == 1 ? (end - start) * last / 2
						: static_cast<double>(i) * ((end - start) * last) / (length - 1));
	if (c.coordinate == ATOM_COORD_CROP_AND_RESIZE && (x < 0 || x > last))
		return double{c.extrapolation};
	const bool wide = c.header.flags & ATOM_RESIZE_ANTIALIAS, inner = c.header.flags & ATOM_RESIZE_EXCLUDE_OUTSIDE;
	const double squeeze = wide && s < 1 ? s : 1, a = double{c.cubic_coeff};
	double sum = 0, weights = 0;
	for (std::int64_t k = -500; k < n + 500; ++k) {
		const double d = std::fabs(static_cast<double>(k) - x) * squeeze;
		const double w = inner && (k < 0 || k >= n)     ? 0
				 : c.mode == ATOM_RESIZE_LINEAR ? (d < 1 ? 1 - d : 0)
				 : d <= 1 ? (a + 2) * d * d * d - (a + 3) * d * d + 1
				 : d < 2  ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a
					  : 0;
		sum += w * data[static_cast<std::size_t>(std::clamp<std::int64_t>(k, 0, n - 1))];
		weights += w;
	}
	return sum / weights;
}

TEST(ResizeMeaning, RandomResizesAreWhatThePlainComputationGives)
{
	for (unsigned seed = 0; seed < 200; ++seed) {
		generator g(8400 + seed);
		auto c = random_resize(g, 1 + g.below(2), ATOM_DTYPE_F32, ATOM_DTYPE_F32);
		/* Where all weights lie outside there is no quotient to compare with. */
		if (c.header.flags & ATOM_RESIZE_EXCLUDE_OUTSIDE && c.coordinate == ATOM_COORD_HALF_PIXEL_SYMMETRIC)
			c.coordinate = ATOM_COORD_HALF_PIXEL;
		arena mem(random_memory_bytes);
		for (std::uint64_t i = 0; i < arrays_at / 4; ++i)
			mem.at<float>(0)[i] = static_cast<float>(g.below(2000)) / 100 - 10;
		ASSERT_TRUE(run(c, mem, true).decoded) << seed;
		const auto value = [&](const atom_tensor &t, std::int64_t y, std::int64_t x) {
			const auto at = static_cast<std::int64_t>(t.offset) + y * static_cast<std::int64_t>(t.strides[1]) +
					x * static_cast<std::int64_t>(t.strides[2]);
			return double{*mem.at<float>(static_cast<std::uint64_t>(at))};
		};
		const auto size = [](const atom_tensor &t, unsigned d) { return static_cast<std::int64_t>(t.dims[d]); };
		for (std::int64_t y = 0; y < size(c.out, 1); ++y)
			for (std::int64_t x = 0; x < size(c.out, 2); ++x) {
				std::vector<double> column;
				for (std::int64_t iy = 0; iy < size(c.in, 1); ++iy) {
					std::vector<double> row;
					for (std::int64_t ix = 0; ix < size(c.in, 2); ++ix)
						row.push_back(value(c.in, iy, ix));
					column.push_back(plain(row, c, double{c.scale_w}, double{c.roi[1]}, double{c.roi[3]},
							       size(c.out, 2), x));
				}
				const double expected = plain(column, c, double{c.scale_h}, double{c.roi[0]},
							      double{c.roi[2]}, size(c.out, 1), y);
				ASSERT_NEAR(value(c.out, y, x), expected, 1e-3 + 1e-4 * std::fabs(expected))
					<< "seed " << seed << " at " << y << ", " << x;
			}
	}
}

TEST(ResizeProgress, AnInterruptedTileGoesOnWhereItWas)
{
	for (const bool reference : {false, true})
		for (const std::uint64_t channels : {1u, 32u}) {
			arena mem(8 << 20);
			auto c = command<atom_cmd_resize2d>(ATOM_OP_RESIZE2D, ATOM_RESIZE_ANTIALIAS);
			c.mode = ATOM_RESIZE_LINEAR;
			c.in = dense(ATOM_DTYPE_F32, 4096, {1, 200, 200, channels});
			c.out = dense(ATOM_DTYPE_F32, 0, {1, 1, 1, channels});
			c.scale_h = c.scale_w = 1.0f / 200;
			for (std::uint64_t i = 0; i < 200 * 200 * channels; ++i)
				mem.at<float>(4096)[i] = static_cast<float>(i * 37 % 251);
			ASSERT_TRUE(run(c, mem, reference).decoded);
			const std::vector<float> expected(mem.at<float>(0), mem.at<float>(0) + channels);
			std::fill_n(mem.at<float>(0), channels, 0.0f);
			const atom_arg args[] = {whole(mem)};
			fault why;
			const auto op = decode(bytes_of(c), args, {.reference = reference}, why);
			unsigned stops = 0;
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
			EXPECT_GT(stops, 1u) << reference << channels;
			EXPECT_EQ(std::vector<float>(mem.at<float>(0), mem.at<float>(0) + channels), expected);
		}
}

} // namespace
} // namespace atom::engine::test
