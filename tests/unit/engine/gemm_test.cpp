/* SPDX-License-Identifier: MIT */
/*
 * Both engines against products computed here, in double or in 64-bit integers.
 */
#include <limits>

#include "kernels/gemm.h"
#include "sums.h"

namespace atom::engine::test {
namespace {

class Gemm : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engine, Gemm, testing::Bool(),
			 [](const auto &info) { return info.param ? "Reference" : "Fast"; });

std::uint64_t offset_at(const atom_tensor &t, std::uint64_t batch, std::uint64_t i, std::uint64_t j)
{
	const unsigned r = t.rank;
	const std::uint64_t outer = r == 3 ? batch * t.strides[0] : 0;
	return t.offset + outer + i * t.strides[r - 2] + j * t.strides[r - 1];
}

sum dot(arena &mem, const atom_cmd_gemm &c, std::uint64_t batch, std::uint64_t m, std::uint64_t n)
{
	sum s;
	for (std::uint64_t k = 0; k < c.a.dims[c.a.rank - 1]; ++k) {
		const double p = real_at(mem, c.a.dtype, offset_at(c.a, batch, m, k)) *
				 real_at(mem, c.b.dtype, offset_at(c.b, batch, k, n));
		s.value += p;
		s.magnitude += std::fabs(p);
	}
	return s;
}

atom_cmd_gemm gemm_command(unsigned a, unsigned b, unsigned out, std::uint64_t m, std::uint64_t n, std::uint64_t k)
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = dense(a, 0, {m, k});
	c.b = dense(b, 1 << 20, {k, n});
	c.out = dense(out, 2 << 20, {m, n});
	return c;
}

TEST_P(Gemm, OfTwoByTwoByHand)
{
	arena mem(3 << 20);
	const float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
	std::copy(a, a + 4, mem.at<float>(0));
	std::copy(b, b + 4, mem.at<float>(1 << 20));
	auto c = gemm_command(ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 2, 2, 2);
	expect_good(run(c, mem, GetParam()));
	const float *r = mem.at<float>(2 << 20);
	EXPECT_EQ(std::vector<float>(r, r + 4), (std::vector<float>{19, 22, 43, 50}));
	c.alpha = -0.5f;
	std::swap(c.b.strides[0], c.b.strides[1]);
	expect_good(run(c, mem, GetParam()));
	EXPECT_EQ(std::vector<float>(r, r + 4), (std::vector<float>{-8.5f, -11.5f, -19.5f, -26.5f}));
}

TEST_P(Gemm, OfFloatsIsNearTheSumInDouble)
{
	std::mt19937 random(3);
	const unsigned floats[] = {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16};
	const std::uint64_t shapes[][3] = {{1, 1, 1}, {3, 5, 7}, {17, 33, 65}, {1, 100, 300}, {70, 1, 129}, {40, 48, 513}};
	for (const unsigned a : floats)
		for (const unsigned b : floats)
			for (const auto &[m, n, k] : shapes) {
				const unsigned out = floats[random() % 3];
				arena mem(3 << 20);
				auto c = gemm_command(a, b, out, m, n, k);
				put_random(mem, a, 0, m * k, random);
				put_random(mem, b, 1 << 20, k * n, random);
				if (random() % 2) { /* b is stored [n, k] */
					c.b = dense(b, 1 << 20, {n, k});
					swap_dims(c.b, 0, 1);
				}
				expect_good(run(c, mem, GetParam()));
				for (std::uint64_t i = 0; i < m; ++i)
					for (std::uint64_t j = 0; j < n; ++j) {
						const sum s = dot(mem, c, 0, i, j);
						ASSERT_NEAR(real_at(mem, out, offset_at(c.out, 0, i, j)), s.value,
							    tolerance(s, static_cast<double>(k), out))
							<< a << " x " << b << " -> " << out;
					}
			}
}

TEST_P(Gemm, OfBatchesBroadcastsByStridesOfZero)
{
	std::mt19937 random(4);
	arena mem(3 << 20);
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = dense(ATOM_DTYPE_F32, 0, {6, 20, 30});
	c.b = dense(ATOM_DTYPE_F32, 1 << 20, {6, 30, 10});
	c.b.strides[0] = 0;
	c.out = dense(ATOM_DTYPE_F32, 2 << 20, {6, 20, 10});
	c.out.strides[0] += 64;
	put_random(mem, ATOM_DTYPE_F32, 0, 3600, random);
	put_random(mem, ATOM_DTYPE_F32, 1 << 20, 300, random);
	expect_good(run(c, mem, GetParam()));
	for (unsigned b = 0; b < 6; ++b)
		for (unsigned i = 0; i < 20; ++i)
			for (unsigned j = 0; j < 10; ++j) {
				const sum s = dot(mem, c, b, i, j);
				ASSERT_NEAR(*mem.at<float>(offset_at(c.out, b, i, j)), s.value,
					    tolerance(s, 30, ATOM_DTYPE_F32));
			}
	EXPECT_EQ(*mem.at<std::uint32_t>((2 << 20) + 800), 0xa5a5a5a5); /* the gap between matrices */
}

TEST_P(Gemm, OfIntegersIsTheExactSumModulo2To32)
{
	std::mt19937 random(5);
	const unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
	for (const unsigned a : bytes)
		for (const unsigned b : bytes)
			for (const unsigned zero_points : {0, 1}) {
				const std::uint64_t m = 1 + random() % 40, n = 1 + random() % 70, k = 1 + random() % 600;
				arena mem(3 << 20);
				put_random(mem, a, 0, m * k, random);
				put_random(mem, b, 1 << 20, k * n, random);
				auto c = gemm_command(a, b, ATOM_DTYPE_I32, m, n, k);
				const int zp_a = a == ATOM_DTYPE_I8 ? -100 : 250, zp_b = b == ATOM_DTYPE_I8 ? 127 : 3;
				if (zero_points) {
					c.a = quantised(c.a, 0.5f, zp_a);
					c.b = quantised(c.b, 0.25f, zp_b);
				}
				c.epilogue.bias = dense(ATOM_DTYPE_I32, (2 << 20) + (1 << 19), {m, n});
				c.epilogue.bias.strides[0] = 0;
				put_random(mem, ATOM_DTYPE_I8, (2 << 20) + (1 << 19), 4 * n, random);
				expect_good(run(c, mem, GetParam()));
				for (std::uint64_t i = 0; i < m; ++i)
					for (std::uint64_t j = 0; j < n; ++j) {
						std::int64_t acc = *mem.at<std::int32_t>(c.epilogue.bias.offset + 4 * j);
						for (std::uint64_t x = 0; x < k; ++x)
							acc += (static_cast<int>(real_at(mem, a, i * k + x)) - (zero_points ? zp_a : 0)) *
							       (static_cast<int>(real_at(mem, b, (1 << 20) + x * n + j)) -
								(zero_points ? zp_b : 0));
						ASSERT_EQ(*mem.at<std::int32_t>(offset_at(c.out, 0, i, j)),
							  static_cast<std::int32_t>(acc))
							<< a << " x " << b << " zero points " << zero_points;
					}
			}
}

TEST_P(Gemm, RequantisesWithChannelsBiasResidualAndActivation)
{
	arena mem(3 << 20);
	auto c = gemm_command(ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_I8, 2, 3, 4);
	const std::uint8_t a[] = {10, 20, 30, 40, 0, 255, 128, 7};
	const std::int8_t b[] = {1, -2, 3, 4, 5, -6, -7, 8, 9, 100, -100, 127};
	std::copy(a, a + 8, mem.at<std::uint8_t>(0));
	std::copy(b, b + 12, mem.at<std::int8_t>(1 << 20));
	c.a = quantised(c.a, 0.125f, 5);
	const float scales[] = {0.5f, 0.25f, 1};
	const std::int32_t zero_points[] = {0, -3, 12};
	std::copy(scales, scales + 3, mem.at<float>(65536));
	std::copy(zero_points, zero_points + 3, mem.at<std::int32_t>(65600));
	c.b.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0, .zero_point = 0,
		     .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = 65536, .zero_point_offset = 65600};
	c.out = quantised(c.out, 8, -4);
	c.alpha = 0.75f;
	c.epilogue.bias = dense(ATOM_DTYPE_F32, 66560, {2, 3});
	const float bias[] = {1, -2, 3.5f};
	std::copy(bias, bias + 3, mem.at<float>(66560));
	c.epilogue.bias.strides[0] = 0;
	c.epilogue.residual = dense(ATOM_DTYPE_F32, 67584, {2, 3});
	const float residual[] = {4, 0, -1, 20, 30, -40};
	std::copy(residual, residual + 6, mem.at<float>(67584));
	c.epilogue.activation = ATOM_FN_LEAKY_RELU;
	c.epilogue.p0 = 0.5f;
	expect_good(run(c, mem, GetParam()));
	for (int i = 0; i < 2; ++i)
		for (int j = 0; j < 3; ++j) {
			std::int32_t acc = 0;
			for (int k = 0; k < 4; ++k)
				acc += (a[i * 4 + k] - 5) * (b[k * 3 + j] - zero_points[j]);
			/* Every step is exact in float here. */
			double r = acc * (0.125 * scales[j] * 0.75) + bias[j] + residual[i * 3 + j];
			r = r < 0 ? r * 0.5 : r;
			const double q = std::nearbyint(r / 8) - 4;
			EXPECT_EQ(mem.at<std::int8_t>(2 << 20)[i * 3 + j], std::clamp(q, -128.0, 127.0)) << i << ' ' << j;
		}
}

TEST_P(Gemm, AnI32OutputWithAnActivationIsRounded)
{
	arena mem(3 << 20);
	auto c = gemm_command(ATOM_DTYPE_I8, ATOM_DTYPE_I8, ATOM_DTYPE_I32, 1, 2, 1);
	*mem.at<std::int8_t>(0) = 3;
	mem.at<std::int8_t>(1 << 20)[0] = 5;
	mem.at<std::int8_t>(1 << 20)[1] = -5;
	c.alpha = 0.1f;
	c.epilogue.activation = ATOM_FN_RELU;
	expect_good(run(c, mem, GetParam()));
	EXPECT_EQ(mem.at<std::int32_t>(2 << 20)[0], 2);
	EXPECT_EQ(mem.at<std::int32_t>(2 << 20)[1], 0);
}

/* Random blocks along k of b [n][k / 32]; returns the weights. */
std::vector<float> put_blocks(arena &mem, unsigned dtype, std::uint64_t at, std::uint64_t n, std::uint64_t k,
			      std::mt19937 &random)
{
	std::vector<float> weights(n * k);
	const auto bytes = static_cast<std::uint64_t>(size_of(dtype));
	std::uniform_real_distribution<float> scales(0.01f, 0.1f);
	for (std::uint64_t block = 0; block < n * k / 32; ++block) {
		auto *p = mem.at<std::uint8_t>(at + block * bytes);
		const std::uint16_t scale = f32_to_f16(scales(random)), minimum = f32_to_f16(-scales(random));
		std::memcpy(p, &scale, 2);
		const unsigned head = dtype == ATOM_DTYPE_Q4_1 ? 4 : 2;
		if (head == 4)
			std::memcpy(p + 2, &minimum, 2);
		for (std::uint64_t i = head; i < bytes; ++i)
			p[i] = static_cast<std::uint8_t>(random());
		for (unsigned i = 0; i < 32; ++i) {
			float &w = weights[block * 32 + i];
			const std::uint8_t nibbles = p[head + i % 16];
			const int nibble = i < 16 ? nibbles & 15 : nibbles >> 4;
			if (dtype == ATOM_DTYPE_Q8_0)
				w = f16_to_f32(scale) * static_cast<float>(static_cast<std::int8_t>(p[head + i]));
			else if (dtype == ATOM_DTYPE_Q4_0)
				w = f16_to_f32(scale) * static_cast<float>(nibble - 8);
			else
				w = f16_to_f32(scale) * static_cast<float>(nibble) + f16_to_f32(minimum);
		}
	}
	return weights;
}

TEST_P(Gemm, OfBlocksMultipliesTheDequantisedWeights)
{
	std::mt19937 random(6);
	for (const unsigned dtype : {ATOM_DTYPE_Q8_0, ATOM_DTYPE_Q4_0, ATOM_DTYPE_Q4_1})
		for (const bool act_q8 : {false, true})
			for (const std::uint64_t m : {1, 3, 21}) {
				const std::uint64_t n = 19, k = 96;
				arena mem(3 << 20);
				auto c = gemm_command(ATOM_DTYPE_F32, dtype, ATOM_DTYPE_F32, m, n, k);
				c.header.flags = act_q8 ? ATOM_GEMM_ACT_Q8 : 0;
				c.b = dense_blocks(dtype, 1 << 20, {n, k});
				swap_dims(c.b, 0, 1);
				c.b.quant.axis = 0;
				put_random(mem, ATOM_DTYPE_F32, 0, m * k, random);
				const auto weights = put_blocks(mem, dtype, 1 << 20, n, k, random);
				expect_good(run(c, mem, GetParam()));
				for (std::uint64_t i = 0; i < m; ++i)
					for (std::uint64_t j = 0; j < n; ++j) {
						sum s;
						for (std::uint64_t x = 0; x < k; ++x) {
							double a = mem.at<float>(0)[i * k + x];
							if (act_q8) {
								const float *row = mem.at<float>(0) + i * k + x / 32 * 32;
								float most = 0;
								for (unsigned y = 0; y < 32; ++y)
									most = std::max(most, std::fabs(row[y]));
								const float d = most / 127;
								a = static_cast<double>(f16_to_f32(f32_to_f16(d))) *
								    std::round(static_cast<float>(a) / d);
							}
							s.value += a * weights[j * k + x];
							s.magnitude += std::fabs(a * weights[j * k + x]);
						}
						ASSERT_NEAR(mem.at<float>(2 << 20)[i * n + j], s.value,
							    tolerance(s, 96, ATOM_DTYPE_F32))
							<< dtype << " q8 " << act_q8 << " m " << m;
					}
			}
}

TEST_P(Gemm, AFaultInAnOperandEndsTheCommand)
{
	arena mem(3 << 20);
	auto c = gemm_command(ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 32, 32, 32);
	const atom_arg args[] = {{memory_va, 1ull << 40}};
	for (atom_tensor *t : {&c.a, &c.b, &c.out}) {
		auto bad = c;
		reinterpret_cast<atom_tensor *>(reinterpret_cast<char *>(&bad) +
						(reinterpret_cast<char *>(t) - reinterpret_cast<char *>(&c)))
			->offset = 1ull << 39;
		const outcome o = run(bytes_of(bad), mem, GetParam(), fake_memory::mapping::whole, UINT64_MAX, args);
		EXPECT_TRUE(o.decoded);
		EXPECT_EQ(o.why.code, ATOM_FAULT_NOT_PRESENT);
		EXPECT_EQ(o.breach, "");
	}
}

TEST_P(Gemm, ALongTileEndsWhenTheModelAsks)
{
	arena mem(3 << 20);
	std::fill_n(mem.at<float>(0), 4, 1.0f);
	*mem.at<float>(1 << 20) = 1;
	/* 2^34 multiply-accumulates on 4 inputs: minutes, unless the question is asked and the answer heard. */
	auto c = gemm_command(ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 4, 4, 1 << 30);
	c.a.dims[1] = c.b.dims[0] = 1u << 30;
	c.a.strides[0] = 4;
	c.a.strides[1] = c.b.strides[0] = c.b.strides[1] = 0;
	fault why;
	const atom_arg args[] = {whole(mem)};
	const auto op = decode(bytes_of(c), args, {.reference = GetParam()}, why);
	ASSERT_TRUE(op) << why.code;
	fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
	m.interrupts = 3;
	scratch work;
	op->run(0, m, work);
	EXPECT_EQ(m.interrupts, 0u);
	EXPECT_EQ(*mem.at<std::uint32_t>(2 << 20), 0xa5a5a5a5u);
}

TEST_P(Gemm, AnInterruptedTileGoesOnWhereItWas)
{
	/* Sums of 2^24 and more terms on some inputs, in slices; integers, so that not one term may be lost or doubled. */
	arena mem(3 << 20);
	const std::int64_t k = GetParam() ? (1 << 22) + 32 : (1 << 28) + 32;
	for (int i = 0; i < 2; ++i)
		*mem.at<std::int8_t>(static_cast<std::uint64_t>(i)) = static_cast<std::int8_t>(5 - 9 * i);
	*mem.at<std::int8_t>(1 << 20) = 7;
	auto c = gemm_command(ATOM_DTYPE_I8, ATOM_DTYPE_I8, ATOM_DTYPE_I32, 2, 1, 64);
	c.a = quantised(c.a, 1.0f, 3);
	c.b = quantised(c.b, 1.0f, -2);
	c.a.dims[1] = c.b.dims[0] = static_cast<std::uint64_t>(k);
	c.a.strides[0] = 1;
	c.a.strides[1] = c.b.strides[0] = 0;
	c.b.strides[1] = 1;
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
		m.interrupts = GetParam() ? 40 : 5000; /* a slice asks some 2000 times */
		const std::int64_t before = m.kept.k;
		op->run(0, m, work);
		ASSERT_TRUE(!m.was_interrupted || m.kept.k > before) << "nothing was kept";
		EXPECT_LE(m.kept.sums.size(), 8u);
	} while (m.was_interrupted);
	EXPECT_GT(runs, 2);
	for (int i = 0; i < 2; ++i)
		EXPECT_EQ(mem.at<std::uint32_t>(2 << 20)[i],
			  static_cast<std::uint32_t>(k) * static_cast<std::uint32_t>((5 - 9 * i - 3) * (7 + 2)));
}

TEST(GemmFast, OperandsThatCannotBeMappedAreCopiedInSlices)
{
	std::mt19937 random(8);
	const std::uint64_t m = 5, n = 33, k = 60000;
	for (const unsigned type : {ATOM_DTYPE_F32, ATOM_DTYPE_I8}) {
		const auto bytes = static_cast<std::uint64_t>(size_of(type));
		arena mem((m + n) * k * 4 + 65536);
		auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
		c.alpha = 1;
		c.a = dense(type, 0, {m, k});
		c.b = dense(type, m * k * bytes, {n, k});
		swap_dims(c.b, 0, 1);
		const std::uint64_t out = ((m + n) * k * bytes + 63) / 64 * 64;
		c.out = dense(type == ATOM_DTYPE_F32 ? ATOM_DTYPE_F32 : ATOM_DTYPE_I32, out, {m, n});
		put_random(mem, type, 0, (m + n) * k, random);
		expect_good(run(bytes_of(c), mem, false, fake_memory::mapping::never));
		for (std::uint64_t i = 0; i < m; ++i)
			for (std::uint64_t j = 0; j < n; ++j) {
				const sum s = dot(mem, c, 0, i, j);
				if (type == ATOM_DTYPE_F32) {
					ASSERT_NEAR(*mem.at<float>(offset_at(c.out, 0, i, j)), s.value,
						    tolerance(s, static_cast<double>(k), ATOM_DTYPE_F32));
				} else {
					ASSERT_EQ(*mem.at<std::int32_t>(offset_at(c.out, 0, i, j)), s.value);
				}
			}
	}
}

/* For two threads to share, if there is enough to do. */
TEST(GemmTiles, AreAnEvenNumber)
{
	struct shape {
		std::uint64_t batch, m, n, k;
	};
	static constexpr shape shapes[] = {
		{1, 1, 192, 768},  {1, 1, 576, 576},   {1, 1, 1536, 576},  {1, 1, 1000, 1280}, {1, 3, 49152, 576}, {1, 42, 192, 576},
		{1, 256, 576, 64}, {1, 500, 64, 576},  {1, 384, 384, 384}, {1, 700, 700, 64},  {9, 1, 200, 64},    {12, 128, 128, 64},
	};
	const auto tiles = [](const shape &s) {
		auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
		c.alpha = 1;
		c.a = dense(ATOM_DTYPE_F32, 0, {s.batch, s.m, s.k});
		c.b = dense(ATOM_DTYPE_F16, 16 << 20, {s.batch, s.n, s.k});
		swap_dims(c.b, 1, 2);
		c.out = dense(ATOM_DTYPE_F32, 128 << 20, {s.batch, s.m, s.n});
		const atom_arg args[] = {{.va = 1 << 20, .bytes = 256 << 20}};
		fault why;
		const auto op = decode(bytes_of(c), args, {}, why);
		EXPECT_TRUE(op) << "field " << why.field;
		return op ? op->tiles() : 0;
	};
	for (const shape &s : shapes) {
		const std::uint64_t n = tiles(s);
		EXPECT_TRUE(n > 1 && n % 2 == 0) << n << ": " << s.batch << " x " << s.m << " x " << s.n << " x " << s.k;
	}
	EXPECT_EQ(tiles({1, 1, 64, 64}), 1u);
	EXPECT_EQ(tiles({1, 32, 32, 64}), 1u);
}

} // namespace
} // namespace atom::engine::test
