// SPDX-License-Identifier: MIT
// The driver's KUnit tests, on kernels that have KUnit. tests/unit/kernel runs the same on the host.
#include "machine.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/utsname.h>

using namespace vmtest;

namespace fs = std::filesystem;

TEST(kunit, all_suites_of_the_driver_pass)
{
	utsname kernel;
	ASSERT_EQ(uname(&kernel), 0);
	const fs::path build = fs::read_symlink("/proc/self/exe").parent_path() / "../../..";
	const fs::path module = build / "kernel" / kernel.release / "atom_npu_kunit.ko";
	if (!fs::exists(module))
		GTEST_SKIP() << "this kernel has no KUnit";
	ASSERT_EQ(run_program({"modprobe", "kunit", "enable=1"}), 0);
	ASSERT_EQ(run_program({"modprobe", "atom_npu"}), 0); // for what both need
	ASSERT_EQ(run_program({"insmod", module.c_str()}), 0);
	unsigned suites = 0;
	for (const auto &entry : fs::directory_iterator("/sys/kernel/debug/kunit")) {
		if (!entry.path().filename().string().starts_with("atom_"))
			continue;
		++suites;
		std::ifstream file(entry.path() / "results");
		const std::string text{std::istreambuf_iterator<char>(file), {}};
		EXPECT_NE(text.find("\nok "), std::string::npos) << text;
		EXPECT_EQ(text.find("not ok "), std::string::npos) << text;
	}
	EXPECT_GE(suites, 5u);
	EXPECT_EQ(run_program({"rmmod", "atom_npu_kunit"}), 0);
}
