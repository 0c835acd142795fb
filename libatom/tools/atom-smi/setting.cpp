// SPDX-License-Identifier: MIT
// atom-smi set: what an administrator may change while the driver runs.
#include <algorithm>
#include <array>

#include "commands.hpp"
#include "text_table.hpp"
#include "writing.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

struct setting {
	const char *name;
	number readings::*now;
	const char *file; ///< below the device's folder
	const char *unit;
	const char *help;
};

constexpr std::array settings = {
	setting{"job-timeout", &readings::job_timeout_ms, "job_timeout_ms", "ms",
                "time without progress after which a job is given up, for new queues that ask "
                "for nothing else"},
	setting{"job-timeout-max", &readings::job_timeout_max_ms, "job_timeout_max_ms", "ms",
                "the longest time that a new queue may ask for"},
};

const setting &find_setting(const std::string &name)
{
	const auto *const found = std::find_if(settings.begin(), settings.end(),
	                                       [&](const setting &s) { return name == s.name; });
	if (found != settings.end())
		return *found;
	std::string all;
	for (const setting &s : settings)
		all += std::string(all.empty() ? "" : ", ") + s.name;
	throw failure(exit_status::usage,
	              "there is no setting \"" + name + "\"; there are: " + all);
}

json settings_of(const npu &device)
{
	json out = json::array();
	for (const setting &s : settings) {
		const number value = device.now.*s.now;
		out.push_back({{"name", s.name},
		               {"value", value ? json(*value) : json(nullptr)},
		               {"unit", s.unit}});
	}
	return out;
}

void print_settings(const request &r, const npu &device)
{
	if (r.json) {
		auto out = answer("set");
		out["device"] = device.index;
		out["settings"] = settings_of(device);
		print(out);
		return;
	}
	text_table table({{"SETTING"}, {"NOW", text_table::align::right}, {"UNIT"}, {"WHAT"}});
	for (const setting &s : settings)
		table.add({s.name, number_text(device.now.*s.now), s.unit, s.help});
	std::cout << table.to_string();
}

} // namespace

exit_status change_setting(const request &r)
{
	npu device = select_one(r);
	if (!r.setting.empty()) {
		const setting &s = find_setting(r.setting);
		if (r.value.empty())
			throw failure(exit_status::usage,
			              "set " + r.setting + ": to what? A number of " + s.unit);
		const auto value = to_number(r.value);
		if (!value || *value <= 0)
			throw failure(exit_status::usage, "set " + r.setting + " " + r.value +
			                                          ": not a number of " + s.unit +
			                                          " above 0");
		write_attribute(r.files, device, s.file, std::to_string(*value));
		refresh(device, r.files);
	}
	print_settings(r, device);
	return exit_status::ok;
}

} // namespace smi
