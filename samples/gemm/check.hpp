// SPDX-License-Identifier: MIT
// Checking a matrix product on the host without computing all of it again.
//
// The inputs are small integers, or sixteenths of them, so that every sum of products
// can be represented exactly and no order of summation rounds: the device must give exactly
// the product. Two checks then cover all elements of C = A * B at the price of a few passes
// over the matrices instead of n^3 operations:
//
// - Random vectors (Freivalds): A * (B * x) == C * x in 64-bit integers. A row of C with
//   any wrong element passes with a probability of at most 2^-16 for each x, of which
//   there are two.
// - Sampled rows, first and last among them, are computed in full and compared
//   element by element, so that an error is also told with its place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sample {

/** Square matrices of order n, row by row, as integers: value = integer / denominator. */
struct product {
	std::size_t n;
	std::vector<std::int32_t> a;
	std::vector<std::int32_t> b;
	std::vector<std::int32_t> c; ///< what the device gave, in the units of a * b
};

inline std::vector<std::int64_t> times(const std::vector<std::int32_t> &matrix,
                                       const std::vector<std::int64_t> &x)
{
	const std::size_t n = x.size();
	std::vector<std::int64_t> y(n);
	for (std::size_t i = 0; i < n; ++i) {
		std::int64_t sum = 0;
		for (std::size_t j = 0; j < n; ++j)
			sum += matrix[i * n + j] * x[j];
		y[i] = sum;
	}
	return y;
}

inline std::string wrong_element(const product &p, std::size_t row)
{
	std::vector<std::int64_t> expected(p.n);
	for (std::size_t k = 0; k < p.n; ++k)
		for (std::size_t j = 0; j < p.n; ++j)
			expected[j] += std::int64_t{p.a[row * p.n + k]} * p.b[k * p.n + j];
	for (std::size_t j = 0; j < p.n; ++j)
		if (p.c[row * p.n + j] != expected[j])
			return "element [" + std::to_string(row) + ", " + std::to_string(j) +
			       "] is " + std::to_string(p.c[row * p.n + j]) + ", not " +
			       std::to_string(expected[j]) + " (in units of the last place)";
	return {};
}

/** Empty if all elements are right; else what is wrong. */
inline std::string find_error(const product &p, std::mt19937 &random)
{
	std::uniform_int_distribution<std::int64_t> entry(-(1 << 15), (1 << 15) - 1);
	for (int round = 0; round < 2; ++round) {
		std::vector<std::int64_t> x(p.n);
		std::generate(x.begin(), x.end(), [&] { return entry(random); });
		const std::vector<std::int64_t> expected = times(p.a, times(p.b, x));
		const std::vector<std::int64_t> got = times(p.c, x);
		for (std::size_t i = 0; i < p.n; ++i)
			if (got[i] != expected[i])
				return wrong_element(p, i);
	}
	for (const std::size_t row : {std::size_t{0}, p.n - 1, random() % p.n, random() % p.n})
		if (std::string error = wrong_element(p, row); !error.empty())
			return error;
	return {};
}

} // namespace sample
