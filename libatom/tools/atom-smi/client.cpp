// SPDX-License-Identifier: MIT
#include "client.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <thread>

#include <pwd.h>
#include <sys/stat.h>

#include "npu.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

// "1234 ns", "64 KiB", "0"
std::uint64_t parse_quantity(std::string_view text)
{
	std::uint64_t value = 0;
	const char *end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, value);
	if (error != std::errc())
		return 0;
	const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
	if (unit == " KiB")
		return value << 10;
	if (unit == " MiB")
		return value << 20;
	return value;
}

std::string_view trimmed(std::string_view text)
{
	const std::size_t first = text.find_first_not_of(" \t");
	return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

void take(client &c, std::string_view key, std::string_view value)
{
	constexpr std::string_view engine = "drm-engine-";
	constexpr std::string_view total = "drm-total-";
	if (key == "drm-client-id")
		c.id = parse_quantity(value);
	else if (key == "drm-pdev")
		c.pci_address = value;
	else if (key == "atom-priority")
		c.priority = value;
	else if (key == "atom-state")
		c.context_state = value;
	else if (key.starts_with(engine) && !key.starts_with("drm-engine-capacity-"))
		c.engine_ns[std::string(key.substr(engine.size()))] = parse_quantity(value);
	else if (key.starts_with(total))
		c.memory_bytes[std::string(key.substr(total.size()))] = parse_quantity(value);
}

// Nothing if the text is not of a file of ours.
std::optional<client> parse(const std::string &text)
{
	client c;
	bool ours = false;
	std::istringstream lines(text);
	for (std::string line; std::getline(lines, line);) {
		const std::size_t colon = line.find(':');
		if (colon == std::string::npos)
			continue;
		const std::string_view key = std::string_view(line).substr(0, colon);
		const std::string_view value = trimmed(std::string_view(line).substr(colon + 1));
		if (key == "drm-driver")
			ours = value == "atom_npu";
		take(c, key, value);
	}
	return ours ? std::optional(c) : std::nullopt;
}

std::optional<std::string> owner(const system_files &files, const std::string &folder)
{
	struct stat status;
	if (::stat(files.at(folder).c_str(), &status) != 0)
		return std::nullopt;
	char buffer[4096];
	passwd entry;
	passwd *found = nullptr;
	if (::getpwuid_r(status.st_uid, &entry, buffer, sizeof(buffer), &found) == 0 &&
	    found != nullptr)
		return found->pw_name;
	return std::to_string(status.st_uid);
}

// A file that was duplicated has one client behind several descriptors.
void add_process(std::vector<client> &found, const system_files &files, int pid)
{
	const std::string folder = "/proc/" + std::to_string(pid);
	const std::size_t first = found.size();
	for (const std::string &fd : files.list(folder + "/fd")) {
		const auto target = files.link_name(folder + "/fd/" + fd);
		if (!target || !target->starts_with("accel"))
			continue;
		auto c = parse(files.read(folder + "/fdinfo/" + fd).value_or(""));
		const auto same = [&](const client &other) {
			return other.id == c->id && other.pci_address == c->pci_address;
		};
		if (!c || std::any_of(found.begin() + static_cast<std::ptrdiff_t>(first),
		                      found.end(), same))
			continue;
		c->pid = pid;
		c->command = files.read(folder + "/comm").value_or("?");
		c->user = owner(files, folder);
		found.push_back(std::move(*c));
	}
}

} // namespace

std::uint64_t client::device_bytes() const
{
	std::uint64_t sum = 0;
	for (const auto &[region, bytes] : memory_bytes)
		if (region != "memory")
			sum += bytes;
	return sum;
}

std::uint64_t client::busy_ns() const
{
	std::uint64_t sum = 0;
	for (const auto &[engine, ns] : engine_ns)
		sum += ns;
	return sum;
}

std::vector<client> find_clients(const system_files &files)
{
	std::vector<client> found;
	for (const std::string &name : files.list("/proc"))
		if (const auto pid = to_number(name))
			add_process(found, files, static_cast<int>(*pid));
	return found;
}

void compare(std::vector<client> &now, const std::vector<client> &earlier,
             std::chrono::nanoseconds elapsed)
{
	for (client &c : now) {
		const auto before =
			std::find_if(earlier.begin(), earlier.end(), [&](const client &e) {
				return e.pid == c.pid && e.id == c.id &&
			               e.pci_address == c.pci_address;
			});
		if (before == earlier.end() || elapsed.count() <= 0 ||
		    c.busy_ns() < before->busy_ns())
			continue;
		c.utilisation = static_cast<double>(c.busy_ns() - before->busy_ns()) /
		                static_cast<double>(elapsed.count());
	}
}

std::vector<client> watch_clients(const system_files &files)
{
	using clock = std::chrono::steady_clock;
	const auto begin = clock::now();
	const std::vector<client> before = find_clients(files);
	if (before.empty())
		return before;
	std::this_thread::sleep_for(std::chrono::milliseconds(100));
	std::vector<client> now = find_clients(files);
	compare(now, before, clock::now() - begin);
	return now;
}

json to_json(const client &c)
{
	return {{"pid", c.pid},
	        {"command", c.command},
	        {"user", or_null(c.user)},
	        {"pci_address", or_null(c.pci_address)},
	        {"context", c.id},
	        {"state", or_null(c.context_state)},
	        {"priority", or_null(c.priority)},
	        {"engine_ns", c.engine_ns},
	        {"memory_bytes", c.memory_bytes},
	        {"utilisation", c.utilisation ? json(*c.utilisation) : json(nullptr)}};
}

} // namespace smi
