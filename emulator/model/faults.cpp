/* SPDX-License-Identifier: MIT */
/* Injected faults: those that strike at once, and what the others need of the device. */
#include "device.h"

namespace atom::model {

bool device::inject(const char *spec, std::string &error)
{
	const auto what = parse_injection(spec, config_.num_queues, error);
	if (!what)
		return false;
	switch (what->kind) {
	case inject_kind::clear:
	case inject_kind::ecc_ce:
	case inject_kind::thermal:
	case inject_kind::power:
	case inject_kind::link_down:
		apply(*what);
		break;
	default:
		if (!inject_.arm(*what)) {
			error = "there are " + std::to_string(injector::armed_max) +
				" faults armed already; kind=clear disarms them";
			return false;
		}
		break;
	}
	host_.trace(ATOM_TRACE_INJECT, static_cast<std::uint64_t>(what->kind),
		    static_cast<std::uint64_t>(what->queue), what->count);
	return true;
}

/* Kinds that wait for no event. */
void device::apply(const injection &what)
{
	const std::uint32_t before = telemetry_.throttle();
	switch (what.kind) {
	case inject_kind::clear:
		inject_.clear();
		telemetry_.clear_forced(host_.now_ns());
		if (link_down_.load())
			configure(ATOM_CFG_LINK, 1);
		break;
	case inject_kind::ecc_ce:
		counters_.ecc_ce += static_cast<std::uint32_t>(what.count);
		raise_cause(ATOM_INTR_ECC);
		break;
	case inject_kind::thermal:
		telemetry_.force_temperature(host_.now_ns(), static_cast<std::int32_t>(what.value));
		break;
	case inject_kind::power:
		telemetry_.force_power_limit(host_.now_ns(), true);
		break;
	case inject_kind::link_down:
		configure(ATOM_CFG_LINK, 0);
		break;
	default:
		break;
	}
	update_throttle(before);
	if (what.kind == inject_kind::thermal && what.value >= temp_shutdown_mc)
		set_fatal(ATOM_FAULT_THERMAL);
}

void device::update_throttle(std::uint32_t before)
{
	const std::uint32_t now = telemetry_.throttle();
	if (now == before)
		return;
	too_hot_.store(now & ATOM_THROTTLE_ABORT);
	if (too_hot_.load()) {
		const exclusive hold(*this);
		for (queue &q : queues_) {
			if (q.current && !q.current->ended && !q.stopped())
				fault_job(q, {.what = {.code = ATOM_FAULT_THERMAL}});
		}
	}
	raise_cause(ATOM_INTR_THERMAL);
}

} // namespace atom::model
