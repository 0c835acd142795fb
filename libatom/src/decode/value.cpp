// SPDX-License-Identifier: MIT
#include "decode/value.hpp"

#include <cmath>
#include <cstdio>

namespace atom::decode {
namespace {

template <class... F>
struct overloaded : F... {
	using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

std::string number(double v)
{
	char text[40];
	std::snprintf(text, sizeof(text), "%.9g", v);
	return text;
}

std::string quoted(const std::string &s)
{
	std::string out = "\"";
	for (const char c : s) {
		if (c == '"' || c == '\\') {
			out += '\\';
			out += c;
		} else if (static_cast<unsigned char>(c) < 0x20) {
			char escape[8];
			std::snprintf(escape, sizeof(escape), "\\u%04x", c);
			out += escape;
		} else {
			out += c;
		}
	}
	return out + '"';
}

std::string plain(const value &v)
{
	if (!v.summary.empty())
		return v.summary;
	return std::visit(overloaded{
				  [](std::nullptr_t) { return std::string("absent"); },
				  [](std::int64_t i) { return std::to_string(i); },
				  [](std::uint64_t u) { return std::to_string(u); },
				  [](double d) { return number(d); },
				  [](const std::string &s) { return s; },
				  [](const value::array &a) {
					  std::string text;
					  for (const value &e : a)
						  text += (text.empty() ? "" : ", ") + plain(e);
					  return text.empty() ? std::string("none") : text;
				  },
				  [](const value::object &) { return std::string(); },
			  },
	                  v.data);
}

bool is_block(const value &v)
{
	if (!v.summary.empty())
		return false;
	if (std::holds_alternative<value::object>(v.data))
		return true;
	const auto *a = std::get_if<value::array>(&v.data);
	return a != nullptr && !a->empty() && is_block(a->front());
}

void print(std::string &out, const value &v, const std::string &indent)
{
	if (const auto *a = std::get_if<value::array>(&v.data)) {
		bool first = true;
		for (const value &e : *a) {
			if (!first)
				out += "\n";
			first = false;
			print(out, e, indent);
		}
		return;
	}
	const auto *o = std::get_if<value::object>(&v.data);
	if (o == nullptr)
		return;
	for (const auto &[name, member] : *o) {
		if (!is_block(member)) {
			out += indent + name + ": " + plain(member) + "\n";
			continue;
		}
		out += indent + name + "\n";
		print(out, member, indent + "    ");
	}
}

} // namespace

const value *value::find(const std::string &name) const
{
	if (const auto *o = std::get_if<object>(&data))
		for (const auto &[key, member] : *o)
			if (key == name)
				return &member;
	return nullptr;
}

std::string to_text(const value &v)
{
	std::string out;
	print(out, v, "");
	return out;
}

std::string to_json(const value &v)
{
	return std::visit(
		overloaded{
			[](std::nullptr_t) { return std::string("null"); },
			[](std::int64_t i) { return std::to_string(i); },
			[](std::uint64_t u) { return std::to_string(u); },
			[](double d) { return std::isfinite(d) ? number(d) : quoted(number(d)); },
			[](const std::string &s) { return quoted(s); },
			[](const value::array &a) {
				std::string text;
				for (const value &e : a)
					text += (text.empty() ? "" : ",") + to_json(e);
				return "[" + text + "]";
			},
			[](const value::object &o) {
				std::string text;
				for (const auto &[name, member] : o)
					text += (text.empty() ? "" : ",") + quoted(name) + ":" +
			                        to_json(member);
				return "{" + text + "}";
			},
		},
		v.data);
}

} // namespace atom::decode
