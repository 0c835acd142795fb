/* SPDX-License-Identifier: MIT */
/**
 * @file telemetry.h
 * @brief Counters, and the first-order model of power and temperature that is
 * evaluated when somebody reads it.
 *
 * Power follows the share of the last second that compute commands ran (wall
 * time: what an operator sees the device do), after published measurements: 19.4 W idle, 29.2 W
 * + 0.40 W per percent when clocked up, back to idle 6 s after the last work.
 */
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "guest_memory.h"

namespace atom::model {

inline constexpr std::int32_t temp_throttle_mc = 75'000;
inline constexpr std::int32_t temp_abort_mc = 85'000;
inline constexpr std::int32_t temp_shutdown_mc = 115'000;

/** Counters that run from cold reset. Lock-free. */
struct counters {
	std::atomic<std::uint64_t> busy_compute{0};
	std::atomic<std::uint64_t> busy_dma{0};
	std::atomic<std::uint64_t> modelled{0};
	std::atomic<std::uint64_t> dram_read{0};
	std::atomic<std::uint64_t> dram_write{0};
	std::atomic<std::uint64_t> dma_read{0};
	std::atomic<std::uint64_t> dma_write{0};
	std::atomic<std::uint32_t> ecc_ce{0};
	std::atomic<std::uint32_t> ecc_ue{0};
	std::atomic<std::uint64_t> jobs_done{0};
	std::atomic<std::uint64_t> macs{0};

	void add(const traffic &moved);
	void clear();
};

class telemetry {
public:
	struct sample {
		std::int32_t temperature_mc;
		std::uint32_t power_mw;
		std::uint32_t utilisation_permille;
		std::uint64_t energy_uj;
		std::uint32_t pstate;
		std::uint32_t throttle;
		std::uint32_t clock_khz[5]; ///< command processor, NE cluster 0 and 1, bus, SHM
	};

	/** A compute or copy command ran for the @p ns before @p now. */
	void add_busy(std::uint64_t now, std::uint64_t ns);
	sample read(std::uint64_t now);
	/** Injected: the sensor shows @p temp_mc until cleared. */
	void force_temperature(std::uint64_t now, std::int32_t temp_mc);
	void force_power_limit(std::uint64_t now, bool on);
	void clear_forced(std::uint64_t now);
	/** ATOM_THROTTLE_* in force. */
	std::uint32_t throttle();
	/** Power on. */
	void clear();

private:
	static constexpr std::uint64_t slot_ns = 100'000'000;
	static constexpr std::size_t slots = 10;

	void advance(std::uint64_t now);
	double busy_share(std::uint64_t now) const;
	double watts(std::uint64_t now) const;
	std::uint32_t throttle_locked() const;

	std::mutex mutex_;
	std::array<std::uint64_t, slots> busy_{};  ///< ns of work in each tenth of a second
	std::array<std::uint64_t, slots> slot_{};  ///< which tenth that was, plus one
	std::uint64_t last_ = 0;
	std::uint64_t last_work_ = 0;
	bool worked_ = false;
	double celsius_ = 40.0;
	double joules_ = 0.0;
	bool forced_temperature_ = false;
	std::int32_t forced_mc_ = 0;
	bool forced_power_ = false;
};

} // namespace atom::model
