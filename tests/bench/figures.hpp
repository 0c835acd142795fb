// SPDX-License-Identifier: MIT
// What the programs of the bench tell their runner: lines `figure NAME VALUE`, all else is for people.
#pragma once

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

namespace bench {

/** Seconds of CLOCK_MONOTONIC. */
inline double now()
{
	timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/** @p share 0.5: the median. */
inline double quantile(std::vector<double> values, double share = 0.5)
{
	std::sort(values.begin(), values.end());
	return values[static_cast<std::size_t>(static_cast<double>(values.size() - 1) * share)];
}

inline void tell(const char *name, double value)
{
	std::printf("figure %s %.9g\n", name, value);
	std::fflush(stdout);
}

} // namespace bench
