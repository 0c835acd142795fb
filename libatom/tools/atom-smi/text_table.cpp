// SPDX-License-Identifier: MIT
#include "text_table.hpp"

#include <algorithm>
#include <cstdio>

namespace smi {

namespace {

std::string format(const char *how, double value)
{
	char text[64];
	std::snprintf(text, sizeof(text), how, value);
	return text;
}

void append(std::string &out, const std::string &text, std::size_t width, bool right)
{
	const std::string cell = printable(text);
	const std::string blanks(width - std::min(width, cell.size()), ' ');
	out += right ? blanks + cell : cell + blanks;
}

} // namespace

std::string text_table::to_string() const
{
	std::vector<std::size_t> widths;
	for (std::size_t i = 0; i < columns_.size(); ++i) {
		std::size_t width = columns_[i].title.size();
		for (const auto &row : rows_)
			width = std::max(width, row[i].size());
		widths.push_back(width);
	}
	std::string out;
	const auto add_line = [&](const auto &cell_of) {
		std::string line;
		for (std::size_t i = 0; i < columns_.size(); ++i) {
			line += i > 0 ? "  " : "";
			append(line, cell_of(i), widths[i], columns_[i].side == align::right);
		}
		line.erase(line.find_last_not_of(' ') + 1);
		out += line + '\n';
	};
	add_line([&](std::size_t i) { return columns_[i].title; });
	for (const auto &row : rows_)
		add_line([&](std::size_t i) { return row[i]; });
	return out;
}

std::string printable(std::string text)
{
	std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
	return text;
}

std::string or_unknown(const std::optional<std::string> &text) { return text.value_or(unknown); }

std::string bytes_text(std::uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	if (bytes < 1024)
		return std::to_string(bytes) + " B";
	double value = static_cast<double>(bytes) / 1024;
	std::size_t unit = 0;
	for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
		value /= 1024;
	return format(value < 100 ? "%.1f " : "%.0f ", value) + units[unit];
}

std::string bytes_text(number bytes)
{
	return bytes ? bytes_text(static_cast<std::uint64_t>(*bytes)) : unknown;
}

std::string temperature_text(number millidegrees)
{
	return millidegrees ? format("%.0f C", static_cast<double>(*millidegrees) / 1e3) : unknown;
}

std::string power_text(number microwatts)
{
	return microwatts ? format("%.1f W", static_cast<double>(*microwatts) / 1e6) : unknown;
}

std::string share_text(number permille)
{
	return permille ? format("%.0f%%", static_cast<double>(*permille) / 10) : unknown;
}

std::string share_text(std::optional<double> share)
{
	return share ? format("%.0f%%", *share * 100) : unknown;
}

std::string clock_text(number hz)
{
	return hz ? format("%.2f GHz", static_cast<double>(*hz) / 1e9) : unknown;
}

std::string number_text(number value) { return value ? std::to_string(*value) : unknown; }

} // namespace smi
