// SPDX-License-Identifier: MIT
// The machine around the tests: debugfs counters of the driver, and the port that breaks and plugs devices.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace vmtest {

/**
 * What lives in the driver: the lines `name value` of debugfs' file `counters`, without those that only ever grow
 * (names that end in _total).
 */
using counters = std::map<std::string, std::int64_t>;

/** Of the @p index-th device. Throws if the file is not there. */
counters read_counters(std::size_t index = 0);
/** The differences in words, "" if there are none. */
std::string difference(const counters &before, const counters &after);
/** Waits until the counters are @p baseline again. @return "" or the differences that stay */
std::string await_counters(const counters &baseline, std::size_t index = 0, double seconds = 20);

/** Whether the test can reach the control port of atom-vm. */
bool has_control();
/** Sends one line to the control port and returns the answer without its "ok"; throws with the text of an error. */
std::string control(const std::string &line);

/** Runs a program and returns its exit status; @p arguments[0] is looked up in PATH. */
int run_program(std::initializer_list<const char *> arguments);
/** modprobe -r and modprobe: throw if they fail, and load_driver() also if no device appears. */
void unload_driver();
void load_driver(std::size_t devices);

} // namespace vmtest
