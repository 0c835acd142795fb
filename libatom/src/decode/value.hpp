// SPDX-License-Identifier: MIT
// What a decoder found, as a tree that can be printed for people or as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace atom::decode {

struct value {
	using array = std::vector<value>;
	using object = std::vector<std::pair<std::string, value>>; // in order

	std::variant<std::nullptr_t, std::int64_t, std::uint64_t, double, std::string, array,
	             object>
		data = nullptr;
	/** For people, instead of what is inside. */
	std::string summary;

	value() = default;
	value(std::uint64_t v) : data(v) {}
	value(std::int64_t v) : data(v) {}
	value(std::uint32_t v) : data(std::uint64_t{v}) {}
	value(double v) : data(v) {}
	value(std::string v) : data(std::move(v)) {}
	value(const char *v) : data(std::string(v)) {}
	value(array v) : data(std::move(v)) {}
	value(object v) : data(std::move(v)) {}

	/** Of an object; nullptr if there is none. */
	[[nodiscard]] const value *find(const std::string &name) const;
};

/** Numbers in base units; what JSON cannot say (NaN, infinity) as text. */
std::string to_json(const value &v);
/** Indented lines. */
std::string to_text(const value &v);

} // namespace atom::decode
