/* SPDX-License-Identifier: MIT */
/*
 * Both engines against sums computed here, in double, from the definition.
 */
#include "sums.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t weight_at = 1 << 20, out_at = 2 << 20, extra_at = 3 << 20, memory_bytes = 4 << 20;

class Conv : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engine, Conv, testing::Bool(),
			 [](const auto &info) { return info.param ? "Reference" : "Fast"; });

std::uint64_t at(const atom_tensor &t, std::uint64_t i, std::uint64_t j, std::uint64_t k, std::uint64_t l)
{
	return t.offset + i * t.strides[0] + j * t.strides[1] + k * t.strides[2] + l * t.strides[3];
}

/* Sums of all outputs, in the order of the output's elements. */
class sums {
public:
	sums(arena &mem, const atom_cmd_conv2d &c) : mem_(mem), c_(c), sums_(c.out.dims[0] * c.out.dims[1] * c.out.dims[2] * c.out.dims[3])
	{
		const bool transposed = c.header.opcode == ATOM_OP_CONVT2D;
		const auto &from = transposed ? c.in.dims : c.out.dims;
		for (std::uint64_t n = 0; n < from[0]; ++n)
			for (std::uint64_t h = 0; h < from[1]; ++h)
				for (std::uint64_t w = 0; w < from[2]; ++w)
					for (unsigned kh = 0; kh < c.window.kernel_h; ++kh)
						for (unsigned kw = 0; kw < c.window.kernel_w; ++kw) {
							const auto y = static_cast<std::int64_t>(h) * c.window.stride_h - c.window.pad_top + kh * c.window.dilation_h;
							const auto x = static_cast<std::int64_t>(w) * c.window.stride_w - c.window.pad_left + kw * c.window.dilation_w;
							if (transposed)
								tap(n, static_cast<std::int64_t>(h), static_cast<std::int64_t>(w), y, x, kh, kw);
							else
								tap(n, y, x, static_cast<std::int64_t>(h), static_cast<std::int64_t>(w), kh, kw);
						}
	}
	const sum &of(std::uint64_t n, std::uint64_t h, std::uint64_t w, std::uint64_t o) const
	{
		return sums_[((n * c_.out.dims[1] + h) * c_.out.dims[2] + w) * c_.out.dims[3] + o];
	}
	double terms() const
	{
		return c_.window.kernel_h * c_.window.kernel_w * static_cast<double>(c_.in.dims[3]) / c_.groups;
	}

private:
	static double zero_point(const atom_tensor &t) { return static_cast<std::int32_t>(t.quant.zero_point); }

	void tap(std::uint64_t n, std::int64_t in_h, std::int64_t in_w, std::int64_t out_h, std::int64_t out_w, unsigned kh,
		 unsigned kw)
	{
		const auto inside = [](const atom_tensor &t, std::int64_t h, std::int64_t w) {
			return h >= 0 && w >= 0 && h < static_cast<std::int64_t>(t.dims[1]) && w < static_cast<std::int64_t>(t.dims[2]);
		};
		if (!inside(c_.in, in_h, in_w) || !inside(c_.out, out_h, out_w))
			return;
		const auto ih = static_cast<std::uint64_t>(in_h), iw = static_cast<std::uint64_t>(in_w);
		const auto oh = static_cast<std::uint64_t>(out_h), ow = static_cast<std::uint64_t>(out_w);
		const std::uint64_t from = c_.in.dims[3] / c_.groups, to = c_.out.dims[3] / c_.groups;
		const bool transposed = c_.header.opcode == ATOM_OP_CONVT2D;
		for (std::uint64_t o = 0; o < c_.out.dims[3]; ++o)
			for (std::uint64_t i = 0; i < from; ++i) {
				const std::uint64_t channel = o / to * from + i;
				const double x = real_at(mem_, c_.in.dtype, at(c_.in, n, ih, iw, channel)) - zero_point(c_.in);
				const double w = real_at(mem_, c_.weight.dtype,
							 transposed ? at(c_.weight, channel, kh, kw, o % to)
								    : at(c_.weight, o, kh, kw, i)) -
						 zero_point(c_.weight);
				sum &s = sums_[((n * c_.out.dims[1] + oh) * c_.out.dims[2] + ow) * c_.out.dims[3] + o];
				s.value += x * w;
				s.magnitude += std::fabs(x * w);
			}
	}

	arena &mem_;
	const atom_cmd_conv2d &c_;
	std::vector<sum> sums_;
};

struct geometry {
	unsigned opcode;
	std::uint64_t n, h, w, c, o;
	atom_window window;
	std::uint32_t groups;
	std::uint64_t more = 0; ///< CONVT2D: output padding
};

const geometry geometries[] = {
	{ATOM_OP_CONV2D, 1, 5, 6, 3, 4, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 1},
	{ATOM_OP_CONV2D, 2, 9, 8, 5, 7, {3, 2, 2, 3, 1, 2, 1, 0, 2, 1}, 1},
	{ATOM_OP_CONV2D, 1, 7, 7, 40, 33, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1},
	{ATOM_OP_CONV2D, 2, 7, 9, 20, 18, {1, 1, 2, 2, 1, 1, 0, 0, 0, 0}, 1},
	{ATOM_OP_CONV2D, 1, 23, 21, 3, 16, {7, 7, 2, 2, 1, 1, 3, 3, 3, 3}, 1},
	{ATOM_OP_CONV2D, 1, 6, 7, 12, 8, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 4},
	{ATOM_OP_CONV2D, 2, 10, 9, 37, 37, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, 37},
	{ATOM_OP_CONV2D, 1, 12, 11, 16, 16, {5, 5, 2, 2, 1, 1, 2, 2, 2, 2}, 16},
	{ATOM_OP_CONV2D, 1, 6, 6, 6, 12, {3, 3, 1, 1, 2, 2, 2, 2, 2, 2}, 6},
	{ATOM_OP_CONV2D, 1, 3, 3, 4, 4, {2, 2, 1, 1, 1, 1, 5, 4, 3, 6}, 1}, /* windows beside the input */
	{ATOM_OP_CONV2D, 1, 2, 2, 300, 70, {2, 2, 1, 1, 1, 1, 0, 0, 0, 0}, 1},
	{ATOM_OP_CONVT2D, 1, 4, 5, 6, 7, {2, 2, 2, 2, 1, 1, 0, 0, 0, 0}, 1},
	{ATOM_OP_CONVT2D, 2, 3, 4, 5, 6, {3, 4, 2, 3, 1, 1, 1, 2, 0, 1}, 1, 1},
	{ATOM_OP_CONVT2D, 1, 5, 4, 8, 12, {3, 3, 1, 1, 2, 1, 2, 1, 1, 1}, 4},
	{ATOM_OP_CONVT2D, 1, 3, 3, 10, 10, {3, 3, 3, 3, 1, 1, 1, 1, 1, 1}, 10, 2},
	{ATOM_OP_CONVT2D, 1, 3, 3, 4, 4, {1, 1, 4, 4, 1, 1, 0, 0, 0, 0}, 1, 3}, /* outputs without a term */
	{ATOM_OP_CONVT2D, 1, 3, 2, 300, 70, {2, 2, 1, 1, 1, 1, 0, 0, 0, 0}, 1},
};

std::uint64_t extent(const geometry &g, std::uint64_t size, unsigned kernel, unsigned stride, unsigned dilation, unsigned pads)
{
	const std::uint64_t reach = dilation * (kernel - 1) + 1;
	return g.opcode == ATOM_OP_CONV2D ? (size + pads - reach) / stride + 1 : (size - 1) * stride + reach - pads + g.more;
}

atom_cmd_conv2d conv_command(const geometry &g, unsigned in, unsigned weight, unsigned out)
{
	auto c = command<atom_cmd_conv2d>(g.opcode);
	const atom_window &w = g.window;
	c.window = w;
	c.groups = g.groups;
	c.in = dense(in, 0, {g.n, g.h, g.w, g.c});
	c.weight = g.opcode == ATOM_OP_CONV2D ? dense(weight, weight_at, {g.o, w.kernel_h, w.kernel_w, g.c / g.groups})
					      : dense(weight, weight_at, {g.c, w.kernel_h, w.kernel_w, g.o / g.groups});
	c.out = dense(out, out_at,
		      {g.n, extent(g, g.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top + w.pad_bottom),
		       extent(g, g.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left + w.pad_right), g.o});
	return c;
}

std::uint64_t count(const atom_tensor &t) { return t.dims[0] * t.dims[1] * t.dims[2] * t.dims[3]; }

template <class Check> void for_outputs(const atom_cmd_conv2d &c, const Check &check)
{
	for (std::uint64_t n = 0; n < c.out.dims[0]; ++n)
		for (std::uint64_t h = 0; h < c.out.dims[1]; ++h)
			for (std::uint64_t w = 0; w < c.out.dims[2]; ++w)
				for (std::uint64_t o = 0; o < c.out.dims[3]; ++o)
					check(n, h, w, o);
}

TEST_P(Conv, OfThreeByThreeByHand)
{
	arena mem(memory_bytes);
	for (int i = 0; i < 9; ++i)
		mem.at<float>(0)[i] = static_cast<float>(i + 1);
	const float w[] = {1, 10, 100, 1000};
	std::copy(w, w + 4, mem.at<float>(weight_at));
	geometry g = {ATOM_OP_CONV2D, 1, 3, 3, 1, 1, {2, 2, 1, 1, 1, 1, 1, 0, 0, 0}, 1};
	expect_good(run(conv_command(g, ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32), mem, GetParam()));
	const float *r = mem.at<float>(out_at);
	EXPECT_EQ(std::vector<float>(r, r + 6), (std::vector<float>{2100, 3200, 5421, 6532, 8754, 9865}));
	g = {ATOM_OP_CONVT2D, 1, 1, 2, 1, 1, {2, 2, 1, 1, 1, 1, 0, 0, 0, 0}, 1};
	expect_good(run(conv_command(g, ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32), mem, GetParam()));
	EXPECT_EQ(std::vector<float>(r, r + 6), (std::vector<float>{1, 12, 20, 100, 1200, 2000}));
}

TEST_P(Conv, OfFloatsIsNearTheSumInDouble)
{
	std::mt19937 random(3);
	const unsigned floats[] = {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16};
	for (const geometry &g : geometries)
		for (const unsigned in : floats)
			for (const unsigned weight : floats) {
				const unsigned out = floats[random() % 3];
				arena mem(memory_bytes);
				const auto c = conv_command(g, in, weight, out);
				put_random(mem, in, 0, count(c.in), random);
				put_random(mem, weight, weight_at, count(c.weight), random);
				expect_good(run(c, mem, GetParam()));
				const sums expected(mem, c);
				for_outputs(c, [&](auto n, auto h, auto w, auto o) {
					const sum &s = expected.of(n, h, w, o);
					ASSERT_NEAR(real_at(mem, out, at(c.out, n, h, w, o)), s.value,
						    tolerance(s, expected.terms(), out))
						<< &g - geometries << ": " << in << " x " << weight << " -> " << out;
				});
			}
}

TEST_P(Conv, OfIntegersIsTheExactSum)
{
	std::mt19937 random(5);
	const unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
	for (const geometry &g : geometries)
		for (const unsigned in : bytes)
			for (const unsigned weight : bytes)
				for (const bool zero_points : {false, true}) {
					arena mem(memory_bytes);
					auto c = conv_command(g, in, weight, ATOM_DTYPE_I32);
					put_random(mem, in, 0, count(c.in), random);
					put_random(mem, weight, weight_at, count(c.weight), random);
					if (zero_points) {
						c.in = quantised(c.in, 0.5f, in == ATOM_DTYPE_I8 ? -100 : 250);
						c.weight = quantised(c.weight, 0.25f, weight == ATOM_DTYPE_I8 ? 127 : 3);
					}
					c.epilogue.bias = dense(ATOM_DTYPE_I32, extra_at, {g.n, c.out.dims[1], c.out.dims[2], g.o});
					std::fill(c.epilogue.bias.strides, c.epilogue.bias.strides + 3, 0);
					put_random(mem, ATOM_DTYPE_I8, extra_at, 4 * g.o, random);
					expect_good(run(c, mem, GetParam()));
					const sums expected(mem, c);
					for_outputs(c, [&](auto n, auto h, auto w, auto o) {
						const auto s = static_cast<std::int64_t>(expected.of(n, h, w, o).value) +
							       mem.at<std::int32_t>(extra_at)[o];
						ASSERT_EQ(*mem.at<std::int32_t>(at(c.out, n, h, w, o)), static_cast<std::int32_t>(s))
							<< &g - geometries << ": " << in << " x " << weight << " zero points " << zero_points;
					});
				}
}

TEST_P(Conv, RequantisesWithChannelsBiasResidualAndActivation)
{
	for (const unsigned opcode : {ATOM_OP_CONV2D, ATOM_OP_CONVT2D}) {
		arena mem(memory_bytes);
		const geometry g = {opcode, 1, 4, 3, 5, 3, {2, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1};
		auto c = conv_command(g, ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_I8);
		std::mt19937 random(9);
		put_random(mem, ATOM_DTYPE_U8, 0, count(c.in), random);
		put_random(mem, ATOM_DTYPE_I8, weight_at, count(c.weight), random);
		c.in = quantised(c.in, 0.125f, 5);
		const float scales[] = {0.5f, 0.25f, 1};
		const std::int32_t zero_points[] = {0, -3, 12};
		std::copy(scales, scales + 3, mem.at<float>(extra_at));
		std::copy(zero_points, zero_points + 3, mem.at<std::int32_t>(extra_at + 64));
		const bool transposed = opcode == ATOM_OP_CONVT2D;
		c.weight.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = static_cast<std::uint8_t>(transposed ? 3 : 0), .slot = 1,
				  .scale = 0, .zero_point = 0, .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = extra_at,
				  .zero_point_offset = extra_at + 64};
		c.out = quantised(c.out, 64, -4);
		const std::vector<std::uint64_t> dims(c.out.dims, c.out.dims + 4);
		c.epilogue.bias = dense(ATOM_DTYPE_F32, extra_at + 128, dims);
		std::fill(c.epilogue.bias.strides, c.epilogue.bias.strides + 3, 0);
		const float bias[] = {1, -2, 3.5f};
		std::copy(bias, bias + 3, mem.at<float>(extra_at + 128));
		c.epilogue.residual = dense(ATOM_DTYPE_F32, extra_at + 4096, dims);
		for (std::uint64_t i = 0; i < count(c.out); ++i)
			mem.at<float>(extra_at + 4096)[i] = static_cast<float>(random() % 4000) - 2000;
		c.epilogue.activation = ATOM_FN_LEAKY_RELU;
		c.epilogue.p0 = 0.5f;
		expect_good(run(c, mem, GetParam()));
		/* The zero point of one channel at a time. */
		for (std::uint64_t channel = 0; channel < 3; ++channel) {
			auto plain = c;
			plain.weight.quant = {};
			plain.in.quant.zero_point = 5;
			plain.weight.quant.zero_point = static_cast<std::uint32_t>(zero_points[channel]);
			const sums expected(mem, plain);
			for (std::uint64_t i = 0; i < count(c.out); i += 3) {
				const std::uint64_t x = i / 3 % c.out.dims[2], y = i / 3 / c.out.dims[2];
				/* Every step is exact in float here. */
				double r = expected.of(0, y, x, channel).value * 0.125 * scales[channel] + bias[channel] +
					   mem.at<float>(extra_at + 4096)[i + channel];
				r = r < 0 ? r * 0.5 : r;
				const double q = std::clamp(std::nearbyint(r / 64) - 4, -128.0, 127.0);
				EXPECT_EQ(mem.at<std::int8_t>(out_at)[i + channel], q) << opcode << " element " << i + channel;
			}
		}
	}
}

TEST_P(Conv, AnInfiniteWeightOutsideTheInputIsNothingOrNaN)
{
	arena mem(memory_bytes);
	const geometry g = {ATOM_OP_CONV2D, 1, 3, 3, 1, 1, {2, 2, 1, 1, 1, 1, 1, 0, 0, 0}, 1};
	std::fill_n(mem.at<float>(0), 9, 1.0f);
	const float w[] = {INFINITY, 1, 1, 1};
	std::copy(w, w + 4, mem.at<float>(weight_at));
	expect_good(run(conv_command(g, ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32), mem, GetParam()));
	for (int i = 0; i < 6; ++i) {
		const float r = mem.at<float>(out_at)[i];
		EXPECT_TRUE(i < 2 ? std::isnan(r) || r == 2 : r == INFINITY) << i << ": " << r;
	}
	/* Transposed, too; between strides there is no term. */
	const geometry t = {ATOM_OP_CONVT2D, 1, 2, 2, 1, 1, {2, 2, 2, 2, 1, 1, 0, 0, 0, 0}, 1, 1};
	expect_good(run(conv_command(t, ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32), mem, GetParam()));
	for (int i = 0; i < 25; ++i) {
		const float r = mem.at<float>(out_at)[i];
		const bool inside = i / 5 < 4 && i % 5 < 4, infinite = i / 5 % 2 == 0 && i % 5 % 2 == 0;
		if (infinite)
			EXPECT_TRUE(inside ? r == INFINITY : std::isnan(r) || r == 0) << i << ": " << r;
		else
			EXPECT_EQ(r, inside ? 1 : 0) << i;
	}
}

TEST_P(Conv, AFaultInAnOperandEndsTheCommand)
{
	for (const unsigned opcode : {ATOM_OP_CONV2D, ATOM_OP_CONVT2D})
		for (const std::uint32_t groups : {1u, 32u}) {
			arena mem(memory_bytes);
			const geometry g = {opcode, 1, 5, 5, 32, 32, {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, groups};
			const auto c = conv_command(g, ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32);
			const atom_arg args[] = {{memory_va, 1ull << 40}};
			for (auto t : {&atom_cmd_conv2d::in, &atom_cmd_conv2d::weight, &atom_cmd_conv2d::out}) {
				auto bad = c;
				(bad.*t).offset = 1ull << 39;
				const outcome o = run(bytes_of(bad), mem, GetParam(), fake_memory::mapping::whole, UINT64_MAX, args);
				EXPECT_TRUE(o.decoded);
				EXPECT_EQ(o.why.code, ATOM_FAULT_NOT_PRESENT);
				EXPECT_EQ(o.breach, "");
			}
		}
}

/* One output of very many terms on few inputs: by channels, by taps. */
atom_cmd_conv2d long_command(bool by_taps, std::uint64_t terms)
{
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
	c.groups = 1;
	c.in = quantised(dense(ATOM_DTYPE_I8, 0, {1, 1, 1, 1}), 1.0f, 3);
	c.weight = quantised(dense(ATOM_DTYPE_I8, weight_at, {2, 1, 1, 1}), 1.0f, -2);
	c.in.dims[by_taps ? 2 : 3] = c.weight.dims[by_taps ? 2 : 3] = terms;
	if (by_taps)
		c.window.kernel_w = static_cast<std::uint32_t>(terms);
	std::fill(c.in.strides, c.in.strides + 4, 0);
	std::fill(c.weight.strides + 1, c.weight.strides + 4, 0);
	c.out = dense(ATOM_DTYPE_I32, out_at, {1, 1, 1, 2});
	return c;
}

TEST_P(Conv, ALongTileEndsWhenTheModelAsks)
{
	for (const bool by_taps : {false, true}) {
		arena mem(memory_bytes);
		const auto c = long_command(by_taps, 1u << 30);
		fault why;
		const atom_arg args[] = {whole(mem)};
		const auto op = decode(bytes_of(c), args, {.reference = GetParam()}, why);
		ASSERT_TRUE(op) << why.code << " " << why.field;
		fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
		m.interrupts = 3;
		scratch work;
		op->run(0, m, work);
		EXPECT_EQ(m.interrupts, 0u);
		EXPECT_EQ(*mem.at<std::uint32_t>(out_at), 0xa5a5a5a5u);
	}
}

TEST_P(Conv, AnInterruptedTileGoesOnWhereItWas)
{
	for (const bool by_taps : {false, true}) {
		arena mem(memory_bytes);
		const std::uint64_t terms = by_taps ? (1 << 14) + 32 : (1 << 22) + 32;
		*mem.at<std::int8_t>(0) = 7;
		mem.at<std::int8_t>(weight_at)[0] = 5;
		mem.at<std::int8_t>(weight_at)[1] = -4;
		const auto c = long_command(by_taps, terms);
		fault why;
		const atom_arg args[] = {whole(mem)};
		const auto op = decode(bytes_of(c), args, {.reference = GetParam()}, why);
		ASSERT_TRUE(op) << why.code << " " << why.field;
		ASSERT_EQ(op->tiles(), 1u);
		fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
		scratch work;
		int runs = 0;
		do {
			ASSERT_LT(++runs, 100000);
			m.was_interrupted = false;
			m.interrupts = 40;
			const std::int64_t before = m.kept.k;
			op->run(0, m, work);
			ASSERT_TRUE(!m.was_interrupted || m.kept.k > before) << "nothing was kept";
			EXPECT_LE(m.kept.sums.size(), 8u);
		} while (m.was_interrupted);
		for (int i = 0; i < 2; ++i)
			EXPECT_EQ(mem.at<std::uint32_t>(out_at)[i],
				  static_cast<std::uint32_t>(terms) * static_cast<std::uint32_t>((7 - 3) * ((i ? -4 : 5) + 2)));
	}
}

} // namespace
} // namespace atom::engine::test
