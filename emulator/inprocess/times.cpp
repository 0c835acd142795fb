/* SPDX-License-Identifier: MIT */
#include "times.h"

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <stdexcept>

namespace atom::inprocess {

times::times(host::host_bus &bus, const std::string &path, std::uint32_t number)
	: file_(std::fopen(path.c_str(), number == 0 ? "w" : "a")), npu_("npu" + std::to_string(number))
{
	if (!file_)
		throw std::runtime_error("times=" + path + " cannot be written: " + std::strerror(errno));
	bus.on_command_time = [this](const atom_model_command_time &t) { command(t); };
	bus.on_trace = [this](std::uint32_t event, const std::uint64_t *args) {
		if (event == ATOM_TRACE_COMPLETE)
			complete(args);
	};
}

void times::command(const atom_model_command_time &t)
{
	constexpr const char *limits[ATOM_LIMIT_COUNT] = {"overhead", "matrix", "vector", "dram", "shm", "pcie"};
	const std::lock_guard lock(mutex_);
	std::fprintf(file_.get(),
		     "atom_command_time %s queue %u seq %" PRIu64 " command %u opcode 0x%x tag 0x%x start %" PRIu64
		     " ns %" PRIu64 " limit %s\n",
		     npu_.c_str(), t.queue, t.seq, t.index, t.opcode, t.tag, t.start_ns, t.ns,
		     t.limit < ATOM_LIMIT_COUNT ? limits[t.limit] : "?");
	std::fprintf(file_.get(),
		     "atom_command_parts %s matrix %" PRIu64 " vector %" PRIu64 " dram %" PRIu64 " ahead %" PRIu64
		     " shm %" PRIu64 " pcie %" PRIu64 " overhead %" PRIu64 " macs %" PRIu64 " dram_bytes %" PRIu64 "\n",
		     npu_.c_str(), t.matrix_ns, t.vector_ns, t.dram_ns, t.dram_ahead_ns, t.shm_ns, t.pcie_ns,
		     t.overhead_ns, t.macs, t.dram_bytes);
}

void times::complete(const std::uint64_t *args)
{
	const std::lock_guard lock(mutex_);
	std::fprintf(file_.get(), "atom_complete %s queue %" PRIu64 " seq %" PRIu64 " status %" PRIu64 " modelled %" PRIu64 " ns\n",
		     npu_.c_str(), args[0], args[1], args[2], args[3]);
	std::fflush(file_.get());
}

} // namespace atom::inprocess
