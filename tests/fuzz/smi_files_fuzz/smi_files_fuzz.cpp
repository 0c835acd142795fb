// SPDX-License-Identifier: MIT
// atom-smi on a machine whose files say anything: what sysfs, fdinfo and the rest of /proc tell,
// which files there are, and what they are called. Tables for people stay printable, JSON stays
// JSON.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "commands.hpp"
#include "event_log.hpp"
#include "metrics_text.hpp"
#include "text_table.hpp"
#include "top_screen.hpp"
#include "views.hpp"

namespace {

using tree = std::map<std::string, std::string>;

/** The files that there are; links have their target for contents. */
tree machine;

constexpr const char *pci = "/sys/bus/pci/devices/0000:01:00.0/";
constexpr const char *process = "/proc/42/";

tree healthy_machine()
{
	tree out = {{"/proc/sys/kernel/osrelease", "6.12.9-amd64"},
	            {"/boot/config-6.12.9-amd64", "CONFIG_DRM_ACCEL=y"},
	            {"/lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko.xz", ""},
	            {"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
	             std::string("\6\0\0\0\1", 5)},
	            {"/sys/module/module/parameters/sig_enforce", "N"},
	            {"/sys/module/atom_npu/version", "1.0.0"},
	            {"/dev/accel/accel0", ""}};
	const std::pair<const char *, const char *> device[] = {
		{"vendor", "0x1234"},
		{"device", "0xa70a"},
		{"driver", "../../../bus/pci/drivers/atom_npu"},
		{"accel/accel0/dev", "261:0"},
		{"numa_node", "-1"},
		{"local_cpulist", "0-7"},
		{"iommu_group", "../../../kernel/iommu_groups/3"},
		{"iommu_group/type", "DMA"},
		{"current_link_speed", "16.0 GT/s PCIe"},
		{"current_link_width", "8"},
		{"max_link_speed", "32.0 GT/s PCIe"},
		{"max_link_width", "16"},
		{"resource", "0x1000 0x10fff 0x1\n0x0 0x0 0x0\n0x20000 0x2ffff 0x1"},
		{"state", "ok"},
		{"platform", "emulator"},
		{"serial", "00000000deadbeef"},
		{"uuid", "01234567-0123-0123-0123-0123456789ab"},
		{"fw_version", "7"},
		{"interface_version", "1.0"},
		{"throttle", "thermal"}};
	for (const auto &[name, text] : device)
		out[std::string(pci) + name] = text;
	for (const smi::reading &r : smi::all_readings()) {
		const bool sensor = std::strpbrk(r.file, "1") != nullptr;
		out[pci + std::string(sensor ? "hwmon/hwmon3/" : "") + r.file] = "1000";
	}
	out[std::string(process) + "comm"] = "chat";
	out[std::string(process) + "fd/5"] = "/dev/accel/accel0";
	out[std::string(process) + "fdinfo/5"] = "drm-driver:\tatom_npu\ndrm-client-id:\t7\ndrm-"
	                                         "pdev:\t0000:01:00.0\ndrm-engine-npu:\t250 ns\n"
						 "drm-total-memory:\t4 KiB\ndrm-total-local:\t2 "
	                                         "MiB\natom-priority:\tnormal\natom-state:\tok";
	return out;
}

void change(tree &files, FuzzedDataProvider &input)
{
	static const std::vector<std::string> known = [] {
		std::vector<std::string> names;
		for (const auto &[path, text] : healthy_machine())
			names.push_back(path);
		return names;
	}();
	const std::string &path =
		known[input.ConsumeIntegralInRange<std::size_t>(0, known.size() - 1)];
	switch (input.ConsumeIntegralInRange(0, 7)) {
	case 0:
		files.erase(path);
		break;
	case 1: { // another file beside it, or another device or process with it alone
		std::string name = input.ConsumeRandomLengthString(40);
		std::replace(name.begin(), name.end(), '/', '_');
		const std::size_t end = path.rfind('/');
		const std::size_t begin = path.rfind('/', end - 1);
		const std::string text = input.ConsumeRandomLengthString(200);
		if (input.ConsumeBool())
			files[path.substr(0, end + 1) + name] = text;
		else
			files[path.substr(0, begin + 1) + name + path.substr(end)] = text;
		break;
	}
	case 2: // a number, of any size
		files[path] = std::to_string(input.ConsumeIntegral<std::int64_t>());
		break;
	default:
		files[path] = input.ConsumeRandomLengthString(400);
		break;
	}
}

void check(bool good)
{
	if (!good)
		__builtin_trap();
}

void check_plain(const std::string &text)
{
	check(std::all_of(text.begin(), text.end(),
	                  [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
}

/** What @p command prints. */
std::string printed_by(smi::exit_status (&command)(const smi::request &), bool json)
{
	smi::request r;
	r.files = smi::system_files("/nowhere");
	r.json = json;
	std::ostringstream out;
	std::streambuf *before = std::cout.rdbuf(out.rdbuf());
	try {
		command(r);
	} catch (const smi::failure &) { // there is no device
	}
	std::cout.rdbuf(before);
	return out.str();
}

void check_screen(const smi::top_state &top, FuzzedDataProvider &input)
{
	const auto width = input.ConsumeIntegralInRange<std::size_t>(0, 200);
	const auto height = input.ConsumeIntegralInRange<std::size_t>(0, 50);
	const auto lines = smi::compose(top, width, height);
	check(lines.size() == height);
	for (const smi::screen_line &line : lines)
		for (const smi::run_of_text &run : line)
			check(std::none_of(run.text.begin(), run.text.end(),
			                   [](char c) { return c >= 0 && c < ' '; }));
}

} // namespace

// The functions of system_files.cpp, on the tree above.
namespace smi {

std::filesystem::path system_files::at(std::string_view path) const
{
	return root_.string() + std::string(path);
}

std::optional<std::string> system_files::read(std::string_view path) const
{
	const auto file = machine.find(std::string(path));
	if (file == machine.end())
		return std::nullopt;
	std::string text = file->second;
	text.erase(text.find_last_not_of(" \t\r\n") + 1);
	return text;
}

std::optional<std::string> system_files::link_name(std::string_view path) const
{
	const auto text = read(path);
	return text ? std::optional(text->substr(text->rfind('/') + 1)) : std::nullopt;
}

std::vector<std::string> system_files::list(std::string_view path) const
{
	std::string folder(path);
	if (folder.back() != '/')
		folder += '/';
	std::set<std::string> names;
	for (auto file = machine.lower_bound(folder);
	     file != machine.end() && file->first.starts_with(folder); ++file)
		names.insert(file->first.substr(
			folder.size(), file->first.find('/', folder.size()) - folder.size()));
	names.erase("");
	return {names.begin(), names.end()};
}

bool system_files::exists(std::string_view path) const
{
	return machine.count(std::string(path)) != 0;
}

} // namespace smi

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
	// What std::printf() says, too, is not for the log.
	return std::freopen("/dev/null", "w", stdout) == nullptr;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	FuzzedDataProvider input(data, size);
	const smi::system_files files("/nowhere");
	machine = healthy_machine();
	static const std::vector<smi::npu> before = smi::find_npus(files);
	static const std::vector<smi::client> users = smi::find_clients(files);
	check(before.size() == 1 && users.size() == 1);
	const auto answer = input.ConsumeIntegralInRange(0, 11);
	for (int n = input.ConsumeIntegralInRange(1, 8); n > 0; --n)
		change(machine, input);

	smi::top_state top;
	top.devices = smi::find_npus(files);
	top.clients = smi::find_clients(files);
	smi::compare(top.clients, users,
	             std::chrono::nanoseconds(input.ConsumeIntegral<std::int64_t>()));
	const auto replace = nlohmann::json::error_handler_t::replace;
	switch (answer) {
	case 0:
		top.remember();
		top.by = static_cast<smi::order>(input.ConsumeIntegralInRange(0, 2));
		top.sort();
		check_screen(top, input);
		break;
	case 1:
		check_plain(smi::device_table(top.devices));
		check_plain(
			smi::client_table(top.devices, smi::clients_of(top.devices, top.clients)));
		break;
	case 2:
		for (const auto &e : smi::differences(before, top.devices))
			(void)smi::to_json(e).dump(-1, ' ', false, replace);
		for (const auto &e : smi::happened(top.devices))
			(void)smi::to_json(e).dump(-1, ' ', false, replace);
		break;
	case 3:
		(void)smi::to_json(top.clients).dump(-1, ' ', false, replace);
		break;
	case 4:
		(void)smi::metrics_text(top.devices);
		break;
	case 5:
		check_plain(printed_by(smi::show_info, false));
		break;
	case 6:
		check_plain(printed_by(smi::show_topology, false));
		break;
	case 7:
		printed_by(smi::run_doctor, false);
		break;
	default: {
		smi::exit_status (*const commands[])(const smi::request &) = {
			&smi::show_info, &smi::show_topology, &smi::run_doctor, &smi::show_cdi};
		const std::string text = printed_by(*commands[answer - 8], true);
		check(text.empty() || nlohmann::json::accept(text));
		break;
	}
	}
	return 0;
}
