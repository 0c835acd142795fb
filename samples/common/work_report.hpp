// SPDX-License-Identifier: MIT
// What a run over pictures took: on the host's clock, of the device, and of the silicon that it
// models.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "atom/device.hpp"
#include "network.hpp"

namespace samples {

/** Adds up the runs between start() and stop(). The device's share counts all that it did
 * meanwhile. */
class stopwatch {
public:
	/** @param device  an empty one: the NPU is not used */
	explicit stopwatch(atom::device device) : device_(std::move(device)) {}

	void start();
	/** @return seconds since start() */
	double stop();

	[[nodiscard]] unsigned runs() const noexcept { return runs_; }
	[[nodiscard]] double seconds() const noexcept { return seconds_; }
	[[nodiscard]] double busy_ms() const noexcept { return busy_ms_; }
	[[nodiscard]] double modelled_ms() const noexcept { return modelled_ms_; }
	[[nodiscard]] bool has_device() const noexcept { return static_cast<bool>(device_); }

private:
	atom::device device_;
	std::chrono::steady_clock::time_point begin_;
	atom::telemetry before_;
	unsigned runs_ = 0;
	double seconds_ = 0;
	double busy_ms_ = 0;
	double modelled_ms_ = 0;
};

struct work_report {
	std::string model;
	std::string device;
	activity networks;
	const stopwatch &watch;

	/** One line for a person. */
	[[nodiscard]] std::string sentence() const;
	/** The same numbers, each for one picture. */
	[[nodiscard]] nlohmann::ordered_json json() const;
};

} // namespace samples
