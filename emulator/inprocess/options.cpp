/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace atom::inprocess {

namespace {

constexpr std::uint64_t devices_max = 16;
constexpr std::uint64_t threads_max = 256;
constexpr std::uint64_t dram_min = 2ull << 20;
constexpr std::uint64_t dram_max = 1ull << 40;

bool number(std::string_view text, std::uint64_t low, std::uint64_t high, std::uint64_t &value)
{
	const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
	return wrong == std::errc() && end == text.data() + text.size() && value >= low && value <= high;
}

/* "512M" or "16G": powers of two. */
bool size(std::string_view text, std::uint64_t &value)
{
	constexpr std::string_view units = "MG";
	const std::size_t unit = text.empty() ? std::string_view::npos : units.find(text.back());
	if (unit == std::string_view::npos)
		return false;
	const unsigned shift = unit == 0 ? 20 : 30;
	if (!number(text.substr(0, text.size() - 1), 1, dram_max >> shift, value))
		return false;
	value <<= shift;
	return value >= dram_min && value % dram_min == 0;
}

bool choice(std::string_view text, std::string_view zero, std::string_view one, std::uint32_t &value)
{
	value = text == one;
	return text == zero || text == one;
}

/* Colons for commas: one of these would end the option. */
bool list(std::string_view text, std::string &value)
{
	value = text;
	std::replace(value.begin(), value.end(), ':', ',');
	return !text.empty();
}

struct option {
	std::string_view name;
	std::string_view wants;
	bool (*set)(std::string_view, options &);
};

constexpr option known[] = {
	{"dram", "an even number of MiB or a number of GiB, from 2M to 1024G",
	 [](std::string_view text, options &o) { return size(text, o.dram_bytes); }},
	{"threads", "0 (as many as CPUs) to 256",
	 [](std::string_view text, options &o) {
		 std::uint64_t n = 0;
		 const bool good = number(text, 0, threads_max, n);
		 o.threads = static_cast<std::uint32_t>(n);
		 return good;
	 }},
	{"engine", "fast or reference",
	 [](std::string_view text, options &o) { return choice(text, "fast", "reference", o.engine); }},
	{"executor", "pool or inline",
	 [](std::string_view text, options &o) { return choice(text, "inline", "pool", o.executor); }},
	{"pace", "host or device",
	 [](std::string_view text, options &o) { return choice(text, "host", "device", o.pace); }},
	{"compute", "on or off",
	 [](std::string_view text, options &o) {
		 std::uint32_t off = 0;
		 const bool good = choice(text, "on", "off", off);
		 o.compute_off = off;
		 return good;
	 }},
	/* Names and values of these two are the model's business. */
	{"timing", "NAME=VALUE:NAME=VALUE.., parameters of the timing model",
	 [](std::string_view text, options &o) { return list(text, o.timing); }},
	{"inject", "kind=KIND:NAME=VALUE.., a fault",
	 [](std::string_view text, options &o) { return list(text, o.inject); }},
	{"times", "a file to write to",
	 [](std::string_view text, options &o) {
		 o.times = text;
		 return !text.empty();
	 }},
};

bool set(std::string_view word, options &out, std::string &error)
{
	const std::size_t equals = word.find('=');
	const std::string_view name = word.substr(0, equals);
	const auto *found = std::find_if(std::begin(known), std::end(known),
					 [name](const option &o) { return o.name == name; });
	if (found == std::end(known)) {
		error = "option \"" + std::string(name) + "\" is not one of";
		for (const option &o : known)
			error += (&o == known ? " " : ", ") + std::string(o.name);
		return false;
	}
	const std::string_view value = equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
	if (found->set(value, out))
		return true;
	error = std::string(name) + "=" + std::string(value) + ": it must be " + std::string(found->wants);
	return false;
}

} // namespace

bool parse(std::string_view text, options &out, std::string &error)
{
	out = {};
	const std::size_t comma = text.find(',');
	const std::string_view count = text.substr(0, comma);
	if (!count.empty()) {
		std::uint64_t n = 0;
		if (count.front() != ':' || !number(count.substr(1), 1, devices_max, n)) {
			error = "\"" + std::string(count) + "\": behind the name comes :N, the number of devices, 1 to " +
				std::to_string(devices_max) + ", or a comma";
			return false;
		}
		out.devices = static_cast<std::uint32_t>(n);
	}
	for (std::size_t at = comma; at != std::string_view::npos;) {
		const std::size_t next = text.find(',', at + 1);
		if (!set(text.substr(at + 1, next == std::string_view::npos ? next : next - at - 1), out, error))
			return false;
		at = next;
	}
	if (out.executor == ATOM_EXECUTOR_INLINE && out.pace == ATOM_PACE_DEVICE) {
		error = "pace=device needs executor=pool: somebody has to work when the time has come";
		return false;
	}
	return true;
}

} // namespace atom::inprocess
