// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <algorithm>
#include <ctime>

#include "exit_status.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

// Names of processes may be any bytes.
constexpr auto any_bytes = json::error_handler_t::replace;

const npu *device_of(const std::vector<npu> &devices, const client &c)
{
	const auto found = std::find_if(devices.begin(), devices.end(), [&](const npu &device) {
		return device.pci && c.pci_address == device.pci->address;
	});
	return found == devices.end() ? nullptr : &*found;
}

} // namespace

json answer(const char *command)
{
	const std::time_t now = std::time(nullptr);
	std::tm parts{};
	::gmtime_r(&now, &parts);
	char text[32];
	std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return {{"schema", "atom-smi/1"}, {"command", command}, {"time", text}};
}

void print(const json &answer)
{
	std::cout << answer.dump(2, ' ', false, any_bytes) << std::endl;
}

void print_line(const json &answer)
{
	std::cout << answer.dump(-1, ' ', false, any_bytes) << std::endl;
}

npu select_one(const request &r)
{
	std::vector<npu> devices = select_npus(r.files, r.device);
	if (devices.size() > 1)
		throw failure(exit_status::usage,
		              "there are " + std::to_string(devices.size()) +
		                      " NPUs: say with --device which one is meant");
	return std::move(devices.front());
}

json to_json(const std::vector<npu> &devices)
{
	json out = json::array();
	for (const npu &device : devices)
		out.push_back(to_json(device));
	return out;
}

json to_json(const std::vector<client> &clients)
{
	json out = json::array();
	for (const client &c : clients)
		out.push_back(to_json(c));
	return out;
}

std::vector<client> clients_of(const std::vector<npu> &devices, std::vector<client> clients)
{
	std::erase_if(clients, [&](const client &c) { return device_of(devices, c) == nullptr; });
	return clients;
}

std::string index_text(const std::vector<npu> &devices, const client &c)
{
	const npu *device = device_of(devices, c);
	return device == nullptr ? unknown : std::to_string(device->index);
}

} // namespace smi
