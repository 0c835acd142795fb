/* SPDX-License-Identifier: MIT */
#include "telemetry.h"

#include <algorithm>
#include <cmath>

#include "atom/hw/regs.h"

namespace atom::model {

namespace {

/* Measured on a real card. */
constexpr double idle_watts = 19.4;
constexpr double clocked_watts = 29.2;
constexpr double watts_per_percent = 0.40;
constexpr std::uint64_t idle_after_ns = 6'000'000'000;

/* Assumed: 40 C at idle power, about 65 C at 68.7 W, half a minute to settle. */
constexpr double ambient_celsius = 30.3;
constexpr double celsius_per_watt = 0.5;
constexpr double settle_seconds = 30.0;

/* Assumed: clocks are not published. Command processor, NE clusters, bus, SHM. */
constexpr std::uint32_t nominal_khz[5] = {1'000'000, 1'000'000, 1'000'000, 800'000, 1'000'000};

constexpr std::uint32_t pstate_nominal = 2;
constexpr std::uint32_t pstate_half = 6;
constexpr std::uint32_t pstate_thermal = 10;
constexpr std::uint32_t pstate_abort = 12;
constexpr std::uint32_t pstate_off = 14;

} // namespace

void counters::add(const traffic &moved)
{
	dram_read += moved.dram_read;
	dram_write += moved.dram_write;
	dma_read += moved.dma_read;
	dma_write += moved.dma_write;
}

void counters::clear()
{
	busy_compute = busy_dma = modelled = 0;
	dram_read = dram_write = dma_read = dma_write = 0;
	ecc_ce = ecc_ue = 0;
	jobs_done = macs = 0;
}

void telemetry::add_busy(std::uint64_t now, std::uint64_t ns)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	last_work_ = now;
	worked_ = true;
	ns = std::min({ns, now, slot_ns * slots});
	for (std::uint64_t end = now; ns;) {
		const std::uint64_t number = (end - 1) / slot_ns;
		const std::uint64_t part = std::min(ns, end - number * slot_ns);
		const std::size_t i = number % slots;
		if (slot_[i] != number + 1) {
			slot_[i] = number + 1;
			busy_[i] = 0;
		}
		busy_[i] = std::min(busy_[i] + part, slot_ns);
		end -= part;
		ns -= part;
	}
}

double telemetry::busy_share(std::uint64_t now) const
{
	const std::uint64_t current = now / slot_ns + 1;
	std::uint64_t sum = 0;
	for (std::size_t i = 0; i < slots; ++i) {
		if (slot_[i] && slot_[i] + slots > current)
			sum += busy_[i];
	}
	return std::min(1.0, static_cast<double>(sum) / static_cast<double>(slot_ns * slots));
}

double telemetry::watts(std::uint64_t now) const
{
	if (!worked_ || now - last_work_ > idle_after_ns)
		return idle_watts;
	return clocked_watts + watts_per_percent * 100.0 * busy_share(now);
}

void telemetry::advance(std::uint64_t now)
{
	if (now <= last_) /* another thread's later look at the clock came first */
		return;
	const double seconds = static_cast<double>(now - last_) * 1e-9;
	const double power = watts(now);
	joules_ += power * seconds;
	const double target = ambient_celsius + celsius_per_watt * power;
	celsius_ += (target - celsius_) * (1.0 - std::exp(-seconds / settle_seconds));
	last_ = now;
}

std::uint32_t telemetry::throttle_locked() const
{
	const std::int32_t mc = forced_temperature_ ? forced_mc_ : static_cast<std::int32_t>(celsius_ * 1000.0);
	std::uint32_t reasons = 0;
	if (mc >= temp_throttle_mc)
		reasons |= ATOM_THROTTLE_THERMAL;
	if (mc >= temp_abort_mc)
		reasons |= ATOM_THROTTLE_ABORT;
	if (forced_power_)
		reasons |= ATOM_THROTTLE_POWER;
	return reasons;
}

std::uint32_t telemetry::throttle()
{
	const std::lock_guard lock(mutex_);
	return throttle_locked();
}

telemetry::sample telemetry::read(std::uint64_t now)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	now = std::max(now, last_);
	sample s{};
	s.temperature_mc = forced_temperature_ ? forced_mc_ : static_cast<std::int32_t>(celsius_ * 1000.0);
	s.power_mw = static_cast<std::uint32_t>(std::lround(watts(now) * 1000.0));
	s.utilisation_permille = static_cast<std::uint32_t>(std::lround(busy_share(now) * 1000.0));
	s.energy_uj = static_cast<std::uint64_t>(joules_ * 1e6);
	s.throttle = throttle_locked();
	const bool idle = !worked_ || now - last_work_ > idle_after_ns;
	s.pstate = s.throttle & ATOM_THROTTLE_ABORT	? pstate_abort :
		   s.throttle & ATOM_THROTTLE_THERMAL	? pstate_thermal :
		   s.throttle & ATOM_THROTTLE_POWER	? pstate_half :
		   idle					? pstate_off : pstate_nominal;
	for (int i = 0; i < 5; ++i) {
		s.clock_khz[i] = s.pstate == pstate_nominal ? nominal_khz[i] :
				 s.pstate == pstate_off || s.pstate == pstate_abort ? nominal_khz[i] / 10 :
				 nominal_khz[i] / 2;
	}
	return s;
}

void telemetry::force_temperature(std::uint64_t now, std::int32_t temp_mc)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	forced_temperature_ = true;
	forced_mc_ = temp_mc;
}

void telemetry::force_power_limit(std::uint64_t now, bool on)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	forced_power_ = on;
}

void telemetry::clear_forced(std::uint64_t now)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	forced_temperature_ = false;
	forced_power_ = false;
}

void telemetry::clear()
{
	const std::lock_guard lock(mutex_);
	busy_ = {};
	slot_ = {};
	worked_ = false;
	celsius_ = 40.0;
	joules_ = 0.0;
}

} // namespace atom::model
