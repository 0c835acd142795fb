/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "file.h"

namespace atom::inprocess {

namespace {

drm_atom_dev_info read_info(device &d)
{
	host::host_bus &bus = d.bus();
	drm_atom_dev_info i{};
	i.interface_version = bus.read32(ATOM_REG_VERSION);
	i.fw_version = bus.read32(ATOM_REG_FW_VERSION);
	i.device_caps = bus.read64(ATOM_REG_CAPS);
	i.kernel_caps = DRM_ATOM_CAP_SHM | DRM_ATOM_CAP_EVENTS;
	for (unsigned word = 0; word < 4; ++word)
		i.opcodes[word] = bus.read64(ATOM_REG_OPCODES + 8 * word);
	i.dtypes = bus.read64(ATOM_REG_DTYPES);
	i.serial = bus.read64(ATOM_REG_SERIAL);
	for (unsigned half = 0; half < 2; ++half) {
		const std::uint64_t bytes = bus.read64(ATOM_REG_UUID + 8 * half);
		std::memcpy(i.uuid + 8 * half, &bytes, sizeof bytes);
	}
	i.platform = bus.read32(ATOM_REG_PLATFORM);
	i.generation = bus.read32(ATOM_REG_GENERATION);
	i.va_start = va_start;
	i.va_end = va_end;
	i.page_sizes = bus.read32(ATOM_REG_PAGE_SIZES);
	i.queues_max = d.limit().num_queues;
	i.vms_max = d.limit().num_asids - 1;
	i.ring_entries = d.limit().ring_entries();
	i.submit_jobs_max = d.limit().submit_jobs_max();
	i.syncs_max = syncs_max;
	i.binds_max = binds_max;
	i.cmd_bytes_max = d.limit().cmd_bytes_max;
	i.args_max = d.limit().args_max;
	i.job_timeout_ms = job_timeout_ms;
	i.job_timeout_max_ms = job_timeout_max_ms;
	i.engines = bus.read32(ATOM_REG_NUM_ENGINES);
	i.macs_log2_max = bus.read32(ATOM_REG_MACS_LOG2_MAX);
	return i;
}

drm_atom_dev_memory read_memory(device &d)
{
	drm_atom_dev_memory m{};
	m.local_size = m.local_visible_size = d.local().size();
	m.local_used = m.local_visible_used = d.local().used();
	m.shm_size = d.shm().size();
	m.shm_used = d.shm().used();
	return m;
}

std::uint64_t monotonic_ns()
{
	using namespace std::chrono;
	const auto now = steady_clock::now().time_since_epoch();
	return static_cast<std::uint64_t>(duration_cast<nanoseconds>(now).count());
}

drm_atom_dev_timestamp read_timestamp(device &d)
{
	const std::uint64_t before = monotonic_ns();
	const std::uint64_t device_ns = d.bus().read64(ATOM_REG_TIMESTAMP);
	const std::uint64_t took = monotonic_ns() - before;
	return {device_ns, before + took / 2, (took + 1) / 2};
}

drm_atom_dev_telemetry read_telemetry(device &d)
{
	host::host_bus &bus = d.bus();
	drm_atom_dev_telemetry t{};
	t.temperature_mc = static_cast<std::int32_t>(bus.read32(ATOM_REG_TEMPERATURE));
	t.temp_throttle_mc = static_cast<std::int32_t>(bus.read32(ATOM_REG_TEMP_THROTTLE));
	t.temp_abort_mc = static_cast<std::int32_t>(bus.read32(ATOM_REG_TEMP_ABORT));
	t.temp_shutdown_mc = static_cast<std::int32_t>(bus.read32(ATOM_REG_TEMP_SHUTDOWN));
	t.power_mw = bus.read32(ATOM_REG_POWER);
	t.pstate = bus.read32(ATOM_REG_PSTATE);
	t.throttle = bus.read32(ATOM_REG_THROTTLE);
	t.utilisation_permille = bus.read32(ATOM_REG_UTILISATION);
	t.energy_uj = bus.read64(ATOM_REG_ENERGY);
	for (unsigned clock = 0; clock < std::size(t.clocks_khz); ++clock)
		t.clocks_khz[clock] = bus.read32(ATOM_REG_CLOCK_CP + 4 * clock);
	t.ecc_ce = bus.read32(ATOM_REG_ECC_CE);
	t.ecc_ue = bus.read32(ATOM_REG_ECC_UE);
	t.busy_compute_ns = bus.read64(ATOM_REG_BUSY_COMPUTE);
	t.busy_dma_ns = bus.read64(ATOM_REG_BUSY_DMA);
	t.modelled_ns = bus.read64(ATOM_REG_MODELLED_BUSY);
	t.dram_read = bus.read64(ATOM_REG_DRAM_READ);
	t.dram_write = bus.read64(ATOM_REG_DRAM_WRITE);
	t.dma_read = bus.read64(ATOM_REG_DMA_READ);
	t.dma_write = bus.read64(ATOM_REG_DMA_WRITE);
	t.jobs_done = bus.read64(ATOM_REG_JOBS_DONE);
	t.macs = bus.read64(ATOM_REG_MACS);
	return t;
}

template <typename T> int give(drm_atom_dev_query &q, const T &answer)
{
	constexpr std::uint32_t answer_max = 64u << 10;
	if (q.pointer) {
		if (q.size > answer_max)
			return -E2BIG;
		auto *to = user<std::byte>(q.pointer);
		std::memset(to, 0, q.size);
		std::memcpy(to, &answer, std::min<std::size_t>(q.size, sizeof answer));
	}
	q.size = sizeof answer;
	return 0;
}

} // namespace

int dev_query(file &f, drm_atom_dev_query &q)
{
	switch (q.type) {
	case DRM_ATOM_DEV_QUERY_INFO:
		return give(q, read_info(f.device()));
	case DRM_ATOM_DEV_QUERY_MEMORY:
		return give(q, read_memory(f.device()));
	case DRM_ATOM_DEV_QUERY_TIMESTAMP:
		return give(q, read_timestamp(f.device()));
	case DRM_ATOM_DEV_QUERY_TELEMETRY:
		return give(q, read_telemetry(f.device()));
	default:
		return -EINVAL;
	}
}

} // namespace atom::inprocess
