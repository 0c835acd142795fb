// SPDX-License-Identifier: MIT
// The driver's attributes in sysfs, as an operator reads them.
#pragma once

#include "uapi.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace vmtest {

/** The folder of the PCI function whose device file is @p node. */
inline std::filesystem::path sysfs_folder(const std::string &node)
{
	const auto name = std::filesystem::path(node).filename();
	return std::filesystem::canonical("/sys/class/accel" / name / "device");
}

/** The same of the @p index-th device. */
inline std::filesystem::path sysfs_folder(std::size_t index = 0) { return sysfs_folder(device_nodes().at(index)); }

/** The folder of its sensors. */
inline std::filesystem::path hwmon_folder(std::size_t index = 0)
{
	for (const auto &entry : std::filesystem::directory_iterator(sysfs_folder(index) / "hwmon"))
		return entry.path();
	throw std::runtime_error("the device has no sensors");
}

/** The line that an attribute holds. Throws if there is none. */
inline std::string read_line(const std::filesystem::path &file)
{
	std::ifstream stream(file);
	std::string line;
	if (!std::getline(stream, line))
		throw std::runtime_error("cannot read " + file.string());
	return line;
}

inline std::uint64_t read_number(const std::filesystem::path &file) { return std::stoull(read_line(file)); }

/** errno of writing @p text, 0 if it was taken. */
inline int write_error(const std::filesystem::path &file, const std::string &text)
{
	const unique_fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
	if (fd.get() < 0)
		return errno;
	return ::write(fd.get(), text.data(), text.size()) < 0 ? errno : 0;
}

} // namespace vmtest
