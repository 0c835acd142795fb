/* SPDX-License-Identifier: MIT */
/**
 * @file cut.h
 * @brief How many, and how large, the tiles of a command are.
 */
#pragma once

#include <algorithm>
#include <cstdint>

namespace atom::engine {

/** Parts of @p of each that @p n needs, the last one perhaps smaller. */
inline std::int64_t parts(std::int64_t n, std::int64_t of) { return (n + of - 1) / of; }

/**
 * Size of parts of about equal size that are multiples of @p unit: one or an even number, for two threads to share. About @p most
 * at most, or up to @p limit where that gives an even number.
 */
inline std::int64_t even_part(std::int64_t n, std::int64_t most, std::int64_t unit, std::int64_t limit)
{
	const std::int64_t units = parts(n, unit);
	std::int64_t count = parts(n, std::clamp(most, std::int64_t{1}, n));
	if (count > 1)
		count = std::min(count + count % 2, units);
	const std::int64_t size = parts(units, count) * unit;
	count = parts(n, size);
	const std::int64_t larger = parts(units, std::max(count - 1, std::int64_t{1})) * unit;
	return std::min(n, count % 2 && larger <= limit ? larger : size);
}

} // namespace atom::engine
