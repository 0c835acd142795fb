// SPDX-License-Identifier: MIT
// memcpy of 64 MiB by one thread of the host: the reference of copy.h2d and copy.d2h.
#include "figures.hpp"

#include <cstring>
#include <vector>

int main()
{
	constexpr std::size_t bytes = std::size_t{64} << 20;
	std::vector<char> from(bytes, 1), to(bytes, 2);
	std::vector<double> rates;
	for (int i = 0; i < 25; ++i) {
		const double start = bench::now();
		std::memcpy(to.data(), from.data(), bytes);
		// The copy must happen: its result is used.
		asm volatile("" : : "r"(to.data()) : "memory");
		if (i >= 5)
			rates.push_back(static_cast<double>(bytes) / (bench::now() - start) / 1e9);
	}
	bench::tell("host.memcpy", bench::quantile(rates));
	return to[bytes - 1] == 1 ? 0 : 1;
}
