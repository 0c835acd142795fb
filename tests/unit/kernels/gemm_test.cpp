/* SPDX-License-Identifier: MIT */
// Every instruction set of this CPU against sums in double or modulo 2^32, over random shapes, layouts and types.
#include <gtest/gtest.h>

#include <algorithm>

#include "matrices.h"

namespace atom::test {
namespace {

using namespace engine::kernels;

constexpr atom_dtype floats[] = {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16};
constexpr atom_dtype bytes[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8};
constexpr std::uint32_t untouched = 0xdeadbeef;
constexpr long double least_normal = 0x1p-126L;

class gemm_on : public testing::TestWithParam<isa> {
protected:
	void SetUp() override
	{
		if (!select(GetParam()))
			GTEST_SKIP() << "this CPU has no " << name(GetParam());
	}

	random random_{static_cast<unsigned>(20261123)};
};

INSTANTIATE_TEST_SUITE_P(isa, gemm_on,
			 testing::Values(isa::scalar, isa::avx2, isa::avx512, isa::avx512_vnni, isa::avx512_bf16),
			 [](const auto &info) {
				 std::string text = name(info.param);
				 std::replace(text.begin(), text.end(), '-', '_');
				 return text;
			 });

/** A product, its output with margins, and the ways to compute it. */
struct product {
	owned_matrix a, b;
	std::vector<std::uint32_t> out;
	std::vector<std::int32_t> b_zeros;
	gemm_args args;

	product(std::size_t m, std::size_t n, std::size_t k, atom_dtype a_type, atom_dtype b_type, layout a_layout,
		layout b_layout, random &r)
	    : a(m, k, a_type, a_layout, r), b(k, n, b_type, b_layout, r)
	{
		args.m = m;
		args.n = n;
		args.k = k;
		args.a = a.view();
		args.b = b.view();
		args.out_stride = n + static_cast<std::size_t>(between(r, 0, 5));
		out.assign((m - 1) * args.out_stride + n, untouched);
		args.out = out.data();
	}

	bool run()
	{
		const workspace work(gemm_workspace(args));
		return gemm(args, work.get());
	}

	/** Packs b in two parts, then computes the columns in two parts. */
	bool run_packed()
	{
		const std::size_t panel = packed_b_columns(args.a.type, args.b.type);
		const std::size_t middle = args.n / 2 / panel * panel;
		const workspace packed(packed_b_bytes(args.a.type, args.b.type, args.n, args.k));
		if (!pack_b(args.b, args.a.type, args.n, args.k, middle, args.n, packed.get()) ||
		    !pack_b(args.b, args.a.type, args.n, args.k, 0, middle, packed.get()))
			return false;
		for (const auto &[first, last] : {std::pair{std::size_t{0}, middle}, std::pair{middle, args.n}}) {
			gemm_args part = args;
			part.b.data = nullptr;
			part.n = last - first;
			part.out = out.data() + first;
			if (part.b_zero && part.b_zero_step)
				part.b_zero += first;
			if (part.n == 0)
				continue;
			const workspace work(gemm_workspace(part));
			if (!gemm_packed(part, packed.get(), args.n, first, work.get()))
				return false;
		}
		return true;
	}

	void check_margins() const
	{
		for (std::size_t i = 0; i < out.size(); ++i)
			if (i % args.out_stride >= args.n) {
				ASSERT_EQ(out[i], untouched) << "written beside the output at " << i;
			}
	}

	/** Subnormal elements, products and sums as 0 (section 7 of the spec). */
	bool may_flush() const { return args.a.type == ATOM_DTYPE_BF16 && args.b.type == ATOM_DTYPE_BF16; }
	static bool is_subnormal(long double x) { return std::fabs(x) < least_normal; }

	/** Returns the greatest error in units of the tolerance. */
	double check_floats()
	{
		double worst = 0;
		for (std::size_t i = 0; i < args.m; ++i)
			for (std::size_t j = 0; j < args.n; ++j) {
				long double sum = 0, magnitude = 0, flushed = 0;
				for (std::size_t k = 0; k < args.k; ++k) {
					const long double x = a.value(i, k), y = b.value(k, j), p = x * y;
					sum += p;
					magnitude += std::fabs(p);
					if (may_flush())
						flushed += least_normal + (is_subnormal(x) || is_subnormal(y) ? std::fabs(p) : 0);
				}
				float result;
				std::memcpy(&result, &out[i * args.out_stride + j], 4);
				const float exact = static_cast<float>(sum);
				const double ulp = std::nextafter(std::fabs(exact), INFINITY) - std::fabs(exact);
				const double tolerance =
					std::ldexp(std::sqrt(static_cast<double>(args.k)), -22) *
						static_cast<double>(magnitude) + ulp + static_cast<double>(flushed);
				const double error = static_cast<double>(std::fabs(result - sum));
				EXPECT_LE(error, tolerance)
					<< "at " << i << ", " << j << ": " << result << " instead of " << exact;
				if (!(error <= tolerance))
					return error / tolerance;
				worst = std::max(worst, error / tolerance);
			}
		return worst;
	}

	void check_integers()
	{
		for (std::size_t i = 0; i < args.m; ++i)
			for (std::size_t j = 0; j < args.n; ++j) {
				const std::int32_t zero = args.b_zero ? args.b_zero[j * args.b_zero_step] : 0;
				std::uint64_t sum = 0;
				for (std::size_t k = 0; k < args.k; ++k)
					sum += static_cast<std::uint64_t>(
						(static_cast<std::int64_t>(a.value(i, k)) - args.a_zero) *
						(static_cast<std::int64_t>(b.value(k, j)) - zero));
				ASSERT_EQ(out[i * args.out_stride + j], static_cast<std::uint32_t>(sum))
					<< "at " << i << ", " << j;
			}
	}

	std::string text() const
	{
		return std::to_string(args.m) + " x " + std::to_string(args.n) + " x " + std::to_string(args.k) +
		       ", types " + std::to_string(args.a.type) + " " + std::to_string(args.b.type) + ", strides " +
		       std::to_string(args.a.row_stride) + " " + std::to_string(args.a.column_stride) + ", " +
		       std::to_string(args.b.row_stride) + " " + std::to_string(args.b.column_stride);
	}
};

layout any_layout(random &r)
{
	return static_cast<layout>(between(r, 0, layouts - 1));
}

std::size_t any_edge(random &r)
{
	return static_cast<std::size_t>(between(r, 0, 2) ? between(r, 1, 70) : between(r, 1, 8));
}

TEST_P(gemm_on, floats_of_any_mix_shape_and_layout_stay_within_the_tolerance)
{
	double worst = 0;
	for (int round = 0; round < 20; ++round)
		for (const atom_dtype a : floats)
			for (const atom_dtype b : floats) {
				product p(any_edge(random_), any_edge(random_), any_edge(random_), a, b,
					  any_layout(random_), any_layout(random_), random_);
				SCOPED_TRACE(p.text());
				ASSERT_TRUE(p.run());
				worst = std::max(worst, p.check_floats());
				p.check_margins();
				std::fill(p.out.begin(), p.out.end(), untouched);
				ASSERT_TRUE(p.run_packed());
				worst = std::max(worst, p.check_floats());
				p.check_margins();
				if (HasFailure())
					return;
			}
	RecordProperty("worst_error_of_tolerance", std::to_string(worst));
}

TEST_P(gemm_on, bytes_of_any_mix_shape_layout_and_zero_point_are_exact)
{
	for (int round = 0; round < 40; ++round)
		for (const atom_dtype a : bytes)
			for (const atom_dtype b : bytes) {
				product p(any_edge(random_), any_edge(random_), any_edge(random_), a, b,
					  any_layout(random_), any_layout(random_), random_);
				SCOPED_TRACE(p.text());
				if (round % 4) {
					p.args.a_zero = between(random_, -128, 255);
					p.args.b_zero_step = round % 4 == 3;
					p.b_zeros.resize(p.args.n);
					for (auto &zero : p.b_zeros)
						zero = between(random_, -128, 255);
					p.args.b_zero = round % 4 == 1 ? nullptr : p.b_zeros.data();
				}
				ASSERT_TRUE(p.run());
				p.check_integers();
				p.check_margins();
				std::fill(p.out.begin(), p.out.end(), untouched);
				ASSERT_TRUE(p.run_packed());
				p.check_integers();
				p.check_margins();
				if (HasFailure())
					return;
			}
}

TEST_P(gemm_on, products_larger_than_a_cache_block_are_right)
{
	// Beyond the blocks of k (some 512 groups) and of columns (some 256), with odd ends.
	for (const auto &[m, n, k] : {std::tuple{5, 33, 2600}, {14, 70, 5000}, {3, 40, 4500}, {30, 700, 530}})
		for (const layout how : {layout::rows, layout::columns}) {
			product f(m, n, k / 2, ATOM_DTYPE_F32, ATOM_DTYPE_F32, how, how, random_);
			SCOPED_TRACE(f.text());
			ASSERT_TRUE(f.run());
			f.check_floats();
			product h(m, n, k / 2, ATOM_DTYPE_BF16, ATOM_DTYPE_BF16, how, how, random_);
			ASSERT_TRUE(h.run_packed());
			h.check_floats();
			product i(m, n, k, ATOM_DTYPE_I8, ATOM_DTYPE_I8, how, how, random_);
			i.args.a_zero = -7;
			ASSERT_TRUE(i.run());
			i.check_integers();
			ASSERT_TRUE(i.run_packed());
			i.check_integers();
		}
}

TEST_P(gemm_on, extreme_bytes_do_not_saturate)
{
	const std::int8_t lowest = -128, highest = 127;
	const std::uint8_t full = 255;
	for (const void *x : {static_cast<const void *>(&lowest), static_cast<const void *>(&highest),
			      static_cast<const void *>(&full)})
		for (const void *y : {static_cast<const void *>(&lowest), static_cast<const void *>(&highest),
				      static_cast<const void *>(&full)})
			for (const std::size_t k : {1, 2, 3, 4, 5, 64, 999, 4100}) {
				product p(13, 35, k, x == &full ? ATOM_DTYPE_U8 : ATOM_DTYPE_I8,
					  y == &full ? ATOM_DTYPE_U8 : ATOM_DTYPE_I8, layout::rows, layout::rows,
					  random_);
				p.a.fill(x);
				p.b.fill(y);
				ASSERT_TRUE(p.run());
				p.check_integers();
			}
}

TEST_P(gemm_on, sums_of_bytes_wrap)
{
	// 128 * 128 * 2^17 is 2^31, and one more k is beyond.
	const std::int8_t lowest = -128;
	product p(5, 2, (1 << 17) + 1, ATOM_DTYPE_I8, ATOM_DTYPE_I8, layout::rows, layout::columns, random_);
	p.a.fill(&lowest);
	p.b.fill(&lowest);
	ASSERT_TRUE(p.run());
	p.check_integers();
	EXPECT_LT(static_cast<std::int32_t>(p.out[0]), 0);
}

TEST_P(gemm_on, subnormal_inputs_products_and_sums_are_kept_but_of_bf16)
{
	for (const atom_dtype type : {ATOM_DTYPE_F32, ATOM_DTYPE_BF16})
		for (const int exponent : {0, 1, 40, 60, 63, 64, 70, 80})
			for (const std::size_t m : {1, 17}) {
				product p(m, 40, 37, type, type, layout::rows, layout::rows, random_);
				// Some elements of a and b with small exponents; exponent 0 is subnormal.
				for (std::size_t i = 0; i < p.args.m * p.args.k / 3; ++i)
					for (owned_matrix *x : {&p.a, &p.b}) {
						const auto bits = static_cast<std::uint16_t>(
							(random_() & 0x807f) | static_cast<unsigned>(exponent) << 7);
						std::byte *to =
							x->at(random_() % (x == &p.a ? p.args.m : p.args.k),
							      random_() % (x == &p.a ? p.args.k : p.args.n));
						if (type == ATOM_DTYPE_BF16) {
							std::memcpy(to, &bits, 2);
						} else {
							const std::uint32_t wide = std::uint32_t{bits} << 16 | 1;
							std::memcpy(to, &wide, 4);
						}
					}
				SCOPED_TRACE(p.text() + ", exponent " + std::to_string(exponent));
				ASSERT_TRUE(p.run());
				p.check_floats();
				ASSERT_TRUE(p.run_packed());
				p.check_floats();
			}
	// Everything tiny: the result itself is subnormal.
	const std::uint16_t tiny = 60 << 7 | 5, small = 65 << 7 | 3;
	const std::uint32_t small_f32 = std::uint32_t{small} << 16;
	for (const atom_dtype type : {ATOM_DTYPE_F32, ATOM_DTYPE_BF16}) {
		product p(7, 40, 33, ATOM_DTYPE_BF16, type, layout::rows, layout::columns, random_);
		p.a.fill(&tiny);
		p.b.fill(type == ATOM_DTYPE_F32 ? static_cast<const void *>(&small_f32) : &small);
		ASSERT_TRUE(p.run());
		p.check_floats();
		float result;
		std::memcpy(&result, &p.out[0], 4);
		EXPECT_TRUE(p.may_flush() ? result >= 0 : result > 0) << result;
	}
}

TEST_P(gemm_on, nan_and_infinity_reach_their_elements_and_no_others)
{
	for (const atom_dtype type : floats)
		for (const std::size_t m : {2, 15}) {
			product p(m, 37, 21, type, type, layout::rows, layout::rows, random_);
			std::uint32_t infinity = type == ATOM_DTYPE_F16 ? 0x7c00 : 0x7f80;
			std::uint32_t nan = infinity + 0x40;
			if (type == ATOM_DTYPE_F32) {
				infinity <<= 16;
				nan <<= 16;
			}
			std::memcpy(p.a.at(1, 3), &infinity, bytes_of(type));
			std::memcpy(p.b.at(5, 30), &nan, bytes_of(type));
			ASSERT_TRUE(p.run());
			for (std::size_t i = 0; i < m; ++i)
				for (std::size_t j = 0; j < 37; ++j) {
					float result;
					std::memcpy(&result, &p.out[i * p.args.out_stride + j], 4);
					if (j == 30)
						EXPECT_TRUE(std::isnan(result)) << i;
					else if (i == 1)
						EXPECT_TRUE(std::isinf(result)) << j;
					else
						EXPECT_TRUE(std::isfinite(result)) << i << ", " << j;
				}
		}
}

struct countdown {
	int left;
	static bool asked(void *context) { return --static_cast<countdown *>(context)->left < 0; }
};

TEST_P(gemm_on, an_interrupt_ends_the_product_at_the_next_question)
{
	for (const std::size_t m : {1, 40})
		for (const int answers : {0, 1, 2}) {
			const std::size_t n = m == 1 ? 1700 : 300;
			product p(m, n, 2000, ATOM_DTYPE_F32, ATOM_DTYPE_F32, layout::rows, layout::rows, random_);
			countdown counter{answers};
			p.args.stop = {countdown::asked, &counter};
			EXPECT_FALSE(p.run());
			EXPECT_EQ(counter.left, -1) << "asked again after it was told to stop";
			const workspace packed(packed_b_bytes(ATOM_DTYPE_F32, ATOM_DTYPE_F32, n, 2000));
			counter.left = answers;
			EXPECT_FALSE(pack_b(p.args.b, ATOM_DTYPE_F32, n, 2000, 0, n, packed.get(), p.args.stop));
		}
}

TEST_P(gemm_on, no_k_gives_zeros)
{
	product p(3, 5, 1, ATOM_DTYPE_F32, ATOM_DTYPE_F32, layout::rows, layout::rows, random_);
	p.args.k = 0;
	ASSERT_TRUE(p.run());
	for (std::size_t i = 0; i < 3; ++i)
		for (std::size_t j = 0; j < 5; ++j)
			EXPECT_EQ(p.out[i * p.args.out_stride + j], 0u);
	p.check_margins();
}

TEST(isa_selection, names_are_those_of_the_documentation_and_scalar_is_always_there)
{
	EXPECT_STREQ(name(isa::scalar), "scalar");
	EXPECT_STREQ(name(isa::avx512_bf16), "avx512-vnni-bf16");
	ASSERT_TRUE(select(isa::scalar));
	EXPECT_EQ(selected(), isa::scalar);
	EXPECT_TRUE(gemm_supports(ATOM_DTYPE_F16, ATOM_DTYPE_F32));
	EXPECT_TRUE(gemm_supports(ATOM_DTYPE_BF16, ATOM_DTYPE_Q4_1));
	EXPECT_FALSE(gemm_supports(ATOM_DTYPE_I8, ATOM_DTYPE_F32));
	EXPECT_FALSE(gemm_supports(ATOM_DTYPE_I8, ATOM_DTYPE_Q8_0));
	EXPECT_FALSE(gemm_supports(ATOM_DTYPE_I16, ATOM_DTYPE_I16));
}

} // namespace
} // namespace atom::test
