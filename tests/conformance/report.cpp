// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cstdio>
#include <fstream>

namespace conformance {
namespace {

const char *name_of(verdict v)
{
	switch (v) {
	case verdict::passed:
		return "passed";
	case verdict::failed:
		return "failed";
	case verdict::not_applicable:
		return "not applicable";
	}
	return "?";
}

std::string quoted(const std::string &text)
{
	std::string out = "\"";
	for (const char c : text) {
		if (c == '"' || c == '\\') {
			out += {'\\', c};
		} else if (static_cast<unsigned char>(c) < 0x20) {
			char code[8];
			std::snprintf(code, sizeof(code), "\\u%04x", c);
			out += code;
		} else {
			out += c;
		}
	}
	return out + '"';
}

} // namespace

summary sum_up(const std::vector<result> &results)
{
	summary s;
	for (const result &r : results) {
		s.passed += r.what.result == verdict::passed;
		s.on_host += r.what.result == verdict::passed && r.what.commands == 0;
		s.corrected += r.what.result == verdict::passed && r.what.corrected;
		s.failed += r.what.result == verdict::failed;
		if (r.what.result == verdict::not_applicable)
			++s.not_applicable[r.what.reason];
		s.unexpected += !r.unexpected.empty();
	}
	return s;
}

std::string to_string(const summary &s)
{
	std::size_t total = 0;
	std::string reasons;
	for (const auto &[reason, count] : s.not_applicable) {
		total += count;
		reasons += (reasons.empty() ? ": " : ", ") + std::to_string(count) + " " + reason;
	}
	return std::to_string(s.passed) + " passed, " + std::to_string(s.failed) + " failed, " +
	       std::to_string(total) + " not applicable" + reasons + "; of those that passed " +
	       std::to_string(s.on_host) + " on the host alone, " +
	       std::to_string(s.corrected) + " against corrected outputs";
}

void write_text(const std::filesystem::path &file, const std::vector<result> &results)
{
	std::ofstream out(file);
	for (const result &r : results) {
		out << r.vector << ": " << name_of(r.what.result);
		if (!r.what.text.empty())
			out << " (" << r.what.text << ")";
		else if (r.what.corrected)
			out << " (against corrected outputs)";
		out << '\n';
	}
	out << to_string(sum_up(results)) << '\n';
}

void write_json(const std::filesystem::path &file, const std::vector<result> &results)
{
	const summary s = sum_up(results);
	std::ofstream out(file);
	out << "{\"schema\": \"atom-conformance/1\", \"passed\": " << s.passed
	    << ", \"failed\": " << s.failed << ", \"not_applicable\": {";
	const char *comma = "";
	for (const auto &[reason, count] : s.not_applicable) {
		out << comma << quoted(reason) << ": " << count;
		comma = ", ";
	}
	out << "}, \"vectors\": [";
	comma = "\n";
	for (const result &r : results) {
		out << comma << "{\"name\": " << quoted(r.vector)
		    << ", \"result\": " << quoted(name_of(r.what.result))
		    << ", \"reason\": " << quoted(r.what.reason)
		    << ", \"text\": " << quoted(r.what.text)
		    << ", \"commands\": " << r.what.commands << ", \"corrected\": "
		    << (r.what.corrected ? "true" : "false") << "}";
		comma = ",\n";
	}
	out << "\n]}\n";
}

void write_expected(const std::filesystem::path &file, const std::vector<result> &results)
{
	std::ofstream out(file);
	out << "# Vectors that do not apply, and why. Written by onnx_conformance --write-expected.\n"
	       "# All others must pass.\n";
	for (const result &r : results)
		if (r.what.result == verdict::not_applicable)
			out << r.vector << ' ' << r.what.reason << '\n';
}

} // namespace conformance
