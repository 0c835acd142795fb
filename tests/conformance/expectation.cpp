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
	switch (o.result) {
	case verdict::passed:
		return excused != not_applicable.end() ? "passed, and is listed as not applicable"
		                                       : "";
	case verdict::not_applicable:
		if (excused == not_applicable.end())
			return "does not apply (" + o.text + "), and is not listed so";
		if (excused->second != o.reason)
			return "does not apply for another reason than is listed: " + o.text;
		return {};
	case verdict::failed:
		return o.text;
	}
	return {};
}

} // namespace conformance
