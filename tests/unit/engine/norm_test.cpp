/* SPDX-License-Identifier: MIT */
/* NORM of both engines against the definitions in doubles. */
#include <map>

#include "random_commands.h"

#include "tensor_values.h"

namespace atom::engine::test {
namespace {

/* The definition: statistics of all elements that belong together. */
class expectation {
public:
	expectation(arena &mem, const atom_cmd_norm &c) : mem_(mem), c_(c)
	{
		each_index(c.in, [&](const element_index &i) { rows_[row_of(i)].add(value_at(mem_, c_.in, i)); });
		each_index(c.in, [&](const element_index &i) {
			row &r = rows_[row_of(i)];
			const double d = value_at(mem_, c_.in, i) - r.sum / r.n;
			r.squares_around_mean += d * d;
		});
	}

	double mean(const element_index &i) const
	{
		const row &r = rows_.at(row_of(i));
		return c_.kind == ATOM_NORM_LAYER ? r.sum / r.n : 0;
	}
	double inverse(const element_index &i) const
	{
		const row &r = rows_.at(row_of(i));
		const double eps = c_.eps;
		switch (c_.kind) {
		case ATOM_NORM_LAYER:
			return 1 / std::sqrt(r.squares_around_mean / r.n + eps);
		case ATOM_NORM_RMS:
			return 1 / std::sqrt(r.squares / r.n + eps);
		case ATOM_NORM_L2:
			return 1 / std::max(std::sqrt(r.squares), eps);
		default:
			return 1 / std::max(r.sizes, eps);
		}
	}
	/* The mean of |x|, which the error of a mean is measured by. */
	double size(const element_index &i) const
	{
		const row &r = rows_.at(row_of(i));
		return c_.kind == ATOM_NORM_LAYER ? r.sizes / r.n : 0;
	}
	double elements(const element_index &i) const { return rows_.at(row_of(i)).n; }

	double gamma(const element_index &i) const { return factor(c_.gamma, i, 1); }
	double beta(const element_index &i) const { return factor(c_.beta, i, 0); }
	double result(const element_index &i) const
	{
		return (value_at(mem_, c_.in, i) - mean(i)) * inverse(i) * gamma(i) + beta(i);
	}

private:
	struct row {
		double n = 0, sum = 0, sizes = 0, squares = 0, squares_around_mean = 0;
		void add(double x)
		{
			++n;
			sum += x;
			sizes += std::fabs(x);
			squares += x * x;
		}
	};

	double factor(const atom_tensor &t, const element_index &i, double otherwise) const
	{
		return t.dtype == ATOM_DTYPE_NONE ? otherwise : value_at(mem_, t, i);
	}
	/* The index of mean and inverse. */
	element_index row_of(element_index i) const
	{
		for (std::size_t d = 0; d < i.size(); ++d)
			if (c_.axes >> d & 1)
				i[d] = 0;
		if (c_.groups)
			i[c_.group_axis] /= std::max<std::uint64_t>(c_.in.dims[c_.group_axis] / c_.groups, 1);
		return i;
	}

	arena &mem_;
	const atom_cmd_norm &c_;
	std::map<element_index, row> rows_;
};

/* Section 7. */
testing::AssertionResult near_definition(arena &mem, const atom_cmd_norm &c, const expectation &exact, bool reference)
{
	testing::AssertionResult result = testing::AssertionSuccess();
	const auto check = [&](const atom_tensor &t, const element_index &i, double value, double tolerance) {
		const double is = value_at(mem, t, i);
		const holdable should = hold(mem, t, i, value);
		if (result && !(std::fabs(is - should.value) <= tolerance + should.step))
			result = testing::AssertionFailure()
				 << is << " is not " << should.value << " +- " << tolerance << " + " << should.step
				 << " (field of dtype " << unsigned{t.dtype} << ", size " << i.size() << ')';
	};
	each_index(c.out, [&](const element_index &i) {
		const double e = reference ? exact.elements(i) * 0x1p-24 : 0x1p-22;
		const double inverse = exact.inverse(i), shift = e * exact.size(i);
		const double share = e + 0x1p-21 + shift * inverse * shift * inverse;
		const double product = exact.result(i) - exact.beta(i);
		check(c.out, i, exact.result(i),
		      shift * inverse * std::fabs(exact.gamma(i)) + share * std::fabs(product) +
			      0x1p-23 * std::fabs(exact.beta(i)));
		element_index row = i;
		bool first = true;
		for (std::size_t d = 0; d < i.size(); ++d)
			if (c.axes >> d & 1)
				first = first && i[d] == 0;
		if (c.groups) {
			const std::uint64_t part = c.in.dims[c.group_axis] / c.groups;
			first = first && i[c.group_axis] % part == 0;
			row[c.group_axis] /= part;
		}
		if (first && c.mean.dtype != ATOM_DTYPE_NONE)
			check(c.mean, row, exact.mean(i), shift);
		if (first && c.inverse.dtype != ATOM_DTYPE_NONE)
			check(c.inverse, row, inverse, share * inverse);
	});
	return result;
}

void expect_right(const atom_cmd_norm &c, arena &start, const std::vector<bool> &engines, const std::string &trace)
{
	SCOPED_TRACE(trace);
	const expectation exact(start, c);
	for (const bool reference : engines)
		for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
			arena mem = start;
			const outcome o = run(bytes_of(c), mem, reference, how);
			ASSERT_EQ(o.why.code, ATOM_FAULT_NONE) << "field " << o.why.field;
			ASSERT_EQ(o.breach, "");
			ASSERT_TRUE(near_definition(mem, c, exact, reference))
				<< (reference ? "reference" : "fast") << " mapping " << static_cast<int>(how);
			ASSERT_TRUE(only_changed(mem, start, {&c.out, &c.mean, &c.inverse}));
		}
}

class Norm : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, Norm, instruction_sets(), instruction_set_name);

TEST_P(Norm, OfAnyShapeIsNearTheDefinition)
{
	for (unsigned seed = 0; seed < 50; ++seed) {
		generator g(seed);
		auto dims = g.dims();
		if (dims.empty())
			dims = {1 + g.below(40)};
		const auto rank = static_cast<unsigned>(dims.size());
		auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
		c.kind = g.below(ATOM_NORM_LRN);
		c.eps = g.below(2) ? 1e-5f : 0.01f;
		c.axes = g.below(2) ? 1u << (rank - 1) : 1 + g.below((1u << rank) - 1);
		const unsigned split = g.below(rank);
		if (rank < 5 && g.below(2)) {
			c.group_axis = split;
			c.axes &= ~(1u << split);
			c.groups = dims[split] % 3 == 0 ? 3 : dims[split] % 2 == 0 ? 2 : g.below(2) ? 1 : static_cast<unsigned>(dims[split]);
		}
		const auto channels_split = [&](const atom_tensor &t) {
			return c.groups && t.quant.kind == ATOM_QUANT_PER_CHANNEL && t.quant.axis == split;
		};
		const bool integer = g.rarely();
		c.in = g.tensor(integer ? unsigned{ATOM_DTYPE_I16} : g.one_of(floats), dims, false);
		if (integer)
			do {
				c.in.quant = {};
				g.quantise(c.in);
			} while (channels_split(c.in));
		if (g.below(2))
			c.gamma = g.tensor(g.one_of(floats), dims, false);
		if (g.below(2))
			c.beta = g.tensor(g.one_of(floats), dims, false);
		const bool bytes = g.rarely();
		c.out = g.tensor(bytes ? unsigned{ATOM_DTYPE_I8} : g.one_of(floats), dims, true);
		if (bytes)
			do {
				c.out.quant = {};
				g.quantise(c.out);
			} while (channels_split(c.out));
		auto rows = dims;
		for (unsigned d = 0; d < rank; ++d)
			rows[d] = c.groups && d == split ? c.groups : c.axes >> d & 1 ? 1 : rows[d];
		if (c.axes == 0 && c.groups == 0)
			c.axes = 1, rows[0] = 1;
		if (c.kind == ATOM_NORM_LAYER && g.below(2))
			c.mean = g.tensor(ATOM_DTYPE_F32, rows, true);
		if (g.below(2))
			c.inverse = g.tensor(ATOM_DTYPE_F32, rows, true);
		arena start(random_memory_bytes);
		g.fill(start, 0);
		std::normal_distribution<float> normal(0.5f, 2);
		for (const atom_tensor *t : {&c.in, &c.gamma, &c.beta})
			if (t->dtype != ATOM_DTYPE_NONE)
				put_values(start, *t, [&] { return normal(g.random()) * (integer && t == &c.in ? 1000 : 1); });
		expect_right(c, start, engines(), "seed " + std::to_string(seed));
		if (HasFatalFailure())
			return;
	}
}

TEST_P(Norm, OfLongRowsAlongEitherDimensionIsNearTheDefinition)
{
	for (const unsigned kind : {ATOM_NORM_LAYER, ATOM_NORM_RMS, ATOM_NORM_L1})
		for (const unsigned axis : {0u, 1u}) {
			std::mt19937 random(kind);
			auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
			const std::vector<std::uint64_t> dims = axis ? std::vector<std::uint64_t>{2, 70001}
								     : std::vector<std::uint64_t>{301, 511};
			c.kind = kind;
			c.axes = 1u << axis;
			c.eps = 1e-5f;
			c.in = dense(ATOM_DTYPE_F32, 0, dims);
			c.out = dense(ATOM_DTYPE_F32, 1 << 20, dims);
			arena start(random_memory_bytes);
			std::normal_distribution<float> normal(1, 2);
			put_values(start, c.in, [&] { return normal(random); });
			const expectation exact(start, c);
			for (const bool reference : engines()) {
				arena mem = start;
				ASSERT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
				ASSERT_TRUE(near_definition(mem, c, exact, reference)) << kind << " axis " << axis;
				arena apart = start;
				unsigned stops = 0;
				ASSERT_EQ(run_with_stops(bytes_of(c), apart, reference, 3, stops).why.code, ATOM_FAULT_NONE);
				EXPECT_GT(stops, 5u);
				EXPECT_TRUE(apart == mem);
			}
		}
}

TEST_P(Norm, MayOverwriteItsInput)
{
	for (const bool reference : engines()) {
		arena start(1 << 16);
		auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
		c.axes = 2;
		c.in = c.out = dense(ATOM_DTYPE_F32, 0, {40, 50});
		std::mt19937 random(3);
		std::normal_distribution<float> normal(0, 4);
		put_values(start, c.in, [&] { return normal(random); });
		const expectation exact(start, c);
		arena mem = start;
		ASSERT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
		EXPECT_TRUE(near_definition(mem, c, exact, reference));
	}
}

/* By hand: where eps stands is what the kinds differ in. */
TEST_P(Norm, PutsEpsWhereTheKindSays)
{
	for (const bool reference : engines()) {
		arena mem(4096);
		mem.at<float>(0)[0] = 3;
		mem.at<float>(0)[1] = -5;
		const auto first = [&](unsigned kind, float eps) {
			auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
			c.kind = kind;
			c.axes = 1;
			c.eps = eps;
			c.in = dense(ATOM_DTYPE_F32, 0, {2});
			c.out = dense(ATOM_DTYPE_F32, 1024, {2});
			EXPECT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
			return *mem.at<float>(1024);
		};
		EXPECT_FLOAT_EQ(first(ATOM_NORM_LAYER, 9), 4.0f / 5);       /* mean -1, variance 16 */
		EXPECT_FLOAT_EQ(first(ATOM_NORM_RMS, 8), 3 / 5.0f);         /* mean of squares 17 */
		EXPECT_FLOAT_EQ(first(ATOM_NORM_L2, 1), 3 / std::sqrt(34.0f));
		EXPECT_FLOAT_EQ(first(ATOM_NORM_L2, 12), 0.25f);
		EXPECT_FLOAT_EQ(first(ATOM_NORM_L1, 1), 3.0f / 8);
		EXPECT_FLOAT_EQ(first(ATOM_NORM_L1, 12), 0.25f);
		mem.at<float>(0)[1] = std::nanf("");
		for (unsigned kind = 0; kind < ATOM_NORM_LRN; ++kind)
			EXPECT_TRUE(std::isnan(first(kind, 1))) << kind;
	}
}

/* As ONNX defines it, for windows of odd and of even size. */
TEST_P(Norm, LrnDividesByTheSquaresInTheWindow)
{
	for (const bool reference : engines())
		for (unsigned seed = 0; seed < 60; ++seed) {
			generator g(seed);
			auto dims = g.dims();
			if (dims.empty())
				dims = {1 + g.below(40)};
			auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
			const unsigned axis = g.below(static_cast<unsigned>(dims.size()));
			c.kind = ATOM_NORM_LRN;
			c.axes = 1u << axis;
			c.lrn_alpha = 0.3f;
			c.lrn_beta = 0.75f;
			c.lrn_bias = 1.5f;
			c.lrn_size = g.rarely() ? 40 : 1 + g.below(6);
			c.in = g.tensor(g.one_of(floats), dims, false);
			c.out = g.tensor(g.one_of(floats), dims, true);
			arena start(random_memory_bytes);
			g.fill(start, 0);
			std::normal_distribution<float> normal(0, 2);
			put_values(start, c.in, [&] { return normal(g.random()); });
			for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::never}) {
				arena mem = start;
				const outcome o = run(bytes_of(c), mem, reference, how);
				ASSERT_EQ(o.why.code, ATOM_FAULT_NONE) << "seed " << seed << " field " << o.why.field;
				ASSERT_EQ(o.breach, "");
				const auto exact = [&](const element_index &i) {
					const auto size = static_cast<std::int64_t>(c.lrn_size);
					const auto at = static_cast<std::int64_t>(i[axis]);
					const auto end = std::min(at + size / 2, static_cast<std::int64_t>(dims[axis]) - 1);
					double sum = 0;
					element_index j = i;
					for (std::int64_t x = std::max<std::int64_t>(at - (size - 1) / 2, 0); x <= end; ++x) {
						j[axis] = static_cast<std::uint64_t>(x);
						sum += std::pow(value_at(start, c.in, j), 2);
					}
					return value_at(start, c.in, i) / std::pow(1.5 + 0.3f / static_cast<double>(size) * sum, 0.75);
				};
				const double error = c.lrn_size * 0x1p-24 + 0x1p-21;
				ASSERT_TRUE(near_values(mem, c.out, exact, [=](double x) { return std::fabs(x) * error; }))
					<< "seed " << seed;
				ASSERT_TRUE(only_changed(mem, start, {&c.out}));
			}
		}
}

} // namespace
} // namespace atom::engine::test
