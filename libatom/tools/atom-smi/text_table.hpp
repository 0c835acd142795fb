// SPDX-License-Identifier: MIT
// Tables for people, and how numbers look in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "readings.hpp"

namespace smi {

/** Columns as wide as their widest cell, two blanks apart. What is in them is printed as
 * printable(). */
class text_table {
public:
	enum class align : std::uint8_t {
		left,
		right
	};
	struct column {
		std::string title;
		align side = align::left;
	};

	explicit text_table(std::vector<column> columns) : columns_(std::move(columns)) {}
	void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
	/** A line for the titles and one for each row, each ended. */
	[[nodiscard]] std::string to_string() const;

private:
	std::vector<column> columns_;
	std::vector<std::vector<std::string>> rows_;
};

/** What stands where nothing is known. */
constexpr const char *unknown = "-";

/** Bytes that are no printable ASCII become '?': what others name must not steer a terminal. */
std::string printable(std::string text);

std::string or_unknown(const std::optional<std::string> &text);
/** "512 B", "1.5 GiB" */
std::string bytes_text(std::uint64_t bytes);
std::string bytes_text(number bytes);
/** "45 C" */
std::string temperature_text(number millidegrees);
/** "19.4 W" */
std::string power_text(number microwatts);
/** "95%" */
std::string share_text(number permille);
std::string share_text(std::optional<double> share);
/** "1.25 GHz" */
std::string clock_text(number hz);
std::string number_text(number value);

} // namespace smi
