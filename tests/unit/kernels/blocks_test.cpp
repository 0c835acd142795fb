/* SPDX-License-Identifier: MIT */
// Block types as b, with float rows and with rows rounded to q8_0 first.
#include <gtest/gtest.h>

#include <algorithm>

#include "matrices.h"

namespace atom::test {
namespace {

using namespace engine::kernels;

constexpr atom_dtype floats[] = {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16};
constexpr atom_dtype block_types[] = {ATOM_DTYPE_Q8_0, ATOM_DTYPE_Q4_0, ATOM_DTYPE_Q4_1};

/** k / 32 x n blocks, in memory with a gap after each column, or block rows first. */
class block_matrix {
public:
	block_matrix(std::size_t k, std::size_t n, atom_dtype type, bool columns_first, random &r)
	    : blocks_(k / 32), bytes_(type == ATOM_DTYPE_Q8_0 ? 34 : type == ATOM_DTYPE_Q4_0 ? 18 : 20)
	{
		view_.type = type;
		view_.row_stride = columns_first ? bytes_ : static_cast<std::ptrdiff_t>(n) * bytes_;
		view_.column_stride = columns_first ? static_cast<std::ptrdiff_t>(blocks_) * bytes_ : bytes_;
		data_.resize(blocks_ * n * static_cast<std::size_t>(bytes_));
		for (auto &byte : data_)
			byte = static_cast<std::byte>(r());
		for (std::size_t at = 0; at < data_.size(); at += static_cast<std::size_t>(bytes_)) {
			put_random(&data_[at], ATOM_DTYPE_F16, r);
			if (type == ATOM_DTYPE_Q4_1)
				put_random(&data_[at + 2], ATOM_DTYPE_F16, r);
		}
		view_.data = data_.data();
	}

	const matrix &view() const { return view_; }

	struct parts {
		double scale, min, q;
	};
	/** value = scale * q + min */
	parts at(std::size_t k, std::size_t column) const
	{
		const std::byte *block = view_.data + static_cast<std::ptrdiff_t>(k / 32) * view_.row_stride +
					 static_cast<std::ptrdiff_t>(column) * view_.column_stride;
		const std::size_t i = k % 32;
		const double scale = value_of(block, ATOM_DTYPE_F16);
		if (view_.type == ATOM_DTYPE_Q8_0)
			return {scale, 0, value_of(block + 2 + i, ATOM_DTYPE_I8)};
		const std::size_t head = view_.type == ATOM_DTYPE_Q4_0 ? 2 : 4;
		const auto pair = static_cast<unsigned>(block[head + i % 16]);
		const double nibble = i < 16 ? pair & 15 : pair >> 4;
		if (view_.type == ATOM_DTYPE_Q4_0)
			return {scale, 0, nibble - 8};
		return {scale, value_of(block + 2, ATOM_DTYPE_F16), nibble};
	}

private:
	std::size_t blocks_;
	std::ptrdiff_t bytes_;
	std::vector<std::byte> data_;
	matrix view_;
};

/** The nearest f16, by search. */
double nearest_half(double x)
{
	std::uint16_t low = 0, high = 0x7bff;
	while (high - low > 1) {
		const auto middle = static_cast<std::uint16_t>((low + high) / 2);
		(half_value(middle) <= x ? low : high) = middle;
	}
	const double below = x - half_value(low), above = half_value(high) - x;
	return half_value(below < above || (below == above && low % 2 == 0) ? low : high);
}

class blocks_on : public testing::TestWithParam<isa> {
protected:
	void SetUp() override
	{
		if (!select(GetParam()))
			GTEST_SKIP() << "this CPU has no " << name(GetParam());
	}

	random random_{42};
};

INSTANTIATE_TEST_SUITE_P(isa, blocks_on, testing::Values(isa::scalar, isa::avx2, isa::avx512, isa::avx512_vnni,
							 isa::avx512_bf16),
			 [](const auto &info) {
				 std::string text = name(info.param);
				 std::replace(text.begin(), text.end(), '-', '_');
				 return text;
			 });

gemm_args make(std::size_t m, std::size_t n, std::size_t k, const matrix &a, const matrix &b, std::vector<float> &out)
{
	gemm_args args;
	args.m = m;
	args.n = n;
	args.k = k;
	args.a = a;
	args.b = b;
	out.assign(m * n, NAN);
	args.out = out.data();
	args.out_stride = n;
	return args;
}

/** sum is exact; the tolerance of section 7 for n products of magnitude `magnitude` in all. */
void expect_near(float result, double sum, double magnitude, std::size_t n)
{
	const float exact = static_cast<float>(sum);
	const double ulp = std::nextafter(std::fabs(exact), INFINITY) - std::fabs(exact);
	const double tolerance = std::ldexp(std::sqrt(static_cast<double>(n)), -22) * magnitude + ulp;
	ASSERT_LE(std::fabs(result - sum), tolerance) << result << " instead of " << exact;
}

TEST_P(blocks_on, float_rows_times_blocks_stay_within_the_tolerance)
{
	for (const atom_dtype type : block_types)
		for (const std::size_t m : {1, 2, 3, 4, 5, 21})
			for (const bool columns_first : {true, false}) {
				const auto k = static_cast<std::size_t>(32 * between(random_, 1, 40));
				const auto n = static_cast<std::size_t>(between(random_, 1, 70));
				owned_matrix a(m, k, floats[m % 3], static_cast<layout>(between(random_, 0, 6)), random_);
				const block_matrix b(k, n, type, columns_first, random_);
				std::vector<float> out;
				const gemm_args args = make(m, n, k, a.view(), b.view(), out);
				const workspace work(gemm_workspace(args));
				ASSERT_TRUE(gemm(args, work.get()));
				for (int packed = 0; packed < 2; ++packed) {
					for (std::size_t i = 0; i < m; ++i)
						for (std::size_t j = 0; j < n; ++j) {
							double sum = 0, magnitude = 0;
							for (std::size_t x = 0; x < k; ++x) {
								const auto w = b.at(x, j);
								// dequantised to f32: the sum of q4_1 is rounded
								const double p =
									a.value(i, x) *
									static_cast<float>(w.scale * w.q + w.min);
								sum += p;
								magnitude += std::fabs(p);
							}
							SCOPED_TRACE(testing::Message() << type << ": " << m << " x " << n
											<< " x " << k << " at " << i
											<< ", " << j);
							expect_near(out[i * n + j], sum, magnitude, k);
							if (HasFatalFailure())
								return;
						}
					const workspace store(packed_b_bytes(args.a.type, type, n, k));
					ASSERT_TRUE(pack_b(args.b, args.a.type, n, k, 0, n, store.get()));
					std::fill(out.begin(), out.end(), NAN);
					ASSERT_TRUE(gemm_packed(args, store.get(), n, 0, work.get()));
				}
			}
}

TEST_P(blocks_on, rounded_rows_have_exact_block_dots)
{
	for (const atom_dtype type : block_types)
		for (const std::size_t m : {1, 2, 3, 4, 9})
			for (int round = 0; round < 3; ++round) {
				const auto blocks = static_cast<std::size_t>(between(random_, 1, 40));
				const std::size_t k = 32 * blocks;
				const auto n = static_cast<std::size_t>(between(random_, 1, 30));
				owned_matrix a(m, k, floats[round], layout::rows, random_);
				const block_matrix b(k, n, type, round != 1, random_);
				std::vector<float> out;
				gemm_args args = make(m, n, k, a.view(), b.view(), out);
				args.act_q8 = true;
				const workspace work(gemm_workspace(args));
				ASSERT_TRUE(gemm(args, work.get()));
				for (std::size_t i = 0; i < m; ++i)
					for (std::size_t j = 0; j < n; ++j) {
						double sum = 0, magnitude = 0;
						for (std::size_t block = 0; block < blocks; ++block) {
							float greatest = 0;
							for (std::size_t x = 0; x < 32; ++x)
								greatest = std::max(greatest,
										    std::fabs(static_cast<float>(
											    a.value(i, block * 32 + x))));
							const float unit = greatest / 127;
							const double scale = nearest_half(unit);
							std::int64_t dot = 0, total = 0;
							for (std::size_t x = 0; x < 32; ++x) {
								const auto q = static_cast<std::int64_t>(std::round(
									static_cast<float>(a.value(i, block * 32 + x)) /
									unit));
								dot += q * static_cast<std::int64_t>(
										   b.at(block * 32 + x, j).q);
								total += q;
							}
							const auto w = b.at(block * 32, j);
							for (const double p : {scale * w.scale * static_cast<double>(dot),
									       w.min * scale * static_cast<double>(total)}) {
								sum += p;
								magnitude += std::fabs(p);
							}
						}
						SCOPED_TRACE(testing::Message() << type << ": " << m << " x " << n << " x " << k
										<< " at " << i << ", " << j);
						expect_near(out[i * n + j], sum, magnitude, blocks);
						if (HasFatalFailure())
							return;
					}
			}
}

TEST_P(blocks_on, a_column_that_is_all_columns_gives_each_the_same_result)
{
	for (const atom_dtype type : block_types)
		for (const std::size_t n : {1, 2, 7})
			for (const bool act_q8 : {false, true}) {
				owned_matrix a(3, 160, ATOM_DTYPE_F32, layout::rows, random_);
				const block_matrix b(160, 1, type, true, random_);
				matrix same = b.view();
				same.column_stride = 0;
				std::vector<float> one, out;
				gemm_args alone = make(3, 1, 160, a.view(), b.view(), one);
				gemm_args args = make(3, n, 160, a.view(), same, out);
				alone.act_q8 = args.act_q8 = act_q8;
				const workspace work(std::max(gemm_workspace(alone), gemm_workspace(args)));
				ASSERT_TRUE(gemm(alone, work.get()));
				ASSERT_TRUE(gemm(args, work.get()));
				for (std::size_t i = 0; i < out.size(); ++i)
					ASSERT_EQ(out[i], one[i / n]) << type << ", " << n << " columns, at " << i;
			}
}

TEST_P(blocks_on, rows_of_zeros_and_extreme_rows_are_rounded_without_overflow)
{
	for (const float value : {0.0f, 1e-45f, 2e-44f, 1e38f, -1e-40f}) {
		owned_matrix a(1, 64, ATOM_DTYPE_F32, layout::rows, random_);
		a.fill(&value);
		const block_matrix b(64, 3, ATOM_DTYPE_Q8_0, true, random_);
		std::vector<float> out;
		gemm_args args = make(1, 3, 64, a.view(), b.view(), out);
		args.act_q8 = true;
		const workspace work(gemm_workspace(args));
		ASSERT_TRUE(gemm(args, work.get()));
		if (std::fabs(value) < 1e-30f) { // the scale is 0 as f16
			EXPECT_EQ(out[0], 0) << value;
		}
	}
}

} // namespace
} // namespace atom::test
