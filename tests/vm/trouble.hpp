// SPDX-License-Identifier: MIT
// Trouble that tests make: injected errors, devices that are reset, taken away and given back.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace vmtest {

/** Writes @p text to a file of the kernel; throws if it refuses. */
void write_to(const std::filesystem::path &file, const std::string &text);

/** Base of tests that need the control port. No injection is left over from one test to the next. */
class troubled : public testing::Test {
protected:
	troubled();
	~troubled() override;

	/** Into device 0; grammar: emulator/README.md. */
	static void inject(const std::string &spec);
};

/** Says that the root file system is lost: leave_word() is needed. */
void lose_root();
/** Where the program cannot end, because its root file system is lost: tells the guest's process 1 how it ended. */
void leave_word(int status);

/** Resets of device 0 since its driver was bound. */
std::uint32_t device_generation();
/** Device 0 loses the way to its admin queue and says FATAL; returns when it is in service again. */
void break_device();
/** The administrator resets device 0. */
void reset_by_sysfs();
/** Takes the driver from device 0. @return its address */
std::string unbind_driver();
/** Gives it back, and waits until it serves the device. */
void bind_driver(const std::string &address);
/** Both: what revives a dead device. */
void rebind_driver();
// What follows is the kernel's hot-plug driver's affair. A kernel without one (the debug kernel) has an administrator who does it by
// hand, at the files remove and rescan.
/** Pulls device 0 out of its slot without a word. */
void pull_device();
/** Asks for device 0; returns when it has left. */
void unplug_device();
/** Puts device 0 back that was taken from its slot, and waits until its driver serves it. */
void plug_back();

} // namespace vmtest
