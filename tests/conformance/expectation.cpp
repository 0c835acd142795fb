// SPDX-License-Identifier: MIT
#include "expectation.hpp"

#include <fstream>

namespace conformance {

std::map<std::string, std::string> read_list(const std::filesystem::path &file)
{
	std::map<std::string, std::string> list;
	std::ifstream in(file);
	for (std::string line; std::getline(in, line);) {
		if (line.empty() || line.front() == '#')
			continue;
		const std::size_t space = line.find(' ');
		list[line.substr(0, space)] =
			space == std::string::npos ? "" : line.substr(space + 1);
	}
	return list;
}

std::string expectations::judge(const std::string &vector, const outcome &o) const
{
	const auto excused = not_applicable.find(vector);
	const bool known = known_failures.count(vector) != 0;
	switch (o.result) {
	case verdict::passed:
		if (excused != not_applicable.end())
			return "passed, and is listed as not applicable";
		return known ? "passed, and is listed as a known failure" : "";
	case verdict::not_applicable:
		if (excused == not_applicable.end())
			return "does not apply (" + o.text + "), and is not listed so";
		if (excused->second != o.reason)
			return "does not apply for another reason than is listed: " + o.text;
		return {};
	case verdict::failed:
		return known ? "" : o.text;
	}
	return {};
}

} // namespace conformance
