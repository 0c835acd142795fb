// SPDX-License-Identifier: MIT
// Uses the shared library from C++17 and catches its exceptions across the border.
#include <cstdio>
#include <cstring>

#include "atom/atom.hpp"

int main()
{
	if (atom::runtime_version().major != atom::compiled_version.major)
		return 1;
	try {
		(void)atom::device::open("/no/such/device");
		return 2;
	} catch (const atom::system_error &e) {
		if (e.code() != atom::errc::no_device || e.code() != std::errc::no_such_device ||
		    std::strstr(e.what(), "/no/such/device") == nullptr)
			return 3;
		std::puts(e.what());
	}
	std::error_code ec;
	if (atom::device::open("nonsense", ec) || ec != atom::errc::no_device)
		return 4;
	try {
		throw atom::job_error(atom::completion{});
	} catch (const std::system_error &e) {
		return e.code() == atom::errc::canceled ? 0 : 5;
	}
}
