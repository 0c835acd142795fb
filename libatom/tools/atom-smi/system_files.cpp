// SPDX-License-Identifier: MIT
#include "system_files.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

namespace smi {

namespace fs = std::filesystem;

fs::path system_files::at(std::string_view path) const
{
	return root_ / fs::path(path).relative_path();
}

std::optional<std::string> system_files::read(std::string_view path) const
{
	std::ifstream file(at(path), std::ios::binary);
	std::string text;
	std::array<char, 4096> part;
	do {
		file.read(part.data(), part.size());
		text.append(part.data(), static_cast<std::size_t>(file.gcount()));
	} while (file);
	// An attribute whose device is gone opens, and fails to be read: an end is the file's only.
	if (!file.eof())
		return std::nullopt;
	text.erase(text.find_last_not_of(" \t\r\n") + 1);
	return text;
}

std::optional<std::string> system_files::link_name(std::string_view path) const
{
	std::error_code error;
	const fs::path target = fs::read_symlink(at(path), error);
	if (error)
		return std::nullopt;
	return target.filename().string();
}

std::vector<std::string> system_files::list(std::string_view path) const
{
	std::error_code error;
	std::vector<std::string> names;
	for (fs::directory_iterator i(at(path), error), end; !error && i != end; i.increment(error))
		names.push_back(i->path().filename().string());
	std::sort(names.begin(), names.end(), [](const std::string &a, const std::string &b) {
		return ::strverscmp(a.c_str(), b.c_str()) < 0;
	});
	return names;
}

bool system_files::exists(std::string_view path) const
{
	std::error_code error;
	return fs::exists(at(path), error);
}

} // namespace smi
