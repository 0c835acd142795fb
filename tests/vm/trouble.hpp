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
/**
 * The kernel's PCIe hot-plug driver looks after its slots no more, as long as the machine runs: given a slot again it may take an
 * old event for a card that was pulled.
 */
void stop_hotplug_driver();
/** The administrator takes device 0 from the bus. */
void remove_device();
/** The administrator lets the kernel look for devices; returns when one is served. */
void find_devices();
/** Puts the device of slot 0 back that was taken from it, and waits until its driver serves it. */
void plug_back();

} // namespace vmtest
