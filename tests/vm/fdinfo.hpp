// SPDX-License-Identifier: MIT
// What /proc tells of an open file of the driver.
#pragma once

#include "uapi.hpp"

#include <fstream>
#include <map>
#include <string>

namespace vmtest {

/** The keys of the file of @p dev, and their values. */
inline std::map<std::string, std::string> fdinfo(const device &dev)
{
	std::ifstream file("/proc/self/fdinfo/" + std::to_string(dev.fd()));
	std::map<std::string, std::string> result;
	std::string line;
	while (std::getline(file, line)) {
		const auto colon = line.find(':');
		if (colon != std::string::npos)
			result[line.substr(0, colon)] = line.substr(line.find_first_not_of(" \t", colon + 1));
	}
	return result;
}

/** Sum of the values of all keys that begin with @p prefix, in bytes or nanoseconds. */
inline std::uint64_t sum_of(const std::map<std::string, std::string> &info, const std::string &prefix)
{
	std::uint64_t sum = 0;
	for (const auto &[key, value] : info)
		if (key.starts_with(prefix) && !key.starts_with("drm-engine-capacity-")) {
			const std::uint64_t number = std::stoull(value);
			sum += value.ends_with("KiB") ? number << 10 : value.ends_with("MiB") ? number << 20 : number;
		}
	return sum;
}

} // namespace vmtest
