/* SPDX-License-Identifier: MIT */
/*
 * ROPE: against rotary embeddings written as llama.cpp and ONNX define them, the
 * fast engine against the reference, and wrong fields.
 */
#include "fields.h"
#include "random_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t in_at = 0, positions_at = 16384, factors_at = 20480, cos_at = 24576, sin_at = 28672,
			out_at = 32768;

atom_cmd_rope rope_command(unsigned flags, unsigned rotary_dims, const std::vector<std::uint64_t> &dims, unsigned axis)
{
	auto c = command<atom_cmd_rope>(ATOM_OP_ROPE, flags);
	c.rotary_dims = rotary_dims;
	c.base = 10000;
	c.frequency_scale = 1;
	c.attention = 1;
	c.in = dense(ATOM_DTYPE_F32, in_at, dims);
	c.positions = dense(ATOM_DTYPE_I32, positions_at, {dims[axis]});
	c.out = dense(ATOM_DTYPE_F32, out_at, dims);
	c.position_axis = axis;
	return c;
}

/* ONNX RotaryEmbedding: tables, and which row of them a position takes. */
void to_tables(atom_cmd_rope &c, const std::vector<std::uint64_t> &dims)
{
	c.base = c.frequency_scale = c.attention = 0;
	c.cos = dense(ATOM_DTYPE_F32, cos_at, dims);
	c.sin = dense(ATOM_DTYPE_F32, sin_at, dims);
}

/* Cosine and sine of pair @pair at @position, as ggml's rope_yarn() has them. */
void yarn(const atom_cmd_rope &c, float position, unsigned pair, float factor, float &cosine, float &sine)
{
	const auto n_dims = static_cast<float>(c.rotary_dims);
	float extrapolated = position;
	for (unsigned i = 0; i < pair; ++i)
		extrapolated *= powf(c.base, -2.0f / n_dims);
	extrapolated /= factor;
	float theta = c.frequency_scale * extrapolated, scale = c.attention;
	if (c.extrapolation != 0) {
		const auto dimension = [&](float beta) {
			return n_dims * logf(static_cast<float>(c.original_context) / (beta * 2 * 3.14159265358979f)) / (2 * logf(c.base));
		};
		const float low = std::max(0.0f, floorf(dimension(c.beta_fast)));
		const float high = std::min(n_dims - 1, ceilf(dimension(c.beta_slow)));
		const float y = (static_cast<float>(pair) - low) / std::max(0.001f, high - low);
		const float mix = (1 - std::min(1.0f, std::max(0.0f, y))) * c.extrapolation;
		theta = theta * (1 - mix) + extrapolated * mix;
		scale *= 1.0f + 0.1f * logf(1.0f / c.frequency_scale);
	}
	cosine = cosf(theta) * scale;
	sine = sinf(theta) * scale;
}

class Rope : public testing::TestWithParam<bool> {
protected:
	Rope() : mem(65536)
	{
		for (unsigned i = 0; i < 4096; ++i)
			mem.at<float>(in_at)[i] = std::sin(static_cast<float>(i) * 0.37f) * 3;
		for (unsigned i = 0; i < 64; ++i) {
			mem.at<std::int32_t>(positions_at)[i] = static_cast<std::int32_t>(i * i * 7 + 1);
			mem.at<float>(factors_at)[i] = 1 + static_cast<float>(i) / 16;
		}
		for (unsigned i = 0; i < 1024; ++i) {
			mem.at<float>(cos_at)[i] = std::cos(static_cast<float>(i) * 0.11f);
			mem.at<float>(sin_at)[i] = std::sin(static_cast<float>(i) * 0.11f);
		}
	}
	void good(const atom_cmd_rope &c)
	{
		const outcome o = run(c, mem, GetParam());
		ASSERT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
		ASSERT_EQ(o.why.code, ATOM_FAULT_NONE);
		ASSERT_EQ(o.breach, "");
	}
	/* One row of @width elements at @row, turned by what @angle gives for each pair. */
	template <class Angle> void expect_row(const atom_cmd_rope &c, unsigned row, unsigned width, Angle angle)
	{
		const float *x = mem.at<float>(in_at) + row * width, *y = mem.at<float>(out_at) + row * width;
		const unsigned pairs = c.rotary_dims / 2;
		for (unsigned pair = 0; pair < pairs; ++pair) {
			const bool interleaved = c.header.flags & ATOM_ROPE_INTERLEAVED;
			const unsigned a = interleaved ? 2 * pair : pair, b = interleaved ? 2 * pair + 1 : pair + pairs;
			float cosine, sine;
			angle(pair, cosine, sine);
			if (c.header.flags & ATOM_ROPE_INVERSE)
				sine = -sine;
			EXPECT_NEAR(y[a], x[a] * cosine - x[b] * sine, 1e-5) << "row " << row << " pair " << pair;
			EXPECT_NEAR(y[b], x[a] * sine + x[b] * cosine, 1e-5) << "row " << row << " pair " << pair;
		}
		for (unsigned i = c.rotary_dims; i < width; ++i)
			EXPECT_EQ(y[i], x[i]);
	}

	arena mem;
};

TEST_P(Rope, TurnsByPositionTimesFrequencyAsLlamaCppDoes)
{
	for (const unsigned flags : {0u, 0u + ATOM_ROPE_INTERLEAVED, 0u + ATOM_ROPE_INVERSE}) {
		for (const float extrapolation : {0.0f, 0.7465f}) {
			/* [tokens, heads, head dims], six of eight turn. */
			auto c = rope_command(flags, 6, {5, 3, 8}, 0);
			c.factors = dense(ATOM_DTYPE_F32, factors_at, {3});
			c.frequency_scale = 0.5f;
			c.attention = 1.25f;
			c.extrapolation = extrapolation;
			if (extrapolation != 0) {
				c.original_context = 512;
				c.beta_fast = 32;
				c.beta_slow = 1;
			}
			good(c);
			for (unsigned row = 0; row < 15; ++row)
				expect_row(c, row, 8, [&](unsigned pair, float &cosine, float &sine) {
					yarn(c, static_cast<float>(mem.at<std::int32_t>(positions_at)[row / 3]), pair,
					     mem.at<float>(factors_at)[pair], cosine, sine);
				});
		}
	}
}

TEST_P(Rope, YarnMixesOverAllPairsOfAWideHead)
{
	auto c = rope_command(0, 128, {4, 128}, 0);
	c.frequency_scale = 0.25f;
	c.extrapolation = 1;
	c.original_context = 4096;
	c.beta_fast = 32;
	c.beta_slow = 1;
	good(c);
	for (unsigned row = 0; row < 4; ++row)
		expect_row(c, row, 128, [&](unsigned pair, float &cosine, float &sine) {
			yarn(c, static_cast<float>(mem.at<std::int32_t>(positions_at)[row]), pair, 1, cosine, sine);
		});
}

TEST_P(Rope, InverseTurnsBack)
{
	auto c = rope_command(ATOM_ROPE_INTERLEAVED, 8, {4, 8}, 0);
	const std::vector<float> start(mem.at<float>(in_at), mem.at<float>(in_at) + 32);
	good(c);
	std::copy_n(mem.at<float>(out_at), 32, mem.at<float>(in_at));
	c.header.flags |= ATOM_ROPE_INVERSE;
	c.out = c.in; /* in place */
	good(c);
	for (unsigned i = 0; i < 32; ++i)
		EXPECT_NEAR(mem.at<float>(in_at)[i], start[i], 1e-5);
}

TEST_P(Rope, TakesRowsOfTablesByPosition)
{
	/* ONNX: [batch, heads, sequence, head dims], position ids of [batch, sequence]. */
	auto c = rope_command(0, 4, {2, 3, 2, 6}, 2);
	to_tables(c, {10, 2});
	c.position_axis = 0;
	c.positions = dense(ATOM_DTYPE_I64, positions_at, {2, 3, 2, 1});
	c.positions.strides[0] = 16;
	c.positions.strides[1] = 0;
	const std::int64_t ids[] = {9, 0, 3, 7};
	std::copy_n(ids, 4, mem.at<std::int64_t>(positions_at));
	good(c);
	for (unsigned row = 0; row < 12; ++row)
		expect_row(c, row, 6, [&](unsigned pair, float &cosine, float &sine) {
			const auto id = static_cast<unsigned>(ids[row / 6 * 2 + row % 2]);
			cosine = mem.at<float>(cos_at)[id * 2 + pair];
			sine = mem.at<float>(sin_at)[id * 2 + pair];
		});
	for (const std::int64_t bad : {std::int64_t{10}, std::int64_t{-1}, INT64_MAX, std::int64_t{1} << 32}) {
		mem.at<std::int64_t>(positions_at)[3] = bad;
		const outcome o = run(c, mem, GetParam());
		EXPECT_EQ(o.why.code, ATOM_FAULT_INDEX_RANGE);
		EXPECT_EQ(o.why.field, offsetof(atom_cmd_rope, positions));
		EXPECT_EQ(o.why.va, memory_va + positions_at + 24);
	}
}

TEST_P(Rope, TakesTablesOfEachRow)
{
	/* [batch, sequence, heads, head dims] with tables of [batch, sequence, 1, pairs]. */
	auto c = rope_command(ATOM_ROPE_INTERLEAVED, 4, {2, 3, 2, 4}, 1);
	to_tables(c, {2, 3, 2, 2});
	c.positions = {};
	c.position_axis = 0;
	for (atom_tensor *t : {&c.cos, &c.sin}) {
		t->strides[2] = 0;
		t->strides[1] = 8;
		t->strides[0] = 24;
	}
	good(c);
	for (unsigned row = 0; row < 12; ++row)
		expect_row(c, row, 4, [&](unsigned pair, float &cosine, float &sine) {
			cosine = mem.at<float>(cos_at)[row / 2 * 2 + pair];
			sine = mem.at<float>(sin_at)[row / 2 * 2 + pair];
		});
}

INSTANTIATE_TEST_SUITE_P(Engines, Rope, testing::Bool(),
			 [](const auto &info) { return info.param ? "reference" : "fast"; });

class RopeAgainstReference : public EachInstructionSet {};

TEST_P(RopeAgainstReference, RandomCommandsAreTheSame)
{
	for (unsigned seed = 0; seed < 60; ++seed) {
		SCOPED_TRACE("seed " + std::to_string(seed));
		generator g(seed);
		std::vector<std::uint64_t> dims(2 + g.below(3));
		for (auto &d : dims)
			d = 1 + g.below(4);
		dims.back() = dims.size() < 4 && g.rarely() ? 2200 + g.below(500) : 2 + g.below(150);
		auto c = command<atom_cmd_rope>(ATOM_OP_ROPE, g.below(4));
		const auto pairs = 1 + g.below(static_cast<unsigned>(dims.back()) / 2);
		c.rotary_dims = 2 * pairs;
		c.in = g.tensor(g.one_of(floats), dims, false);
		std::vector<std::uint64_t> table = dims;
		table.back() = pairs;
		if (g.below(2)) { /* tables */
			const unsigned dtype = g.one_of(floats);
			c.cos = g.tensor(dtype, table, false);
			c.sin = g.tensor(dtype, table, false);
		} else {
			static constexpr unsigned index_dtypes[] = {ATOM_DTYPE_I32, ATOM_DTYPE_I64};
			table.back() = 1;
			c.position_axis = g.below(static_cast<unsigned>(dims.size()) - 1);
			c.positions = g.tensor(g.one_of(index_dtypes), {dims[c.position_axis]}, false);
			if (g.rarely()) {
				c.positions = g.tensor(g.one_of(index_dtypes), table, false);
				c.position_axis = 0;
			}
			if (g.below(2))
				c.factors = g.tensor(ATOM_DTYPE_F32, {pairs}, false);
			c.base = 500000;
			c.frequency_scale = 0.5f;
			c.attention = 0.75f;
			if (g.below(2)) {
				c.extrapolation = 1;
				c.original_context = g.below(2) * 2048;
				c.beta_fast = 32;
				c.beta_slow = 1;
			}
		}
		c.out = g.tensor(g.one_of(floats), dims, true);
		expect_same(c, c.out, g, seed, ATOM_DTYPE_F32);
		if (HasFatalFailure())
			return;
	}
}

INSTANTIATE_TEST_SUITE_P(Isa, RopeAgainstReference, instruction_sets(), instruction_set_name);

TEST(Fields, Rope)
{
	auto c = rope_command(0, 6, {3, 2, 8}, 0);
	c.factors = dense(ATOM_DTYPE_F32, factors_at, {3});
	const wrong_field w(c);
	header_fields(w, 4);
	for (const unsigned dims : {0u, 5u, 10u, UINT32_MAX, 1u << 31})
		w.expect(offsetof(atom_cmd_rope, rotary_dims), dims, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_rope, original_context), 1u, ATOM_FAULT_BAD_FIELD);
	for (const float x : {0.0f, -1.0f, nan, inf}) {
		w.expect(offsetof(atom_cmd_rope, base), x, ATOM_FAULT_BAD_FIELD);
		w.expect(offsetof(atom_cmd_rope, frequency_scale), x, ATOM_FAULT_BAD_FIELD);
	}
	for (const float x : {nan, inf})
		w.expect(offsetof(atom_cmd_rope, attention), x, ATOM_FAULT_BAD_FIELD);
	for (const float x : {nan, -inf})
		w.expect(offsetof(atom_cmd_rope, extrapolation), x, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_rope, beta_fast), 32.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_rope, beta_slow), 1.0f, ATOM_FAULT_BAD_FIELD);
	/* YaRN needs both. */
	w.expect(offsetof(atom_cmd_rope, extrapolation), 1.0f, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_rope, beta_fast));
	tensor_fields(w, offsetof(atom_cmd_rope, in), false);
	tensor_fields(w, offsetof(atom_cmd_rope, positions), false, true);
	tensor_fields(w, offsetof(atom_cmd_rope, factors), false, true);
	tensor_fields(w, offsetof(atom_cmd_rope, out), true);
	absent_tensor(w, offsetof(atom_cmd_rope, cos));
	absent_tensor(w, offsetof(atom_cmd_rope, sin));
	for (const std::size_t t : {offsetof(atom_cmd_rope, in), offsetof(atom_cmd_rope, factors), offsetof(atom_cmd_rope, out)})
		w.expect(t + offsetof(atom_tensor, dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_rope, positions.dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_rope, positions.dims[0]), std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_rope, factors.dims[0]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_rope, in.dims[1]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	for (const unsigned axis : {2u, 5u, UINT32_MAX})
		w.expect(offsetof(atom_cmd_rope, position_axis), axis, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_rope, position_axis), 1u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_rope, positions.dims));
	w.expect(offsetof(atom_cmd_rope, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_rope, out.offset), in_at, ATOM_FAULT_NONE, 0); /* in place */
	w.expect(offsetof(atom_cmd_rope, out.offset), in_at + 4, ATOM_FAULT_OVERLAP);
	for (const std::uint64_t input : {positions_at, factors_at})
		w.expect(offsetof(atom_cmd_rope, out.offset), input, ATOM_FAULT_OVERLAP);
	EXPECT_EQ(decode_fault(bytes_of(c), 5).field, offsetof(atom_cmd_rope, out.dims));
	c.extrapolation = 1;
	c.beta_fast = c.beta_slow = 1;
	c.base = 1;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_rope, base));
}

TEST(Fields, RopeOfTables)
{
	auto c = rope_command(0, 6, {3, 2, 8}, 0);
	to_tables(c, {9, 3});
	const wrong_field w(c);
	for (const std::size_t at : {offsetof(atom_cmd_rope, base), offsetof(atom_cmd_rope, frequency_scale),
				     offsetof(atom_cmd_rope, extrapolation), offsetof(atom_cmd_rope, attention),
				     offsetof(atom_cmd_rope, beta_fast), offsetof(atom_cmd_rope, beta_slow)})
		w.expect(at, 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_rope, original_context), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_rope, cos), false, true);
	w.expect(offsetof(atom_cmd_rope, cos.dims[1]), std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_rope, sin.dims[0]), std::uint64_t{8}, ATOM_FAULT_BAD_SHAPE);
	auto bad = c;
	bad.sin = {};
	EXPECT_EQ(decode_fault(bytes_of(bad)).field, offsetof(atom_cmd_rope, sin.dtype));
	bad = c;
	bad.cos = {};
	EXPECT_EQ(decode_fault(bytes_of(bad)).field, offsetof(atom_cmd_rope, sin.dtype));
	bad = c;
	bad.positions = {};
	EXPECT_EQ(decode_fault(bytes_of(bad)).field, offsetof(atom_cmd_rope, cos.rank));
	bad.cos = bad.sin = {};
	EXPECT_EQ(decode_fault(bytes_of(bad)).field, offsetof(atom_cmd_rope, positions.dtype));
	bad = c;
	bad.factors = dense(ATOM_DTYPE_F32, factors_at, {3});
	EXPECT_EQ(decode_fault(bytes_of(bad)).field, offsetof(atom_cmd_rope, factors.dtype));
	/* A row is done in one go, so it has an end. */
	c = rope_command(0, 6, {2, 65537}, 0);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_rope, in.dims[1]));
}

} // namespace
} // namespace atom::engine::test
