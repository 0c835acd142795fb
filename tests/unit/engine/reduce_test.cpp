/* SPDX-License-Identifier: MIT */
/* REDUCE of both engines against the definitions in doubles, or in wide integers. */
#include <map>

#include "random_commands.h"

#include "tensor_values.h"

namespace atom::engine::test {
namespace {

bool finds(const atom_cmd_reduce &c) { return c.kind == ATOM_REDUCE_ARGMAX || c.kind == ATOM_REDUCE_ARGMIN; }

/* The values of each row, in order. */
std::map<element_index, std::vector<double>> rows_of(arena &mem, const atom_cmd_reduce &c)
{
	std::map<element_index, std::vector<double>> rows;
	each_index(c.in, [&](element_index i) {
		const double x = value_at(mem, c.in, i);
		for (std::size_t d = 0; d < i.size(); ++d)
			if (c.axes >> d & 1)
				i[d] = 0;
		rows[i].push_back(x);
	});
	return rows;
}

/* By a plain search: of equals the first or the last, of all NaNs too. */
double index_of(const atom_cmd_reduce &c, const std::vector<double> &x)
{
	const bool last = c.header.flags & ATOM_REDUCE_LAST_INDEX;
	const auto nan = std::find_if(x.begin(), x.end(), [](double y) { return std::isnan(y); }) != x.end();
	const double best = c.kind == ATOM_REDUCE_ARGMAX ? *std::max_element(x.begin(), x.end())
							 : *std::min_element(x.begin(), x.end());
	double at = -1;
	for (std::size_t i = 0; i < x.size(); ++i)
		if ((nan ? std::isnan(x[i]) : x[i] == best) && (last || at < 0))
			at = static_cast<double>(i);
	return at;
}

struct expected {
	double value;
	double sizes; ///< what an error is a share of
};

expected real_result(std::uint32_t kind, const std::vector<double> &x)
{
	double sum = 0, sizes = 0, squares = 0, product = 1, max = x[0], min = x[0];
	for (const double y : x) {
		sum += y;
		sizes += std::fabs(y);
		squares += y * y;
		product *= y;
		max = std::isnan(max) || y <= max ? max : y;
		min = std::isnan(min) || y >= min ? min : y;
	}
	const auto n = static_cast<double>(x.size());
	switch (kind) {
	case ATOM_REDUCE_SUM:
		return {sum, sizes};
	case ATOM_REDUCE_MEAN:
		return {sum / n, sizes / n};
	case ATOM_REDUCE_MAX:
		return {max, 0};
	case ATOM_REDUCE_MIN:
		return {min, 0};
	case ATOM_REDUCE_PROD:
		return {product, 0};
	case ATOM_REDUCE_L1:
		return {sizes, sizes};
	case ATOM_REDUCE_L2:
		return {std::sqrt(squares), std::sqrt(squares)};
	case ATOM_REDUCE_LOG_SUM:
		return {std::log(sum), sizes / sum};
	case ATOM_REDUCE_SUM_SQUARE:
		return {squares, squares};
	default: {
		double exponentials = 0;
		for (const double y : x)
			exponentials += std::exp(static_cast<double>(static_cast<float>(y) - static_cast<float>(max)));
		return {std::isinf(max) ? max : max + std::log(exponentials), 1};
	}
	}
}

/* Modulo 2^64. */
std::int64_t integer_result(std::uint32_t kind, const std::vector<double> &x)
{
	std::uint64_t sum = 0, sizes = 0, squares = 0, product = 1;
	for (const double y : x) {
		const auto i = static_cast<std::int64_t>(y);
		sum += static_cast<std::uint64_t>(i);
		sizes += static_cast<std::uint64_t>(std::abs(i));
		squares += static_cast<std::uint64_t>(i * i);
		product *= static_cast<std::uint64_t>(i);
	}
	switch (kind) {
	case ATOM_REDUCE_MEAN:
		return static_cast<std::int64_t>(sum) / static_cast<std::int64_t>(x.size());
	case ATOM_REDUCE_MAX:
		return static_cast<std::int64_t>(*std::max_element(x.begin(), x.end()));
	case ATOM_REDUCE_MIN:
		return static_cast<std::int64_t>(*std::min_element(x.begin(), x.end()));
	case ATOM_REDUCE_PROD:
		return static_cast<std::int64_t>(product);
	case ATOM_REDUCE_L1:
		return static_cast<std::int64_t>(sizes);
	case ATOM_REDUCE_SUM_SQUARE:
		return static_cast<std::int64_t>(squares);
	default:
		return static_cast<std::int64_t>(sum);
	}
}

/* Section 7. */
double tolerance(const atom_cmd_reduce &c, bool reference, std::size_t n, const expected &e)
{
	const double elements = static_cast<double>(n);
	const double share = reference ? elements * 0x1p-24 : 0x1p-22;
	switch (c.kind) {
	case ATOM_REDUCE_MAX:
	case ATOM_REDUCE_MIN:
		return 0;
	case ATOM_REDUCE_PROD:
		return elements * 0x1p-24 * std::fabs(e.value);
	case ATOM_REDUCE_LOG_SUM:
	case ATOM_REDUCE_LOG_SUM_EXP:
		return share * e.sizes + 0x1p-21 + std::fabs(e.value) * 0x1p-22;
	default:
		return share * e.sizes;
	}
}

void expect_right(const atom_cmd_reduce &c, arena &start, const std::vector<bool> &engines, const std::string &trace)
{
	SCOPED_TRACE(trace + " kind " + std::to_string(c.kind));
	const auto rows = rows_of(start, c);
	const bool integer = c.in.dtype <= ATOM_DTYPE_I64 && c.in.quant.kind == ATOM_QUANT_NONE;
	for (const bool reference : engines)
		for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
			arena mem = start;
			const outcome o = run(bytes_of(c), mem, reference, how);
			ASSERT_EQ(o.why.code, ATOM_FAULT_NONE) << "field " << o.why.field;
			ASSERT_EQ(o.breach, "");
			ASSERT_TRUE(only_changed(mem, start, {&c.out}));
			for (const auto &[i, x] : rows) {
				const double is = value_at(mem, c.out, i);
				if (finds(c) || integer) {
					const std::int64_t exact = finds(c) ? static_cast<std::int64_t>(index_of(c, x))
									    : integer_result(c.kind, x);
					ASSERT_EQ(is, static_cast<double>(wrap(exact, c.out.dtype)))
						<< (reference ? "reference" : "fast");
					continue;
				}
				const expected e = real_result(c.kind, x);
				const holdable should = hold(mem, c.out, i, e.value);
				const bool exact = c.out.dtype == ATOM_DTYPE_F32 && tolerance(c, reference, x.size(), e) == 0;
				ASSERT_TRUE(std::isnan(should.value)
						    ? std::isnan(is)
						    : is == should.value ||
							      (!exact && std::fabs(is - should.value) <=
										 tolerance(c, reference, x.size(), e) + should.step))
					<< is << " is not " << should.value << (reference ? ", reference" : ", fast")
					<< " mapping " << static_cast<int>(how) << " out dtype " << unsigned{c.out.dtype};
			}
		}
}

class Reduce : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, Reduce, instruction_sets(), instruction_set_name);

TEST_P(Reduce, OfAnyShapeIsNearTheDefinition)
{
	for (unsigned seed = 0; seed < 84; ++seed) {
		generator g(seed);
		auto dims = g.dims();
		if (dims.empty())
			dims = {1 + g.below(40)};
		const auto rank = static_cast<unsigned>(dims.size());
		auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
		c.kind = seed % (ATOM_REDUCE_SUM_SQUARE + 1);
		c.axes = finds(c) || g.below(2) ? 1u << g.below(rank) : g.below(1u << rank);
		if (finds(c))
			c.header.flags = static_cast<std::uint16_t>(g.below(2));
		auto out_dims = dims;
		for (unsigned d = 0; d < rank; ++d)
			out_dims[d] = c.axes >> d & 1 ? 1 : out_dims[d];
		const bool real_only = c.kind >= ATOM_REDUCE_L2 && c.kind <= ATOM_REDUCE_LOG_SUM_EXP;
		const bool integer = !real_only && g.below(3) == 0, quantised_in = !integer && g.rarely();
		c.in = g.tensor(integer || quantised_in ? g.one_of(integers) : g.one_of(floats), dims, false);
		if (quantised_in)
			g.quantise(c.in);
		if (finds(c)) {
			c.out = g.tensor(g.below(2) ? ATOM_DTYPE_I32 : ATOM_DTYPE_I64, out_dims, true);
		} else if (integer) {
			const unsigned dtypes[] = {c.in.dtype, ATOM_DTYPE_I32, ATOM_DTYPE_I64};
			c.out = g.tensor(g.one_of(dtypes), out_dims, true);
		} else {
			const bool bytes = g.rarely();
			c.out = g.tensor(bytes ? unsigned{ATOM_DTYPE_I8} : g.one_of(floats), out_dims, true);
			if (bytes)
				g.quantise(c.out);
		}
		arena start(random_memory_bytes);
		g.fill(start, 0);
		std::normal_distribution<float> normal(0, 3);
		put_values(start, c.in, [&]() -> float {
			if (integer || quantised_in)
				return finds(c) ? static_cast<float>(g.below(6)) : normal(g.random()) * 30;
			if (c.kind == ATOM_REDUCE_PROD)
				return 1 + normal(g.random()) * 0.01f;
			if (c.kind == ATOM_REDUCE_LOG_SUM)
				return std::fabs(normal(g.random())) + 0.1f;
			if (g.below(3000) == 0)
				return std::nanf("");
			return finds(c) ? static_cast<float>(g.below(6)) - 3 : normal(g.random());
		});
		expect_right(c, start, engines(), "seed " + std::to_string(seed));
		if (HasFatalFailure())
			return;
	}
}

TEST_P(Reduce, OfLongRowsAlongEitherDimensionGoesOnWhereItWasInterrupted)
{
	for (const bool reference : engines())
		for (unsigned kind = 0; kind <= ATOM_REDUCE_SUM_SQUARE; ++kind)
			for (const unsigned axis : {0u, 1u}) {
				std::mt19937 random(kind);
				auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
				c.kind = kind;
				c.axes = 1u << axis;
				const std::uint64_t rows = axis ? 2 : 130, n = axis ? 100003 : 1201;
				c.in = dense(ATOM_DTYPE_F32, 0, {axis ? rows : n, axis ? n : rows});
				const unsigned out = finds(c) ? ATOM_DTYPE_I64 : ATOM_DTYPE_F32;
				c.out = dense(out, 1 << 20, {axis ? rows : 1, axis ? 1 : rows});
				arena start(random_memory_bytes);
				std::normal_distribution<float> normal(0, 2);
				put_values(start, c.in, [&] {
					const float x = normal(random);
					return kind == ATOM_REDUCE_PROD ? 1 + x * 1e-3f
					       : kind == ATOM_REDUCE_LOG_SUM ? std::fabs(x) : x;
				});
				expect_right(c, start, {reference}, "long");
				arena whole = start, apart = start;
				unsigned stops = 0;
				ASSERT_EQ(run(c, whole, reference).why.code, ATOM_FAULT_NONE);
				ASSERT_EQ(run_with_stops(bytes_of(c), apart, reference, 2, stops).why.code, ATOM_FAULT_NONE);
				EXPECT_GT(stops, 5u);
				EXPECT_TRUE(whole == apart) << "kind " << kind << " axis " << axis;
			}
}

/* By hand: what is special about the special values, and about sums that do not fit. */
TEST_P(Reduce, OfIntegersIsModuloTheirSizeAndMeansGoTowardZero)
{
	for (const bool reference : engines()) {
		arena mem(4096);
		const std::int8_t in[] = {-128, -128, 127, -126, 100, 100, 100, 100};
		std::copy(in, in + 8, mem.at<std::int8_t>(0));
		const auto results = [&](unsigned kind, unsigned dtype) {
			auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
			c.kind = kind;
			c.axes = 2;
			c.in = dense(ATOM_DTYPE_I8, 0, {2, 4});
			c.out = dense(dtype, 1024, {2, 1});
			EXPECT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
			return std::array{value_at(mem, c.out, {0, 0}), value_at(mem, c.out, {1, 0})};
		};
		EXPECT_EQ(results(ATOM_REDUCE_SUM, ATOM_DTYPE_I32), (std::array{-255.0, 400.0}));
		EXPECT_EQ(results(ATOM_REDUCE_SUM, ATOM_DTYPE_I8), (std::array{1.0, -112.0}));
		EXPECT_EQ(results(ATOM_REDUCE_MEAN, ATOM_DTYPE_I8), (std::array{-63.0, 100.0}));
		EXPECT_EQ(results(ATOM_REDUCE_L1, ATOM_DTYPE_I64), (std::array{509.0, 400.0}));
		EXPECT_EQ(results(ATOM_REDUCE_SUM_SQUARE, ATOM_DTYPE_I32), (std::array{64773.0, 40000.0}));
		EXPECT_EQ(results(ATOM_REDUCE_PROD, ATOM_DTYPE_I64), (std::array{-262176768.0, 1e8}));
		EXPECT_EQ(results(ATOM_REDUCE_MIN, ATOM_DTYPE_I8), (std::array{-128.0, 100.0}));
	}
}

TEST_P(Reduce, OfInfinitiesIsWhatTheLogarithmOfTheSumTendsTo)
{
	for (const bool reference : engines())
		for (const float special : {HUGE_VALF, -HUGE_VALF, std::nanf("")}) {
			arena mem(4096);
			auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
			c.kind = ATOM_REDUCE_LOG_SUM_EXP;
			c.axes = 1;
			c.in = dense(ATOM_DTYPE_F32, 0, {60});
			c.out = dense(ATOM_DTYPE_F32, 1024, {1});
			std::fill_n(mem.at<float>(0), 60, special < 0 ? special : 1.0f);
			mem.at<float>(0)[41] = special;
			ASSERT_EQ(run(c, mem, reference).why.code, ATOM_FAULT_NONE);
			const float is = *mem.at<float>(1024);
			EXPECT_TRUE(std::isnan(special) ? std::isnan(is) : is == special) << is << ' ' << special;
		}
}

/* Neither memory nor patience: the questions are counted, what is kept is small. */
TEST(LongReduce, OfTwoToTheThirtyElementsAsksOftenAndKeepsLittle)
{
	constexpr std::uint64_t n = 1ull << 30;
	arena mem(8192);
	*mem.at<float>(0) = 1;
	auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
	c.axes = 1;
	c.in = dense(ATOM_DTYPE_F32, 0, {n});
	c.in.strides[0] = 0;
	c.out = dense(ATOM_DTYPE_F32, 4096, {1});
	const atom_arg args[] = {whole(mem)};
	fault why;
	const auto op = decode(bytes_of(c), args, {}, why);
	ASSERT_TRUE(op) << why.code;
	EXPECT_EQ(op->tiles(), 1u);
	EXPECT_EQ(op->work().elements, n);
	fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
	scratch work;
	constexpr unsigned before = 1000;
	m.interrupts = before;
	op->run(0, m, work);
	ASSERT_TRUE(m.was_interrupted);
	EXPECT_LT(m.kept.sums.size(), 16384u);
	m.interrupts = UINT32_MAX;
	op->run(0, m, work);
	EXPECT_FALSE(m.was_interrupted);
	EXPECT_GT(before + UINT32_MAX - m.interrupts, n >> 16) << "questions";
	EXPECT_EQ(*mem.at<float>(4096), static_cast<float>(n));
}

} // namespace
} // namespace atom::engine::test
