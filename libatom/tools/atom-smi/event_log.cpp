// SPDX-License-Identifier: MIT
#include "event_log.hpp"

#include <algorithm>

#include "text_table.hpp"
#include "views.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

struct counted {
	const char *kind;
	number readings::*member;
	const char *what; ///< of one or more
};

constexpr counted counters[] = {
	{"device_reset", &readings::device_resets, "reset of the whole device"},
	{"queue_reset", &readings::queue_resets, "queue reset"},
	{"job_fault", &readings::job_faults, "job ended by a fault"},
	{"job_timeout", &readings::job_timeouts, "job given up: no progress in time"},
	{"lost_interrupt", &readings::lost_interrupts, "completion found without an interrupt"},
	{"ecc_corrected", &readings::ecc_corrected, "memory error corrected"},
	{"ecc_uncorrected", &readings::ecc_uncorrected, "memory error not corrected"},
};

std::string key_of(const npu &device)
{
	return device.pci ? device.pci->address : or_unknown(device.node);
}

const npu *find(const std::vector<npu> &devices, const std::string &key)
{
	const auto found = std::find_if(devices.begin(), devices.end(),
	                                [&](const npu &d) { return key_of(d) == key; });
	return found == devices.end() ? nullptr : &*found;
}

void count(std::vector<event> &out, const std::string &device, const readings &before,
           const readings &now)
{
	for (const counted &c : counters) {
		const std::int64_t was = std::max<std::int64_t>((before.*c.member).value_or(0), 0);
		const std::int64_t is = std::max<std::int64_t>((now.*c.member).value_or(0), 0);
		const std::int64_t more = is < was ? is : is - was;
		if (more == 0)
			continue;
		const std::string times = more == 1 ? "" : std::to_string(more) + " times: ";
		out.push_back({c.kind, device, more,
		               times + c.what + " (" + std::to_string(is) + " in all)"});
	}
}

// The words of the state are those of the JSON; "ok" after a bad one is "recovered".
void compare_states(std::vector<event> &out, const npu &before, const npu &now)
{
	if (before.state == now.state)
		return;
	const std::string kind = now.state == condition::ok ? "recovered" : to_word(now.state);
	out.push_back({kind, key_of(now), std::nullopt,
	               "was " + state_text(before) + ", is " + state_text(now)});
}

} // namespace

std::vector<event> differences(const std::vector<npu> &before, const std::vector<npu> &now)
{
	std::vector<event> out;
	for (const npu &gone : before)
		if (find(now, key_of(gone)) == nullptr)
			out.push_back({"removed", key_of(gone), std::nullopt, "the device is gone"});
	for (const npu &device : now) {
		const npu *earlier = find(before, key_of(device));
		if (earlier == nullptr) {
			out.push_back({"added", key_of(device), std::nullopt,
			               device.name + " found: " + state_text(device)});
			continue;
		}
		compare_states(out, *earlier, device);
		count(out, key_of(device), earlier->now, device.now);
	}
	return out;
}

std::vector<event> happened(const std::vector<npu> &now)
{
	std::vector<event> out;
	for (const npu &device : now)
		count(out, key_of(device), {}, device.now);
	return out;
}

json to_json(const event &e)
{
	return {{"kind", e.kind},
	        {"device", e.device},
	        {"count", e.count ? json(*e.count) : json(nullptr)},
	        {"what", e.what}};
}

} // namespace smi
