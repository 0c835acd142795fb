// SPDX-License-Identifier: MIT
// The kernel's record of what happens inside the driver.
#pragma once

#include "trouble.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <sys/mount.h>

namespace vmtest {

/** The events of the driver and of the scheduler are recorded while it lives. */
class recorder {
public:
	recorder()
	{
		if (!exists(folder_ / "events") && mount("tracefs", folder_.c_str(), "tracefs", 0, nullptr) != 0)
			throw std::system_error(errno, std::generic_category(), "mount tracefs");
		switch_events("1");
		write_to(folder_ / "trace", "");
	}
	recorder(recorder &&) = delete;
	~recorder() { switch_events("0"); }

	/** Recorded events with @p mark, as "name: fields". */
	std::vector<std::string> recorded(const std::string &mark) const
	{
		std::vector<std::string> events;
		std::ifstream trace(folder_ / "trace");
		for (std::string line; std::getline(trace, line);) {
			const auto name = line.find(": ");
			if (line.front() != '#' && name != std::string::npos && line.find(mark) != std::string::npos)
				events.push_back(line.substr(name + 2));
		}
		return events;
	}

private:
	void switch_events(const char *to) const
	{
		for (const char *system : {"atom_npu", "gpu_scheduler"})
			write_to(folder_ / "events" / system / "enable", to);
	}

	const std::filesystem::path folder_ = "/sys/kernel/tracing";
};

/** Index of the first event that begins so and has @p field; the number of events if there is none. */
inline std::size_t find_event(const std::vector<std::string> &events, const std::string &name, const std::string &field)
{
	std::size_t i = 0;
	while (i < events.size() &&
	       !(events[i].starts_with(name + ":") && (events[i] + " ").find(field + " ") != std::string::npos))
		++i;
	return i;
}

} // namespace vmtest
