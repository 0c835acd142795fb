/* SPDX-License-Identifier: MIT */
/*
 * SELECT and GLU: their fields, what they mean, and the fast engine against the reference.
 */
#include "fields.h"
#include "random_commands.h"

namespace atom::engine::test {
namespace {

atom_cmd_select select_command()
{
	auto c = command<atom_cmd_select>(ATOM_OP_SELECT);
	c.cond = dense(ATOM_DTYPE_U8, 0, {5, 7});
	c.a = dense(ATOM_DTYPE_F32, 1024, {5, 7});
	c.b = dense(ATOM_DTYPE_F32, 2048, {5, 7});
	c.out = dense(ATOM_DTYPE_F32, 4096, {5, 7});
	return c;
}

atom_cmd_glu glu_command()
{
	auto c = command<atom_cmd_glu>(ATOM_OP_GLU);
	c.function = ATOM_FN_RELU;
	c.gate = dense(ATOM_DTYPE_F32, 0, {5, 7});
	c.value = dense(ATOM_DTYPE_F16, 1024, {5, 7});
	c.out = dense(ATOM_DTYPE_F32, 4096, {5, 7});
	return c;
}

atom_cmd_glu packed_glu_command()
{
	auto c = glu_command();
	c.gate = dense(ATOM_DTYPE_F32, 0, {5, 14});
	c.value = {};
	return c;
}

TEST(Fields, Select)
{
	const wrong_field w(select_command());
	header_fields(w, 1);
	tensor_fields(w, offsetof(atom_cmd_select, cond), false);
	tensor_fields(w, offsetof(atom_cmd_select, a), false);
	tensor_fields(w, offsetof(atom_cmd_select, b), false);
	tensor_fields(w, offsetof(atom_cmd_select, out), true);
	w.expect(offsetof(atom_cmd_select, cond.dtype), std::uint8_t{ATOM_DTYPE_I8}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_select, a.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_select, b.dtype), std::uint8_t{ATOM_DTYPE_BF16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_select, a.dtype), std::uint8_t{ATOM_DTYPE_Q8_0}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_select, cond.dims[1]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_select, a.dims[0]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_select, b.dims[1]), std::uint64_t{6}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_select, a.quant.scale), nan, ATOM_FAULT_NONE, 0); /* not looked at */
	w.expect(offsetof(atom_cmd_select, out.offset), std::uint64_t{1024}, ATOM_FAULT_NONE, 0); /* in place */
	w.expect(offsetof(atom_cmd_select, out.offset), std::uint64_t{1028}, ATOM_FAULT_OVERLAP);
	w.expect(offsetof(atom_cmd_select, out.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);
	EXPECT_EQ(decode_fault(bytes_of(select_command()), 5).field, offsetof(atom_cmd_select, out.dims));
}

TEST(Fields, Glu)
{
	const wrong_field w(glu_command());
	header_fields(w, 2);
	header_fields(w, ATOM_GLU_SWAPPED); /* nothing is packed */
	for (const unsigned f : {ATOM_FN_TANH + 0, ATOM_FN_LUT + 0, ATOM_FN_CLIP + 0, ATOM_FN_EXP + 0, 21, 1 << 30})
		w.expect(offsetof(atom_cmd_glu, function), f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_glu, p0), 1.0f, ATOM_FAULT_BAD_FIELD);
	for (const float limit : {-1.0f, nan, inf})
		w.expect(offsetof(atom_cmd_glu, limit), limit, ATOM_FAULT_BAD_FIELD);
	for (const float bias : {nan, inf})
		w.expect(offsetof(atom_cmd_glu, bias), bias, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_glu, gate), false);
	tensor_fields(w, offsetof(atom_cmd_glu, value), false, true);
	tensor_fields(w, offsetof(atom_cmd_glu, out), true);
	for (const std::size_t t : {offsetof(atom_cmd_glu, gate), offsetof(atom_cmd_glu, value), offsetof(atom_cmd_glu, out)})
		w.expect(t + offsetof(atom_tensor, dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_glu, gate.dims[0]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_glu, value.dims[1]), std::uint64_t{6}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_glu, out.offset), std::uint64_t{0}, ATOM_FAULT_NONE, 0); /* in place */
	w.expect(offsetof(atom_cmd_glu, out.offset), std::uint64_t{1024}, ATOM_FAULT_OVERLAP);
	auto c = glu_command();
	c.function = ATOM_FN_SILU;
	c.p0 = nan;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_glu, p0));
}

TEST(Fields, PackedGlu)
{
	const wrong_field w(packed_glu_command());
	absent_tensor(w, offsetof(atom_cmd_glu, value));
	w.expect(offsetof(atom_cmd_glu, header.flags), std::uint16_t{ATOM_GLU_SWAPPED}, ATOM_FAULT_NONE, 0);
	w.expect(offsetof(atom_cmd_glu, gate.dims[0]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_glu, gate.dims[1]), std::uint64_t{13}, ATOM_FAULT_BAD_SHAPE);
	/* The output is a half, and so not exactly the input. */
	w.expect(offsetof(atom_cmd_glu, out.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);
	auto c = packed_glu_command();
	c.gate = dense(ATOM_DTYPE_F32, 0, {});
	c.out = dense(ATOM_DTYPE_F32, 4096, {});
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_SHAPE);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_glu, gate.rank));
}

class Choice : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engine, Choice, testing::Bool(),
			 [](const auto &info) { return info.param ? "Reference" : "Fast"; });

template <class T> void expect_good(const T &c, arena &mem, bool reference)
{
	const outcome o = run(c, mem, reference);
	EXPECT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
	EXPECT_EQ(o.why.code, ATOM_FAULT_NONE);
	EXPECT_EQ(o.breach, "");
}

TEST_P(Choice, AnyConditionButZeroSelectsTheFirst)
{
	arena mem(16384);
	for (unsigned i = 0; i < 300; ++i) {
		mem.at<std::uint8_t>(0)[i] = static_cast<std::uint8_t>(i % 3 ? i : 0);
		mem.at<std::int64_t>(1024)[i] = i;
		mem.at<std::int64_t>(4096)[i] = -static_cast<std::int64_t>(i);
	}
	auto c = command<atom_cmd_select>(ATOM_OP_SELECT);
	c.cond = dense(ATOM_DTYPE_U8, 0, {300});
	c.a = dense(ATOM_DTYPE_I64, 1024, {300});
	c.b = dense(ATOM_DTYPE_I64, 4096, {300});
	c.out = c.b;
	expect_good(c, mem, GetParam());
	for (unsigned i = 0; i < 300; ++i) {
		const bool first = i % 3 && i != 256;
		ASSERT_EQ(mem.at<std::int64_t>(4096)[i], first ? i : -static_cast<std::int64_t>(i)) << i;
	}
}

TEST_P(Choice, TheGateOpensTheValueWithItsBias)
{
	arena mem(16384);
	const float gate[] = {2, -3, 5}, value[] = {10, 20, -30};
	std::copy(std::begin(gate), std::end(gate), mem.at<float>(0));
	std::copy(std::begin(value), std::end(value), mem.at<float>(1024));
	auto c = command<atom_cmd_glu>(ATOM_OP_GLU);
	c.function = ATOM_FN_RELU;
	c.bias = 1;
	c.gate = dense(ATOM_DTYPE_F32, 0, {3});
	c.value = dense(ATOM_DTYPE_F32, 1024, {3});
	c.out = dense(ATOM_DTYPE_F32, 4096, {3});
	const auto is = [&](std::vector<float> expected) {
		expect_good(c, mem, GetParam());
		EXPECT_EQ(std::vector<float>(mem.at<float>(4096), mem.at<float>(4096) + 3), expected);
	};
	is({22, 0, -145});
	/* gate 2, -3, 4; value 4, 4, -4, and then the bias */
	c.limit = 4;
	is({10, 0, -12});
}

TEST_P(Choice, APackedInputIsTwoHalvesAndTheGateMayBeTheSecond)
{
	arena mem(16384);
	for (unsigned i = 0; i < 8; ++i)
		mem.at<float>(0)[i] = static_cast<float>(i);
	for (const bool swapped : {false, true}) {
		auto c = command<atom_cmd_glu>(ATOM_OP_GLU, swapped ? ATOM_GLU_SWAPPED : 0);
		c.function = ATOM_FN_RELU;
		c.gate = dense(ATOM_DTYPE_F32, 12, {2, 4});
		c.gate.strides[1] = static_cast<std::uint64_t>(-4); /* 3, 2 | 1, 0 and 7, 6 | 5, 4 */
		c.out = dense(ATOM_DTYPE_F32, 4096, {2, 2});
		c.bias = 1;
		expect_good(c, mem, GetParam());
		const std::vector<float> expected = swapped ? std::vector<float>{4, 0, 40, 28} : std::vector<float>{6, 2, 42, 30};
		EXPECT_EQ(std::vector<float>(mem.at<float>(4096), mem.at<float>(4096) + 4), expected);
	}
}

class FastChoice : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, FastChoice, instruction_sets(), instruction_set_name);

TEST_P(FastChoice, SelectIsTheSame)
{
	for (unsigned seed = 0; seed < 60; ++seed) {
		generator g(6000 + seed);
		static constexpr unsigned all[] = {ATOM_DTYPE_I8, ATOM_DTYPE_BF16, ATOM_DTYPE_F32, ATOM_DTYPE_I64};
		const unsigned dtype = g.one_of(all);
		const auto dims = g.dims();
		auto c = command<atom_cmd_select>(ATOM_OP_SELECT);
		c.cond = g.tensor(ATOM_DTYPE_U8, dims, false);
		c.a = g.tensor(dtype, dims, false);
		c.b = g.tensor(dtype, dims, false);
		c.out = g.tensor(dtype, dims, true);
		if (g.rarely())
			c.a = c.out;
		arena expected(random_memory_bytes);
		g.fill(expected, 0);
		for (std::uint64_t i = 0; i < arrays_at; i += 1 + g.below(4))
			*expected.at<std::uint8_t>(i) = 0;
		const arena start = expected;
		ASSERT_TRUE(run(c, expected, true).decoded) << "seed " << seed;
		for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
			arena mem = start;
			const outcome fast = run(bytes_of(c), mem, false, how);
			ASSERT_EQ(fast.breach, "") << "seed " << seed;
			ASSERT_TRUE(mem == expected) << "seed " << seed << " dtype " << dtype;
		}
	}
}

TEST_P(FastChoice, GluIsTheSame)
{
	static constexpr unsigned functions[] = {ATOM_FN_IDENTITY, ATOM_FN_RELU, ATOM_FN_SIGMOID, ATOM_FN_GELU_ERF,
						 ATOM_FN_GELU_TANH, ATOM_FN_SILU, ATOM_FN_GELU_QUICK};
	for (unsigned seed = 0; seed < 60; ++seed) {
		generator g(6100 + seed);
		auto dims = g.dims();
		auto c = command<atom_cmd_glu>(ATOM_OP_GLU);
		c.function = g.one_of(functions);
		c.p0 = c.function == ATOM_FN_SILU ? 0.75f : 0;
		c.limit = g.below(2) ? 7 : 0;
		c.bias = g.below(2) ? 1 : 0;
		const unsigned from = g.one_of(floats);
		const bool packed = !dims.empty() && g.below(2);
		if (!packed)
			c.value = g.tensor(g.one_of(floats), dims, false);
		c.out = g.tensor(g.one_of(floats), dims, true);
		if (packed) {
			c.header.flags = static_cast<std::uint16_t>(g.below(2));
			dims.back() *= 2;
		}
		c.gate = g.tensor(from, dims, false);
		expect_same(c, c.out, g, seed, from);
	}
}

} // namespace
} // namespace atom::engine::test
