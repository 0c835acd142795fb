/* SPDX-License-Identifier: MIT */
/**
 * @file telemetry.h
 * @brief Counters, and the first-order model of power and temperature that is
 * evaluated when somebody reads it.
 *
 * All of it lives in *chip time*: wall time in which each stretch of work is as long as
 * the modelled chip takes for it. With pace=device that is the wall clock. With pace=host
 * it stands still while the host computes, and then goes on by the command's modelled
 * time. Idle time is the host's in both cases.
 *
 * Power, after measurements of a real card: 19.4 W idle, 29.2 W when clocked up, + 40 W while
 * compute runs, back to idle 6 s after the last work. Energy is its integral.
 */
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

#include "guest_memory.h"
#include "job_clock.h"

namespace atom::model {

inline constexpr std::int32_t temp_throttle_mc = 75'000;
inline constexpr std::int32_t temp_abort_mc = 85'000;
inline constexpr std::int32_t temp_shutdown_mc = 115'000;

/** Counters that run from cold reset. Lock-free. */
struct counters {
	std::atomic<std::uint64_t> busy_compute{0};
	std::atomic<std::uint64_t> busy_dma{0};
	std::atomic<std::uint64_t> modelled{0};
	std::atomic<std::uint64_t> modelled_compute{0};
	std::atomic<std::uint64_t> modelled_dram{0};
	std::atomic<std::uint64_t> modelled_link{0};
	std::atomic<std::uint64_t> dram_read{0};
	std::atomic<std::uint64_t> dram_write{0};
	std::atomic<std::uint64_t> dma_read{0};
	std::atomic<std::uint64_t> dma_write{0};
	std::atomic<std::uint32_t> ecc_ce{0};
	std::atomic<std::uint32_t> ecc_ue{0};
	std::atomic<std::uint64_t> jobs_done{0};
	std::atomic<std::uint64_t> macs{0};

	void add(const traffic &moved);
	/** A command has ended. */
	void add(const engine::cost &work, const footprint &bytes, const command_time &time);
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

	/** pace=host: from here on to end_work() the host computes, and chip time stands still. */
	void begin_work(std::uint64_t now);
	void end_work(std::uint64_t now);
	/** pace=host: @p ns of chip time pass at once; @p compute_ns of them had compute running. */
	void add_work(std::uint64_t now, std::uint64_t ns, std::uint64_t compute_ns);
	/** pace=device: compute runs from @p begin to @p end of the wall clock; not before the spans added earlier. */
	void add_span(std::uint64_t now, std::uint64_t begin, std::uint64_t end);
	/** What was to come of the spans does not (a reset). */
	void drop_spans(std::uint64_t now);
	sample read(std::uint64_t now);
	/** Injected: the sensor shows @p temp_mc until cleared. */
	void force_temperature(std::uint64_t now, std::int32_t temp_mc);
	void force_power_limit(std::uint64_t now, bool on);
	void clear_forced(std::uint64_t now);
	/** ATOM_THROTTLE_* in force. */
	std::uint32_t throttle();
	/** 1, or what throttling leaves of the clocks. */
	double clock_share();
	/** Power on. */
	void clear();

private:
	static constexpr std::uint64_t slot_ns = 100'000'000;
	static constexpr std::size_t slots = 10;

	/** Chip time that passed in a tenth of a second of the wall clock. */
	struct slot {
		std::uint64_t number = UINT64_MAX;
		std::uint64_t chip_ns = 0;
		std::uint64_t compute_ns = 0;
	};
	struct span {
		std::uint64_t begin;
		std::uint64_t end;
	};

	void advance(std::uint64_t now);
	void pass(std::uint64_t from, std::uint64_t to);
	void elapse(std::uint64_t at, std::uint64_t ns, bool compute);
	slot &slot_of(std::uint64_t at);
	void draw(double watts, double seconds);
	bool clocked(std::uint64_t now) const;
	double base_watts(std::uint64_t now) const;
	double compute_watts() const;
	double compute_share(std::uint64_t now) const;
	std::uint32_t throttle_locked() const;
	double clock_share_locked() const;

	std::mutex mutex_;
	std::array<slot, slots> window_{};
	std::deque<span> spans_;      ///< pace=device: what is to come; one a queue at most
	std::uint64_t last_ = 0;      ///< up to here the wall clock has been looked at
	std::uint64_t last_work_ = 0;
	bool worked_ = false;
	bool working_ = false;        ///< between begin_work() and end_work()
	double celsius_ = 40.0;
	double joules_ = 0.0;
	bool forced_temperature_ = false;
	std::int32_t forced_mc_ = 0;
	bool forced_power_ = false;
};

} // namespace atom::model
