// SPDX-License-Identifier: MIT
#include "fail_nth.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace vmtest {

bool fail_nth::works()
{
	const std::string debugfs = "/sys/kernel/debug/";
	const struct {
		const char *file, *value;
	} settings[] = {
		{"failslab/ignore-gfp-wait", "N"},	  {"failslab/verbose", "0"},
		{"fail_page_alloc/ignore-gfp-wait", "N"}, {"fail_page_alloc/ignore-gfp-highmem", "N"},
		{"fail_page_alloc/min-order", "0"},	  {"fail_page_alloc/verbose", "0"},
		{"fail_usercopy/verbose", "0"},
	};
	for (const auto &[file, value] : settings) {
		std::ofstream out(debugfs + file);
		if (!(out << value << std::flush))
			return false;
	}
	return access("/proc/thread-self/fail-nth", W_OK) == 0;
}

fail_nth::fail_nth() : fd_(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC))
{
	if (fd_ < 0)
		throw std::system_error(errno, std::generic_category(), "/proc/thread-self/fail-nth");
}

fail_nth::~fail_nth() { close(fd_); }

void fail_nth::arm(unsigned n)
{
	const std::string text = std::to_string(n);
	if (pwrite(fd_, text.data(), text.size(), 0) < 0)
		throw std::system_error(errno, std::generic_category(), "writing fail-nth");
}

bool fail_nth::disarm()
{
	// The copies of these two calls count too: the first may be what fails, and says nothing of the call before.
	char left[16] = {};
	const bool read = pread(fd_, left, sizeof(left) - 1, 0) > 0;
	while (pwrite(fd_, "0", 1, 0) < 0) {
	}
	return read && std::atoi(left) == 0;
}

} // namespace vmtest
