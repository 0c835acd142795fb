/* SPDX-License-Identifier: MIT */
/* SOFTMAX of both engines against the definition in doubles. */
#include <map>

#include "random_commands.h"

#include "tensor_values.h"

namespace atom::engine::test {
namespace {

constexpr double inf = HUGE_VAL;

/* The definition, in doubles but for the scores, whose rounding is part of it. */
class expectation {
public:
	expectation(arena &mem, const atom_cmd_softmax &c) : mem_(mem), c_(c) {}

	double operator()(const element_index &i) const
	{
		const bool log = c_.header.flags & ATOM_SOFTMAX_LOG;
		if (dropped(i))
			return log ? -inf : 0;
		const std::uint64_t head = c_.in.rank >= 3 ? i[c_.in.rank - 3u] : 0;
		const bool sinks = c_.sinks.dtype != ATOM_DTYPE_NONE;
		const double sink = sinks ? value_at(mem_, c_.sinks, {head}) : -inf;
		element_index j = i;
		j[c_.axis] = 0;
		const auto [row, unknown] = rows_.try_emplace(j, row_sum{sink, 0});
		auto &[max, sum] = row->second;
		for (unsigned pass = 0; unknown && pass < 2; ++pass)
			for (j[c_.axis] = 0; j[c_.axis] < c_.in.dims[c_.axis]; ++j[c_.axis]) {
				if (dropped(j))
					continue;
				const double y = score(j, head);
				if (pass == 1)
					sum += std::exp(difference(y, max));
				else
					max = std::isnan(max) || y <= max ? max : y;
			}
		sum += unknown && sinks ? std::exp(difference(sink, max)) : 0;
		const double d = difference(score(i, head), max);
		return log ? d - std::log(sum) : std::exp(d) / sum;
	}

private:
	struct row_sum {
		double max, sum;
	};

	static double difference(double y, double max) { return static_cast<float>(y) - static_cast<float>(max); }

	bool dropped(const element_index &i) const
	{
		return c_.header.flags & ATOM_SOFTMAX_CAUSAL &&
		       static_cast<std::int64_t>(i[c_.axis]) > static_cast<std::int64_t>(i[c_.axis - 1] + c_.causal_offset);
	}
	/* ALiBi as its authors define it: 2^(-8 / n), .. for n heads that are a power of two, here with max_bias for 8. */
	double slope(std::uint64_t head) const
	{
		const double heads = std::exp2(std::floor(std::log2(static_cast<double>(c_.in.dims[c_.in.rank - 3u]))));
		const auto h = static_cast<double>(head);
		return h < heads ? std::exp2(-c_.max_bias * (h + 1) / heads)
				 : std::exp2(-c_.max_bias * (h - heads + 0.5) / heads);
	}
	double score(const element_index &i, std::uint64_t head) const
	{
		const float x = static_cast<float>(value_at(mem_, c_.in, i)) * c_.scale;
		if (c_.mask.dtype == ATOM_DTYPE_NONE)
			return x;
		const auto mask = static_cast<float>(value_at(mem_, c_.mask, i));
		return x + (c_.max_bias != 0 ? static_cast<float>(slope(head)) * mask : mask);
	}

	arena &mem_;
	const atom_cmd_softmax &c_;
	mutable std::map<element_index, row_sum> rows_;
};

/* Section 7: the share of the sum that may be lost, in the reference and in another engine. */
double sum_error(bool reference, std::uint64_t n) { return reference ? static_cast<double>(n) * 0x1p-24 : 0x1p-22; }

std::function<double(double)> tolerance(const atom_cmd_softmax &c, bool reference)
{
	const double relative = sum_error(reference, c.in.dims[c.axis]) + 0x1p-21 + (c.max_bias != 0 ? 0x1p-18 : 0);
	if (c.header.flags & ATOM_SOFTMAX_LOG)
		return [=](double x) { return relative + std::fabs(x) * 0x1p-22; };
	return [=](double x) { return std::fabs(x) * relative; };
}

void expect_right(const atom_cmd_softmax &c, arena &start, const std::vector<bool> &engines, const std::string &trace)
{
	SCOPED_TRACE(trace);
	const expectation exact(start, c);
	for (const bool reference : engines)
		for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
			arena mem = start;
			const outcome o = run(bytes_of(c), mem, reference, how);
			ASSERT_EQ(o.why.code, ATOM_FAULT_NONE) << "field " << o.why.field;
			ASSERT_EQ(o.breach, "");
			ASSERT_TRUE(near_values(mem, c.out, std::cref(exact), tolerance(c, reference)))
				<< (reference ? "reference" : "fast") << " mapping " << static_cast<int>(how);
			ASSERT_TRUE(only_changed(mem, start, {&c.out}));
		}
}

class Softmax : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, Softmax, instruction_sets(), instruction_set_name);

TEST_P(Softmax, OfAnyShapeIsNearTheDefinition)
{
	for (unsigned seed = 0; seed < 50; ++seed) {
		generator g(seed);
		auto dims = g.dims();
		if (dims.empty())
			dims = {1 + g.below(40)};
		auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX, g.rarely() ? ATOM_SOFTMAX_LOG : 0);
		const auto rank = static_cast<unsigned>(dims.size());
		c.axis = g.below(2) ? rank - 1 : g.below(rank);
		c.scale = g.below(2) ? 1 : 0.37f;
		const bool integer = g.rarely();
		c.in = g.tensor(integer ? unsigned{ATOM_DTYPE_I8} : g.one_of(floats), dims, false);
		if (integer)
			g.quantise(c.in);
		if (g.below(2))
			c.mask = g.tensor(g.below(2) ? ATOM_DTYPE_F16 : ATOM_DTYPE_F32, dims, false);
		const bool bytes = g.rarely();
		c.out = g.tensor(bytes ? unsigned{ATOM_DTYPE_U8} : g.one_of(floats), dims, true);
		if (bytes)
			c.out = quantised(c.out, 1.0f / 256, 0);
		if (c.axis > 0 && g.rarely()) {
			c.header.flags |= ATOM_SOFTMAX_CAUSAL;
			c.causal_offset = static_cast<std::uint64_t>(std::int64_t{g.below(9)} - 4);
		}
		if (rank >= 3 && c.axis != rank - 3) {
			if (c.mask.dtype != ATOM_DTYPE_NONE && g.below(2))
				c.max_bias = g.below(2) ? 8 : 3.5f;
			if (g.below(2))
				c.sinks = g.tensor(ATOM_DTYPE_F32, {dims[rank - 3]}, false);
		}
		arena start(random_memory_bytes);
		g.fill(start, 0);
		std::normal_distribution<float> normal(0, 4);
		const auto noise = [&] { return normal(g.random()); };
		put_values(start, c.in, [&] { return g.below(4000) == 0 ? std::nanf("") : noise(); });
		if (c.mask.dtype != ATOM_DTYPE_NONE)
			put_values(start, c.mask, [&] { return g.rarely() ? -HUGE_VALF : noise(); });
		if (c.sinks.dtype != ATOM_DTYPE_NONE)
			put_values(start, c.sinks, noise);
		expect_right(c, start, engines(), "seed " + std::to_string(seed));
		if (HasFatalFailure())
			return;
	}
}

/* Longer than what is loaded once, with ends that are no multiple of anything. */
TEST_P(Softmax, OfLongRowsAlongEitherDimensionIsNearTheDefinition)
{
	for (const unsigned flags : {0u, unsigned{ATOM_SOFTMAX_LOG}})
		for (const unsigned axis : {0u, 1u}) {
			generator g(7);
			auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX, flags);
			const std::vector<std::uint64_t> dims = axis ? std::vector<std::uint64_t>{3, 70001}
								     : std::vector<std::uint64_t>{511, 301};
			c.axis = axis;
			c.scale = 0.5f;
			c.in = dense(ATOM_DTYPE_F16, 2, dims);
			c.out = dense(ATOM_DTYPE_BF16, 1 << 20, dims);
			arena start(random_memory_bytes);
			std::normal_distribution<float> normal(0, 4);
			put_values(start, c.in, [&] { return normal(g.random()); });
			const expectation exact(start, c);
			for (const bool reference : engines()) {
				arena mem = start;
				EXPECT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
				ASSERT_TRUE(near_values(mem, c.out, std::cref(exact), tolerance(c, reference)));
				ASSERT_TRUE(only_changed(mem, start, {&c.out}));
			}
		}
}

TEST_P(Softmax, GoesOnWhereItWasInterruptedAndMayOverwriteItsInput)
{
	for (const bool reference : engines())
		for (const unsigned axis : {0u, 1u}) {
			auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX);
			c.axis = axis;
			c.scale = 1;
			c.in = c.out = dense(ATOM_DTYPE_F32, 0, {axis ? 2u : 1000u, axis ? 100000u : 200u});
			std::mt19937 random(3);
			std::normal_distribution<float> normal(0, 4);
			arena start(1 << 20);
			put_values(start, c.in, [&] { return normal(random); });
			arena whole = start, apart = start;
			unsigned stops = 0;
			ASSERT_EQ(run(c, whole, reference).why.code, ATOM_FAULT_NONE);
			ASSERT_EQ(run_with_stops(bytes_of(c), apart, reference, 2, stops).why.code, ATOM_FAULT_NONE);
			EXPECT_GT(stops, 10u);
			EXPECT_TRUE(whole == apart) << (reference ? "reference" : "fast") << " axis " << axis;
		}
}

/* Worked by hand. */
TEST_P(Softmax, OfRowsWithoutColumnsIsZero)
{
	for (const bool reference : engines())
		for (const unsigned log : {0u, unsigned{ATOM_SOFTMAX_LOG}}) {
			arena mem(4096);
			auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX, ATOM_SOFTMAX_CAUSAL | log);
			c.axis = 1;
			c.scale = 1;
			c.causal_offset = static_cast<std::uint64_t>(-1);
			c.in = dense(ATOM_DTYPE_F32, 0, {3, 2});
			c.out = dense(ATOM_DTYPE_F32, 1024, {3, 2});
			const float in[] = {std::nanf(""), 1, 5, HUGE_VALF, 2, 2};
			std::copy(in, in + 6, mem.at<float>(0));
			ASSERT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
			const float none = log ? -HUGE_VALF : 0, all = log ? 0 : 1, half = log ? std::log(0.5f) : 0.5f;
			const float expected[] = {none, none, all, none, half, half};
			for (unsigned i = 0; i < 6; ++i)
				EXPECT_EQ(mem.at<float>(1024)[i], expected[i]) << i;
		}
}

TEST_P(Softmax, OfARowWhoseMaximumIsNotFiniteIsNaN)
{
	for (const bool reference : engines())
		for (const float special : {-HUGE_VALF, HUGE_VALF, std::nanf("")}) {
			arena mem(4096);
			auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX);
			c.axis = 1;
			c.scale = 1;
			c.in = dense(ATOM_DTYPE_F32, 0, {2, 40});
			c.out = dense(ATOM_DTYPE_F32, 1024, {2, 40});
			for (unsigned i = 0; i < 80; ++i)
				mem.at<float>(0)[i] = i < 40 ? (special < 0 ? special : i == 7 ? special : 1) : 1;
			ASSERT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
			for (unsigned i = 0; i < 40; ++i) {
				EXPECT_TRUE(std::isnan(mem.at<float>(1024)[i])) << i << ' ' << special;
				EXPECT_FLOAT_EQ(mem.at<float>(1024)[40 + i], 1.0f / 40);
			}
		}
}

} // namespace
} // namespace atom::engine::test
