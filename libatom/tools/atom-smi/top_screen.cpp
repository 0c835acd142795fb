// SPDX-License-Identifier: MIT
#include "top_screen.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "text_table.hpp"
#include "views.hpp"

namespace smi {

namespace {

constexpr std::size_t history_length = 240;
constexpr std::size_t bar_width = 24;

colour by_share(std::int64_t permille)
{
	if (permille >= 900)
		return colour::hot;
	return permille >= 600 ? colour::warm : colour::good;
}

colour by_temperature(const readings &r)
{
	constexpr double near = 10000;
	if (!r.temperature_mc || !r.temperature_throttle_mc)
		return colour::plain;
	if (*r.temperature_mc >= *r.temperature_throttle_mc)
		return colour::hot;
	const double missing = static_cast<double>(*r.temperature_throttle_mc) -
	                       static_cast<double>(*r.temperature_mc);
	return missing <= near ? colour::warm : colour::good;
}

void add_bar(screen_line &line, const char *name, number permille)
{
	const auto share = static_cast<std::size_t>(std::clamp<std::int64_t>(
		permille.value_or(0), 0, 1000));
	const std::size_t full = (share * bar_width + 500) / 1000;
	line.push_back({std::string("  ") + name + " ["});
	line.push_back({std::string(full, '|'), by_share(static_cast<std::int64_t>(share))});
	std::string rest(bar_width - full, ' ');
	const std::string text = share_text(permille);
	line.push_back({rest + "] " + std::string(4 - std::min<std::size_t>(4, text.size()), ' ') +
	                text});
}

number used_permille(const readings &r)
{
	if (!r.local_bytes || !r.local_used_bytes || *r.local_bytes <= 0)
		return std::nullopt;
	const std::int64_t used = std::clamp<std::int64_t>(*r.local_used_bytes, 0, *r.local_bytes);
	return static_cast<std::int64_t>(1000 * (static_cast<double>(used) /
	                                         static_cast<double>(*r.local_bytes)));
}

// One column for each look, eight heights.
std::string sparkline(const std::deque<std::int64_t> &history, std::size_t width)
{
	static constexpr std::array<const char *, 9> blocks = {" ", "▁", "▂", "▃", "▄",
	                                                       "▅", "▆", "▇", "█"};
	std::string out;
	const std::size_t shown = std::min(width, history.size());
	for (std::size_t i = history.size() - shown; i < history.size(); ++i)
		out += blocks[static_cast<std::size_t>(
			(std::clamp<std::int64_t>(history[i], 0, 1000) * 8 + 999) / 1000)];
	return out;
}

void add_device(std::vector<screen_line> &out, const top_state &state, const npu &d,
                std::size_t width)
{
	const readings &r = d.now;
	screen_line head = {{printable("NPU " + std::to_string(d.index) + "  " + d.name + "  " +
	                               (d.pci ? d.pci->address : or_unknown(d.node)) + "  "),
	                     colour::title}};
	head.push_back({temperature_text(r.temperature_mc), by_temperature(r)});
	head.push_back({"  " + power_text(r.power_uw) + "  " +
	                (r.pstate ? "P" + std::to_string(*r.pstate) : unknown) + "  " +
	                clock_text(r.clock_ne0_hz) + "  jobs " + number_text(r.jobs) +
	                "  queues " + number_text(r.queues) + "  "});
	head.push_back({printable(state_text(d)), d.state == condition::ok ? colour::good : colour::hot});
	out.push_back(std::move(head));
	screen_line bars;
	add_bar(bars, "UTIL", r.utilisation_permille);
	add_bar(bars, "MEM", used_permille(r));
	bars.push_back({"  " + bytes_text(r.local_used_bytes) + " / " + bytes_text(r.local_bytes)});
	out.push_back(std::move(bars));
	const auto history = state.history.find(d.index);
	if (history != state.history.end() && width > 4)
		out.push_back({{"  "}, {sparkline(history->second, width - 4), colour::good}});
}

std::vector<std::string> lines_of(const std::string &text)
{
	std::vector<std::string> lines;
	std::istringstream in(text);
	for (std::string line; std::getline(in, line);)
		lines.push_back(line);
	return lines;
}

// Columns are UTF-8 characters: what we print is ASCII, and blocks of one column.
screen_line clip(const screen_line &line, std::size_t width)
{
	screen_line out;
	std::size_t columns = 0;
	for (const run_of_text &run : line) {
		run_of_text part{"", run.how};
		for (const char c : run.text) {
			const bool begins = (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
			if (begins && columns++ >= width)
				break;
			part.text += c;
		}
		out.push_back(std::move(part));
		if (columns >= width)
			break;
	}
	return out;
}

std::string footer(const top_state &state)
{
	static constexpr std::array<const char *, 3> words = {"utilisation", "memory", "pid"};
	return std::string("q quit   u m p sort by utilisation, memory, pid (now: ") +
	       words[static_cast<std::size_t>(state.by)] + ")   up down scroll";
}

} // namespace

void top_state::remember()
{
	for (const npu &d : devices) {
		std::deque<std::int64_t> &past = history[d.index];
		past.push_back(d.now.utilisation_permille.value_or(0));
		if (past.size() > history_length)
			past.pop_front();
	}
}

void top_state::sort()
{
	std::stable_sort(clients.begin(), clients.end(), [&](const client &a, const client &b) {
		if (by == order::utilisation)
			return a.utilisation.value_or(0) > b.utilisation.value_or(0);
		if (by == order::memory)
			return a.device_bytes() > b.device_bytes();
		return a.pid < b.pid;
	});
	first_client = std::min(first_client, clients.empty() ? 0 : clients.size() - 1);
}

std::vector<screen_line> compose(const top_state &state, std::size_t width, std::size_t height)
{
	std::vector<screen_line> out;
	if (state.devices.empty())
		out.push_back({{"no ATOM NPU in this machine", colour::hot}});
	for (const npu &d : state.devices)
		add_device(out, state, d, width);
	out.emplace_back();
	const std::vector<std::string> table = lines_of(client_table(state.devices, state.clients));
	out.push_back({{table.front(), colour::title}});
	for (std::size_t i = 1 + state.first_client; i < table.size(); ++i)
		out.push_back({{table[i]}});
	if (height == 0)
		return {};
	out.resize(height - 1);
	out.push_back({{footer(state), colour::title}});
	for (screen_line &line : out)
		line = clip(line, width);
	return out;
}

} // namespace smi
