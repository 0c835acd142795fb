/* SPDX-License-Identifier: MIT */
/* The device's state in words, for people. */
#include <cstdio>

#include "device.h"

namespace atom::model {

namespace {

const char *state_name(std::uint32_t state)
{
	constexpr const char *names[] = {"none", "idle", "running", "hung", "faulted", "resetting"};
	return state < std::size(names) ? names[state] : "?";
}

template <typename... Args> void line(std::string &out, const char *format, Args... args)
{
	char text[256];
	std::snprintf(text, sizeof text, format, args...);
	out += text;
	out += '\n';
}

using ull = unsigned long long;

} // namespace

std::string device::describe()
{
	const exclusive hold(*this);
	const telemetry::sample now = telemetry_.read(host_.now_ns());
	std::string out;
	{
		const std::lock_guard lock(regs_mutex_);
		line(out, "device: %s%s%s%s, generation %u, driver version 0x%x, engine %s, %zu threads",
		     regs_.enabled ? "enabled" : "disabled", regs_.fatal ? ", FATAL" : "",
		     link_down_.load() ? ", link down" : "", power_off_.load() ? ", D3" : "", regs_.generation,
		     regs_.driver_version, engine_options_.reference ? "reference" : engine::isa_name(),
		     workers_.size());
		line(out, "faults: %llu written, %llu consumed, %u lost; causes 0x%x, masked 0x%x",
		     ull{regs_.fault_tail}, ull{regs_.fault_head}, regs_.fault_lost, regs_.intr_cause,
		     regs_.intr_mask);
	}
	line(out, "admin: head %llu, tail %llu, retired %llu%s", ull{admin_.head}, ull{admin_.tail},
	     ull{admin_.regs.seqno.load()}, admin_.clear.active ? ", clearing memory" : "");
	for (const queue &q : queues_) {
		if (!q.created)
			continue;
		line(out,
		     "queue %u: %s, generation %u, priority %u, asid %u, ring %llu entries, head %llu, tail %llu, "
		     "retired %llu, command %d, fault %u",
		     q.id, q.frozen ? "hanging" : state_name(q.state()), q.regs.generation.load(), q.priority,
		     q.job_asid, ull{q.entries}, ull{q.head}, ull{q.tail}, ull{q.regs.seqno.load()},
		     static_cast<int>(q.regs.command.load()), q.regs.fault_code.load());
	}
	for (std::uint32_t asid = 0; asid < mmu_.count(); ++asid) {
		const asid_entry &space = mmu_.space(asid);
		if (!space.present)
			continue;
		line(out, "asid %u: %s, root 0x%llx, generation %u, %u users", asid,
		     space.identity ? "identity" : space.root.aperture == ATOM_APERTURE_LOCAL ? "local" : "system",
		     ull{space.root.address}, space.generation, space.users);
	}
	line(out, "moved: DRAM %llu read, %llu written; DMA %llu read, %llu written", ull{counters_.dram_read.load()},
	     ull{counters_.dram_write.load()}, ull{counters_.dma_read.load()}, ull{counters_.dma_write.load()});
	line(out, "kept of constant operands: %llu bytes", ull{kept_.used()});
	line(out, "done: %llu jobs, %llu multiply-accumulates, %llu ns modelled", ull{counters_.jobs_done.load()},
	     ull{counters_.macs.load()}, ull{counters_.modelled.load()});
	line(out, "telemetry: %.3f C, %.3f W, P%u, throttle 0x%x, busy %u/1000", now.temperature_mc / 1000.0,
	     now.power_mw / 1000.0, now.pstate, now.throttle, now.utilisation_permille);
	for (const timing_parameter &p : timing_.table())
		line(out, "timing: %s = %g %s (%s: %s)", p.name, p.value, p.unit, name_of(p.from), p.why);
	return out;
}

} // namespace atom::model
