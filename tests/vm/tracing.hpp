// SPDX-License-Identifier: MIT
// Trace events of the kernel, through tracefs.
#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mount.h>

namespace vmtest {

/** Records trace events while it lives. */
class tracing {
public:
	/** @p groups: of events, all of which are recorded; throws if the kernel has one not. */
	explicit tracing(std::initializer_list<const char *> groups) : groups_(groups.begin(), groups.end())
	{
		if (!std::filesystem::exists(folder() / "trace"))
			::mount("tracefs", folder().c_str(), "tracefs", 0, nullptr);
		// The same for all processors, so that the order of lines is that of time.
		write("trace_clock", "mono");
		for (const std::string &group : groups_)
			write("events/" + group + "/enable", "1");
		write("trace", "");
	}
	tracing(tracing &&) = delete;
	~tracing()
	{
		for (const std::string &group : groups_)
			std::ofstream(folder() / "events" / group / "enable") << "0";
	}

	/** What was recorded so far, `event: fields` a line, in the order of time. */
	std::vector<std::string> lines() const
	{
		std::ifstream file(folder() / "trace");
		std::vector<std::string> result;
		for (std::string line; std::getline(file, line);) {
			// TASK-PID [CPU] FLAGS TIME: event: fields
			const auto time = line.find(": ");
			if (!line.starts_with('#') && time != std::string::npos)
				result.push_back(line.substr(time + 2));
		}
		return result;
	}

private:
	static const std::filesystem::path &folder()
	{
		static const std::filesystem::path path = "/sys/kernel/tracing";
		return path;
	}

	static void write(const std::string &name, const char *text)
	{
		std::ofstream file(folder() / name);
		file << text << std::flush;
		if (!file)
			throw std::runtime_error("cannot write " + name + " of tracefs");
	}

	std::vector<std::string> groups_;
};

} // namespace vmtest
