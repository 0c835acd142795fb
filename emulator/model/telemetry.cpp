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
constexpr double busy_watts = 40.0; /* on top, at full utilisation */
constexpr std::uint64_t idle_after_ns = 6'000'000'000;

/* Assumed: 40 C at idle power, about 65 C at 68.7 W, half a minute to settle. */
constexpr double ambient_celsius = 30.3;
constexpr double celsius_per_watt = 0.5;
constexpr double settle_seconds = 30.0;

/* Throttled clocks are half (P6, P10). Assumed: so is the power that goes with them. */
constexpr double throttled_share = 0.5;

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

void counters::add(const engine::cost &work, const footprint &bytes, const command_time &time)
{
	dram_read += bytes.dram_read;
	dram_write += bytes.dram_write;
	dma_read += bytes.pcie_in;
	dma_write += bytes.pcie_out;
	macs += work.macs;
	modelled_compute += whole_ns(std::max(time.own.matrix, time.own.vector));
	modelled_dram += whole_ns(time.own.dram + time.own.dram_ahead);
	modelled_link += whole_ns(std::max(time.own.pcie_in, time.own.pcie_out));
}

void counters::clear()
{
	busy_compute = busy_dma = 0;
	modelled = modelled_compute = modelled_dram = modelled_link = 0;
	dram_read = dram_write = dma_read = dma_write = 0;
	ecc_ce = ecc_ue = 0;
	jobs_done = macs = 0;
}

void telemetry::begin_work(std::uint64_t now)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	working_ = true;
}

void telemetry::end_work(std::uint64_t now)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	working_ = false;
	last_work_ = last_;
	worked_ = true;
}

void telemetry::add_work(std::uint64_t now, std::uint64_t ns, std::uint64_t compute_ns)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	last_work_ = last_;
	worked_ = true;
	elapse(last_, compute_ns, true);
	elapse(last_, ns - std::min(ns, compute_ns), false);
}

void telemetry::add_span(std::uint64_t now, std::uint64_t begin, std::uint64_t end)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	if (begin < last_) {
		/* The host was late: that time has passed as idle, and still it was work. */
		const std::uint64_t late = std::min(end, last_) - begin;
		draw(compute_watts(), static_cast<double>(late) * 1e-9);
		slot_of(last_).compute_ns += late;
		last_work_ = last_;
		worked_ = true;
		begin = last_;
	}
	if (begin < end)
		spans_.push_back({begin, end});
}

void telemetry::drop_spans(std::uint64_t now)
{
	const std::lock_guard lock(mutex_);
	advance(now);
	spans_.clear();
}

telemetry::slot &telemetry::slot_of(std::uint64_t at)
{
	slot &s = window_[at / slot_ns % slots];
	if (s.number != at / slot_ns)
		s = {.number = at / slot_ns};
	return s;
}

/* The share of the last second's chip time in which compute ran. */
double telemetry::compute_share(std::uint64_t now) const
{
	std::uint64_t compute = 0, all = 0;
	for (const slot &s : window_) {
		if (s.number != UINT64_MAX && s.number + slots > now / slot_ns) {
			compute += s.compute_ns;
			all += s.chip_ns;
		}
	}
	if (all == 0) /* the host has been at one command for all of it */
		return working_ ? 1.0 : 0.0;
	return std::min(1.0, static_cast<double>(compute) / static_cast<double>(all));
}

bool telemetry::clocked(std::uint64_t now) const
{
	return working_ || (worked_ && now - last_work_ < idle_after_ns);
}

double telemetry::base_watts(std::uint64_t now) const
{
	return clocked(now) ? idle_watts + (clocked_watts - idle_watts) * clock_share_locked() : idle_watts;
}

double telemetry::compute_watts() const
{
	return busy_watts * clock_share_locked();
}

void telemetry::draw(double watts, double seconds)
{
	joules_ += watts * seconds;
}

/* @p ns of chip time, which belong to the moment @p at of the wall clock or begin there. */
void telemetry::elapse(std::uint64_t at, std::uint64_t ns, bool compute)
{
	if (ns == 0)
		return;
	const double seconds = static_cast<double>(ns) * 1e-9;
	const double watts = base_watts(at) + (compute ? compute_watts() : 0);
	draw(watts, seconds);
	const double target = ambient_celsius + celsius_per_watt * watts;
	celsius_ += (target - celsius_) * (1.0 - std::exp(-seconds / settle_seconds));
	slot &s = slot_of(at);
	s.chip_ns += ns;
	if (compute)
		s.compute_ns += ns;
}

/* The wall clock's time from @p from to @p to is the chip's, in pieces in which nothing changes. */
void telemetry::pass(std::uint64_t from, std::uint64_t to)
{
	while (from < to) {
		std::uint64_t next = to;
		const bool compute = !spans_.empty() && spans_.front().begin <= from;
		if (!spans_.empty())
			next = std::min(next, compute ? spans_.front().end : spans_.front().begin);
		if (!compute && clocked(from))
			next = std::min(next, last_work_ + idle_after_ns);
		if (to - from > slots * slot_ns) /* what is older than the window need not be cut into its slots */
			next = std::min(next, to - slots * slot_ns);
		else
			next = std::min(next, (from / slot_ns + 1) * slot_ns);
		if (compute) {
			worked_ = true;
			last_work_ = from;
		}
		elapse(from, next - from, compute);
		from = next;
		if (compute)
			last_work_ = from;
		if (compute && spans_.front().end <= from)
			spans_.pop_front();
	}
}

void telemetry::advance(std::uint64_t now)
{
	if (now <= last_) /* another thread's later look at the clock came first */
		return;
	if (!working_ && last_ != 0) /* the first look begins it all */
		pass(last_, now);
	last_ = now;
}

double telemetry::clock_share_locked() const
{
	return throttle_locked() ? throttled_share : 1.0;
}

double telemetry::clock_share()
{
	const std::lock_guard lock(mutex_);
	return clock_share_locked();
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
	const double share = compute_share(now);
	s.power_mw = static_cast<std::uint32_t>(std::lround((base_watts(now) + compute_watts() * share) * 1000.0));
	s.utilisation_permille = static_cast<std::uint32_t>(std::lround(share * 1000.0));
	s.energy_uj = static_cast<std::uint64_t>(joules_ * 1e6);
	s.throttle = throttle_locked();
	s.pstate = s.throttle & ATOM_THROTTLE_ABORT	? pstate_abort :
		   s.throttle & ATOM_THROTTLE_THERMAL	? pstate_thermal :
		   s.throttle & ATOM_THROTTLE_POWER	? pstate_half :
		   clocked(now)			? pstate_nominal : pstate_off;
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
	window_ = {};
	spans_.clear();
	worked_ = false;
	celsius_ = 40.0;
	joules_ = 0.0;
}

} // namespace atom::model
