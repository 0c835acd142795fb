// SPDX-License-Identifier: MIT
#include "system_files.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>

namespace smi {

namespace fs = std::filesystem;

std::optional<std::int64_t> to_number(std::string_view text)
{
	int base = 10;
	if (text.starts_with("0x")) {
		text.remove_prefix(2);
		base = 16;
	}
	std::int64_t value = 0;
	const auto [end, error] =
		std::from_chars(text.data(), text.data() + text.size(), value, base);
	if (error != std::errc() || end != text.data() + text.size())
		return std::nullopt;
	return value;
}

fs::path system_files::at(std::string_view path) const
{
	return root_ / fs::path(path).relative_path();
}

std::optional<std::string> system_files::read(std::string_view path) const
{
	std::ifstream file(at(path), std::ios::binary);
	std::string text{std::istreambuf_iterator<char>(file), {}};
	// An attribute whose device is gone opens, and fails to be read.
	if (!file || file.bad())
		return std::nullopt;
	text.erase(text.find_last_not_of(" \t\r\n") + 1);
	return text;
}

std::optional<std::int64_t> system_files::read_number(std::string_view path) const
{
	const auto text = read(path);
	return text ? to_number(*text) : std::nullopt;
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
