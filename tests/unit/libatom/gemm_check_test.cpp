// SPDX-License-Identifier: MIT
// The check of samples/gemm must be able to fail.
#include <gtest/gtest.h>

#include "gemm/check.hpp"

namespace {

sample::product make(std::size_t n, std::int32_t largest, std::mt19937 &random)
{
	std::uniform_int_distribution<std::int32_t> entry(-largest, largest);
	sample::product p{n, {}, {}, std::vector<std::int32_t>(n * n)};
	for (auto *m : {&p.a, &p.b}) {
		m->resize(n * n);
		std::generate(m->begin(), m->end(), [&] { return entry(random); });
	}
	for (std::size_t i = 0; i < n; ++i)
		for (std::size_t k = 0; k < n; ++k)
			for (std::size_t j = 0; j < n; ++j)
				p.c[i * n + j] += p.a[i * n + k] * p.b[k * n + j];
	return p;
}

TEST(the_check_of_a_product, passes_what_is_right)
{
	std::mt19937 random(1);
	for (const std::size_t n : {1, 2, 7, 64}) {
		const sample::product p = make(n, 127, random);
		EXPECT_EQ(sample::find_error(p, random), "") << n;
	}
}

TEST(the_check_of_a_product, finds_any_single_wrong_element_and_names_it)
{
	std::mt19937 random(2);
	const sample::product right = make(16, 60, random);
	for (std::size_t i = 0; i < right.c.size(); ++i) {
		for (const std::int32_t wrong : {right.c[i] + 1, right.c[i] - 1, INT32_MIN}) {
			sample::product p = right;
			p.c[i] = wrong;
			const std::string error = sample::find_error(p, random);
			const std::string place = "element [" + std::to_string(i / 16) + ", " +
			                          std::to_string(i % 16) + "] is ";
			EXPECT_EQ(error.substr(0, place.size()), place);
		}
	}
}

TEST(the_check_of_a_product, finds_errors_that_cancel_each_other)
{
	std::mt19937 random(3);
	sample::product p = make(16, 60, random);
	p.c[5 * 16 + 2] += 1000;
	p.c[5 * 16 + 3] -= 1000;
	EXPECT_NE(sample::find_error(p, random), "");
	p = make(16, 60, random);
	std::swap(p.c[0], p.c[17]);
	EXPECT_NE(sample::find_error(p, random), "");
}

} // namespace
