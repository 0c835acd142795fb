// SPDX-License-Identifier: MIT
#include <charconv>

#include "system_files.hpp"

namespace smi {

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

std::optional<std::int64_t> system_files::read_number(std::string_view path) const
{
	const auto text = read(path);
	return text ? to_number(*text) : std::nullopt;
}

} // namespace smi
