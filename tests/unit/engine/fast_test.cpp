/* SPDX-License-Identifier: MIT */
/*
 * The fast engine against the reference on random commands: elementwise commands
 * to the bit, wherever operands lie and whatever the host can map; nothing but
 * the output's elements may change.
 */
#include "random_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t memory_bytes = random_memory_bytes;

class FastAgainstReference : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, FastAgainstReference, instruction_sets(), instruction_set_name);

TEST_P(FastAgainstReference, CopyIsTheSame)
{
	for (unsigned seed = 0; seed < 60; ++seed) {
		generator g(seed);
		static constexpr unsigned all[] = {ATOM_DTYPE_I8, ATOM_DTYPE_I16, ATOM_DTYPE_F32, ATOM_DTYPE_I64};
		const unsigned dtype = g.one_of(all);
		const bool fill = g.rarely();
		const auto dims = g.dims();
		auto c = command<atom_cmd_copy>(ATOM_OP_COPY, fill ? ATOM_COPY_FILL : 0);
		if (fill)
			c.fill = 0x1122334455667788 & (~0ull >> (64 - 8 * size_of(dtype)));
		else
			c.in = g.tensor(dtype, dims, false);
		c.out = g.tensor(dtype, dims, true);
		expect_same(c, c.out, g, seed, 0);
	}
}

TEST_P(FastAgainstReference, CastIsTheSame)
{
	for (unsigned seed = 0; seed < 150; ++seed) {
		generator g(1000 + seed);
		const auto dims = g.dims();
		auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
		const unsigned from = g.below(2) ? g.one_of(floats) : g.one_of(integers);
		const unsigned to = g.below(2) ? g.one_of(floats) : g.one_of(integers);
		c.in = g.tensor(from, dims, false);
		c.out = g.tensor(to, dims, true);
		const bool from_integer = from < ATOM_DTYPE_F16, to_integer = to < ATOM_DTYPE_F16;
		if (from_integer && g.below(2))
			g.quantise(c.in);
		const bool quantised = to_integer && g.below(2);
		if (quantised)
			g.quantise(c.out);
		if (to_integer)
			c.rounding = g.below(2);
		if (to_integer && !quantised)
			c.header.flags = static_cast<std::uint16_t>(g.below(2));
		expect_same(c, c.out, g, seed, from);
	}
}

TEST_P(FastAgainstReference, CastFromBlocksIsTheSame)
{
	for (unsigned seed = 0; seed < 30; ++seed) {
		generator g(2000 + seed);
		static constexpr unsigned blocks[] = {ATOM_DTYPE_Q8_0, ATOM_DTYPE_Q4_0, ATOM_DTYPE_Q4_1};
		std::vector<std::uint64_t> dims = {1 + g.below(5), 1 + g.below(40), 32 * (1 + g.below(4))};
		auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
		c.in = dense_blocks(g.one_of(blocks), 1 << 20, dims);
		const unsigned axis = g.below(3);
		swap_dims(c.in, axis, 2);
		c.in.quant.axis = static_cast<std::uint8_t>(axis);
		std::swap(dims[axis], dims[2]);
		c.out = g.tensor(g.one_of(floats), dims, true);
		expect_same(c, c.out, g, seed, ATOM_DTYPE_F16);
	}
}

TEST_P(FastAgainstReference, UnaryIsTheSame)
{
	for (unsigned f = 0; f < ATOM_FN_COUNT; ++f) {
		if (f == ATOM_FN_LUT || (f > ATOM_FN_GELU_QUICK && f < ATOM_FN_ABS) ||
		    (f > ATOM_FN_ATANH && f < ATOM_FN_LOGICAL_NOT))
			continue;
		const bool truth = f == ATOM_FN_LOGICAL_NOT || f == ATOM_FN_IS_NAN || f == ATOM_FN_IS_INF;
		const bool bits = f == ATOM_FN_BITWISE_NOT;
		const bool integer_form = bits || f <= ATOM_FN_CLIP || f == ATOM_FN_ABS || f == ATOM_FN_NEG ||
					  f == ATOM_FN_SIGN || f == ATOM_FN_SQUARE || f == ATOM_FN_LOGICAL_NOT;
		for (const bool integer : {false, true}) {
			if (integer ? !integer_form : bits)
				continue;
			generator g(3000 + f);
			const auto dims = g.dims();
			auto c = command<atom_cmd_unary>(ATOM_OP_UNARY);
			c.function = f;
			const bool two = f == ATOM_FN_CLIP || f == ATOM_FN_HARD_SIGMOID || f == ATOM_FN_SELU ||
					 f == ATOM_FN_SHRINK || f == ATOM_FN_IS_INF;
			if (two || f == ATOM_FN_LEAKY_RELU || f == ATOM_FN_SILU || f == ATOM_FN_ELU ||
			    f == ATOM_FN_CELU || f == ATOM_FN_THRESHOLDED_RELU)
				c.p0 = 0.7f;
			if (two)
				c.p1 = 1.3f;
			const unsigned dtype = integer ? g.one_of(integers) : g.one_of(floats);
			c.in = g.tensor(dtype, dims, false);
			const unsigned to = truth ? unsigned{ATOM_DTYPE_U8} : integer ? dtype : g.rarely() ? unsigned{ATOM_DTYPE_I8} : g.one_of(floats);
			c.out = g.tensor(to, dims, true);
			if (!truth && !integer && to == ATOM_DTYPE_I8)
				g.quantise(c.out);
			expect_same(c, c.out, g, f, dtype);
		}
	}
}

TEST_P(FastAgainstReference, BinaryIsTheSame)
{
	for (unsigned kind = 0; kind <= ATOM_BINARY_SHR; ++kind) {
		if ((kind > ATOM_BINARY_ATAN2 && kind < ATOM_BINARY_EQ) ||
		    (kind > ATOM_BINARY_GE && kind < ATOM_BINARY_LOGICAL_AND) ||
		    (kind > ATOM_BINARY_LOGICAL_XOR && kind < ATOM_BINARY_AND))
			continue;
		const bool truth = kind >= ATOM_BINARY_EQ && kind <= ATOM_BINARY_LOGICAL_XOR;
		for (unsigned seed = 0; seed < 6; ++seed) {
			const bool integer = seed % 2;
			if (integer ? kind == ATOM_BINARY_ATAN2 : kind >= ATOM_BINARY_AND)
				continue;
			generator g(4000 + kind * 16 + seed);
			const auto dims = g.dims();
			auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
			c.kind = kind;
			const unsigned dtype = g.one_of(integers);
			const auto input = [&] {
				if (integer)
					return g.tensor(dtype, dims, false);
				if (!g.rarely())
					return g.tensor(g.one_of(floats), dims, false);
				atom_tensor t = g.tensor(g.one_of(integers), dims, false);
				g.quantise(t);
				return t;
			};
			c.a = input();
			c.b = input();
			if (truth) {
				c.out = g.tensor(ATOM_DTYPE_U8, dims, true);
			} else if (integer) {
				c.out = g.tensor(dtype, dims, true);
			} else {
				const bool bytes = g.below(2);
				c.out = g.tensor(bytes ? unsigned{ATOM_DTYPE_I8} : g.one_of(floats), dims, true);
				if (bytes)
					g.quantise(c.out);
				if (g.below(2))
					c.epilogue.residual = input();
				c.epilogue.activation = bytes && g.below(2) ? ATOM_FN_LUT : g.below(2) ? ATOM_FN_RELU : ATOM_FN_TANH;
				if (c.epilogue.activation == ATOM_FN_LUT)
					c.epilogue.lut = {.slot = 1, .reserved0 = 0, .reserved1 = 0, .offset = 1};
				if (c.epilogue.activation == ATOM_FN_LUT)
					c.epilogue.lut.offset = arrays_at - 300;
			}
			expect_same(c, c.out, g, seed, ATOM_DTYPE_F32);
		}
	}
}

/* What is read where it lies, repeated, and written where it goes: any bits, signalling NaN among them, and operands that are the output. */
TEST_P(FastAgainstReference, BinaryOfFloatsInPlaceIsTheSame)
{
	const std::vector<std::uint64_t> dims = {3, 700};
	const atom_tensor out = dense(ATOM_DTYPE_F32, 0, dims), apart = dense(ATOM_DTYPE_F32, 16 << 10, dims);
	atom_tensor scalar = dense(ATOM_DTYPE_F32, 32 << 10, dims);
	scalar.strides[0] = scalar.strides[1] = 0;
	atom_tensor column = scalar;
	column.strides[0] = 8;
	const atom_tensor inputs[] = {out, apart, scalar, column};
	for (unsigned kind = 0; kind <= ATOM_BINARY_ATAN2; ++kind)
		for (const atom_tensor &a : inputs)
			for (const atom_tensor &b : inputs)
				for (const unsigned end : {0, 1, 2, 3}) {
					generator g(kind);
					auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
					c.kind = kind;
					c.a = a;
					c.b = b;
					c.out = out;
					c.epilogue.activation = end & 1 ? ATOM_FN_HARD_SWISH : ATOM_FN_IDENTITY;
					if (end & 2)
						c.epilogue.residual = out;
					arena expected(64 << 10);
					for (std::uint64_t i = 0; i < (64 << 10); ++i)
						*expected.at<std::uint8_t>(i) = static_cast<std::uint8_t>(g.below(256));
					for (unsigned i = 0; i < 2100; i += 70) { /* signalling, quiet */
						expected.at<std::uint32_t>(0)[i] = 0x7f800001 + i;
						expected.at<std::uint32_t>(16 << 10)[i + 1] = 0xffc00001;
					}
					arena mem = expected;
					ASSERT_EQ(run(c, expected, true).why.code, ATOM_FAULT_NONE);
					EXPECT_EQ(run(c, mem, false).breach, "");
					for (std::uint64_t i = 0; i < 2100; ++i) { /* which of two NaN it is, no engine promises */
						std::uint32_t &x = mem.at<std::uint32_t>(0)[i];
						const std::uint32_t y = expected.at<std::uint32_t>(0)[i], quiet = 0x7fc00000;
						if ((x & quiet) == quiet && (y & quiet) == quiet)
							x = y;
					}
					ASSERT_TRUE(mem == expected) << "kind " << kind << ", a at " << a.offset << ", b at " << b.offset << ", end " << end;
				}
}

/* Of one pass over registers: whole and broken vectors, sums in the middle between two outputs, in place. */
TEST_P(FastAgainstReference, SumsOfQuantisedBytesAreTheSame)
{
	static constexpr unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
	static constexpr unsigned activations[] = {ATOM_FN_IDENTITY, ATOM_FN_RELU, ATOM_FN_CLIP};
	static constexpr float scales[] = {0.25f, 0.5f, 1, 0.7f, 0.013f, 0x1p-70f, 0x1p90f, 0x1.fp126f};
	for (unsigned seed = 0; seed < 200; ++seed) {
		generator g(8000 + seed);
		const std::vector<std::uint64_t> dims = {1 + g.below(3), 1 + g.below(1500)};
		const auto operand = [&] {
			const unsigned dtype = g.one_of(bytes);
			return quantised(g.tensor(dtype, dims, true), g.one_of(scales),
					 static_cast<int>(g.below(256)) - (dtype == ATOM_DTYPE_I8 ? 128 : 0));
		};
		auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
		c.kind = ATOM_BINARY_ADD;
		c.a = operand();
		c.b = operand();
		c.out = g.rarely() ? c.a : operand();
		c.epilogue.activation = static_cast<std::uint16_t>(g.one_of(activations));
		if (c.epilogue.activation == ATOM_FN_CLIP) {
			c.epilogue.p0 = -3;
			c.epilogue.p1 = 10;
		}
		expect_same(c, c.out, g, seed, ATOM_DTYPE_U8);
	}
}

/* Random products: integers to the bit, floats within the specification's bound of each other. */
TEST_P(FastAgainstReference, GemmIsTheSameOrNear)
{
	for (unsigned seed = 0; seed < 40; ++seed) {
		generator g(5000 + seed);
		const std::uint64_t m = 1 + g.below(g.rarely() ? 300 : 24), n = 1 + g.below(g.rarely() ? 600 : 40),
				    k = 1 + g.below(g.rarely() ? 700 : 40), batch = 1 + g.below(3);
		const bool integer = g.below(2);
		static constexpr unsigned bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
		auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
		c.alpha = g.rarely() ? 0.5f : 1;
		c.a = g.tensor(integer ? g.one_of(bytes) : g.one_of(floats), {batch, m, k}, false);
		c.b = g.tensor(integer ? g.one_of(bytes) : g.one_of(floats), {batch, k, n}, false);
		if (integer) {
			c.a = quantised(c.a, 0.05f, 7);
			if (g.below(2)) {
				do {
					c.b.quant = {};
					g.quantise(c.b);
				} while (c.b.quant.kind == ATOM_QUANT_PER_CHANNEL && c.b.quant.axis != 2);
			}
		}
		const bool exact = integer && c.alpha == 1 && g.below(2);
		if (exact) {
			c.out = g.tensor(ATOM_DTYPE_I32, {batch, m, n}, true);
		} else {
			c.out = g.tensor(integer ? unsigned{ATOM_DTYPE_I8} : unsigned{ATOM_DTYPE_F32}, {batch, m, n}, true);
			if (integer)
				g.quantise(c.out);
			c.epilogue.activation = ATOM_FN_LEAKY_RELU;
			c.epilogue.p0 = 0.25f;
		}
		if (g.below(2)) {
			c.epilogue.bias = g.tensor(integer && g.below(2) ? ATOM_DTYPE_I32 : ATOM_DTYPE_F32, {1, 1, n}, false);
			if (exact)
				c.epilogue.bias.dtype = ATOM_DTYPE_I32;
			c.epilogue.bias.dims[0] = batch;
			c.epilogue.bias.dims[1] = m;
			c.epilogue.bias.strides[0] = c.epilogue.bias.strides[1] = 0;
		}
		arena expected(memory_bytes);
		g.fill(expected, 0);
		/* Every half word is in [1, 2) as f16, below that as bf16, and two are as f32. */
		for (std::uint64_t i = 0; i < arrays_at / 2 && !integer; ++i)
			expected.at<std::uint16_t>(0)[i] =
				static_cast<std::uint16_t>((g.below(2) ? 0x3c00 : 0xbc00) + g.below(0x400));
		const arena start = expected;
		const outcome reference = run(c, expected, true);
		ASSERT_TRUE(reference.decoded) << "seed " << seed << " code " << reference.why.code << " field " << reference.why.field;
		ASSERT_EQ(reference.breach, "");
		for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::never}) {
			arena mem = start;
			const outcome fast = run(bytes_of(c), mem, false, how);
			ASSERT_EQ(fast.breach, "") << "seed " << seed;
			ASSERT_EQ(fast.why.code, ATOM_FAULT_NONE);
			if (integer) {
				ASSERT_TRUE(mem == expected) << "seed " << seed;
				continue;
			}
			/* All products are below 2 * 2 = 4 in size. */
			const double bound = 0x1p-22 * std::sqrt(static_cast<double>(k)) * 4 * static_cast<double>(k) * 1.5;
			for (std::uint64_t i = 0; i < memory_bytes / 4; ++i) {
				const float x = mem.at<float>(0)[i], y = expected.at<float>(0)[i];
				if (std::memcmp(&x, &y, 4) != 0) {
					ASSERT_NEAR(x, y, bound + 0x1p-22 * std::fabs(y)) << "seed " << seed << " word " << i;
				}
			}
		}
	}
}

} // namespace
} // namespace atom::engine::test
