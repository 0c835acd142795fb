// SPDX-License-Identifier: MIT
// Trouble that tests make: injected errors, devices that are reset, taken away and given back.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace vmtest {

/** Base of tests that need the control port. No injection is left over from one test to the next. */
class troubled : public testing::Test {
protected:
	troubled();
	~troubled() override;

	/** Into device 0; grammar: emulator/README.md. */
	static void inject(const std::string &spec);
};

/** Resets of device 0 since its driver was bound. */
std::uint32_t device_generation();
/** Device 0 loses the way to its admin queue and says FATAL; returns when it is in service again. */
void break_device();
/** The administrator resets device 0. */
void reset_by_sysfs();
/** Takes the driver from device 0 and gives it back: what revives a dead one. */
void rebind_driver();
/** Puts the device of slot 0 back that was taken from it, and waits until its driver serves it. */
void plug_back();

} // namespace vmtest
