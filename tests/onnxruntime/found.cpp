// SPDX-License-Identifier: MIT
#include "found.hpp"

#include <array>
#include <cstdio>

namespace found {

std::string folder_of(const std::string &command)
{
	const std::string line = std::string(ATOM_PACKAGING) + "/" + command;
	FILE *pipe = popen(line.c_str(), "r"); // NOLINT(cert-env33-c): a path of ours
	if (pipe == nullptr)
		return {};
	std::string text;
	std::array<char, 4096> part{};
	while (fgets(part.data(), part.size(), pipe) != nullptr)
		text += part.data();
	if (pclose(pipe) != 0)
		return {};
	while (!text.empty() && text.back() == '\n')
		text.pop_back();
	return text;
}

} // namespace found
