/* SPDX-License-Identifier: MIT */
/*
 * BAR0. Every function here may run on any thread at any time: it takes
 * regs_mutex_ for as long as it looks at registers, and nothing else.
 */
#include <algorithm>
#include <cstring>

#include "device.h"

namespace atom::model {

namespace {

enum class access : std::uint8_t { ro, rw, rw1c };

struct row {
	std::uint32_t offset;
	std::uint8_t bits;
	access how;
};

/* The map, in ascending order; queue blocks are apart. */
constexpr row rows[] = {
	{ATOM_REG_MAGIC, 32, access::ro},
	{ATOM_REG_VERSION, 32, access::ro},
	{ATOM_REG_VERSION_MIN, 32, access::ro},
	{ATOM_REG_DRIVER_VERSION, 32, access::rw},
	{ATOM_REG_FW_VERSION, 32, access::ro},
	{ATOM_REG_PLATFORM, 32, access::ro},
	{ATOM_REG_FUNCTION, 32, access::ro},
	{ATOM_REG_CAPS, 64, access::ro},
	{ATOM_REG_OPCODES, 64, access::ro},
	{ATOM_REG_OPCODES + 8, 64, access::ro},
	{ATOM_REG_OPCODES + 16, 64, access::ro},
	{ATOM_REG_OPCODES + 24, 64, access::ro},
	{ATOM_REG_DTYPES, 64, access::ro},
	{ATOM_REG_SERIAL, 64, access::ro},
	{ATOM_REG_UUID, 64, access::ro},
	{ATOM_REG_UUID + 8, 64, access::ro},
	{ATOM_REG_NUM_QUEUES, 32, access::ro},
	{ATOM_REG_NUM_ASIDS, 32, access::ro},
	{ATOM_REG_NUM_VECTORS, 32, access::ro},
	{ATOM_REG_RING_LOG2_MAX, 32, access::ro},
	{ATOM_REG_DOORBELL_LOG2, 32, access::ro},
	{ATOM_REG_VA_BITS, 32, access::ro},
	{ATOM_REG_DMA_BITS, 32, access::ro},
	{ATOM_REG_PAGE_SIZES, 32, access::ro},
	{ATOM_REG_DRAM_SIZE, 64, access::ro},
	{ATOM_REG_DRAM_WINDOW, 64, access::ro},
	{ATOM_REG_SHM_SIZE, 64, access::ro},
	{ATOM_REG_CMDBUF_BYTES_MAX, 32, access::ro},
	{ATOM_REG_ARGS_MAX, 32, access::ro},
	{ATOM_REG_MACS_LOG2_MAX, 32, access::ro},
	{ATOM_REG_NUM_ENGINES, 32, access::ro},
	{ATOM_REG_CTRL, 32, access::rw},
	{ATOM_REG_STATUS, 32, access::ro},
	{ATOM_REG_ERROR_CODE, 32, access::ro},
	{ATOM_REG_GENERATION, 32, access::ro},
	{ATOM_REG_TIMESTAMP, 64, access::ro},
	{ATOM_REG_INTR_CAUSE, 32, access::rw1c},
	{ATOM_REG_INTR_MASK, 32, access::rw},
	{ATOM_REG_INTR_MODERATION, 32, access::rw},
	{ATOM_REG_ADMIN_RING, 64, access::rw},
	{ATOM_REG_ADMIN_TAIL, 64, access::rw},
	{ATOM_REG_ADMIN_COMPLETION, 64, access::rw},
	{ATOM_REG_ADMIN_LOG2, 32, access::rw},
	{ATOM_REG_FAULT_BASE, 64, access::rw},
	{ATOM_REG_FAULT_LOG2, 32, access::rw},
	{ATOM_REG_FAULT_TAIL, 64, access::ro},
	{ATOM_REG_FAULT_HEAD, 64, access::rw},
	{ATOM_REG_FAULT_LOST, 32, access::ro},
	{ATOM_REG_TEMPERATURE, 32, access::ro},
	{ATOM_REG_TEMP_THROTTLE, 32, access::ro},
	{ATOM_REG_TEMP_ABORT, 32, access::ro},
	{ATOM_REG_TEMP_SHUTDOWN, 32, access::ro},
	{ATOM_REG_POWER, 32, access::ro},
	{ATOM_REG_PSTATE, 32, access::ro},
	{ATOM_REG_THROTTLE, 32, access::ro},
	{ATOM_REG_UTILISATION, 32, access::ro},
	{ATOM_REG_ENERGY, 64, access::ro},
	{ATOM_REG_CLOCK_CP, 32, access::ro},
	{ATOM_REG_CLOCK_NE0, 32, access::ro},
	{ATOM_REG_CLOCK_NE1, 32, access::ro},
	{ATOM_REG_CLOCK_BUS, 32, access::ro},
	{ATOM_REG_CLOCK_SHM, 32, access::ro},
	{ATOM_REG_BUSY_COMPUTE, 64, access::ro},
	{ATOM_REG_BUSY_DMA, 64, access::ro},
	{ATOM_REG_MODELLED_BUSY, 64, access::ro},
	{ATOM_REG_DRAM_READ, 64, access::ro},
	{ATOM_REG_DRAM_WRITE, 64, access::ro},
	{ATOM_REG_DMA_READ, 64, access::ro},
	{ATOM_REG_DMA_WRITE, 64, access::ro},
	{ATOM_REG_ECC_CE, 32, access::ro},
	{ATOM_REG_ECC_UE, 32, access::ro},
	{ATOM_REG_JOBS_DONE, 64, access::ro},
	{ATOM_REG_MACS, 64, access::ro},
	{ATOM_REG_MODELLED_COMPUTE, 64, access::ro},
	{ATOM_REG_MODELLED_DRAM, 64, access::ro},
	{ATOM_REG_MODELLED_LINK, 64, access::ro},
};

constexpr row queue_rows[] = {
	{ATOM_QREG_STATE, 32, access::ro},
	{ATOM_QREG_GENERATION, 32, access::ro},
	{ATOM_QREG_SEQNO, 64, access::ro},
	{ATOM_QREG_HEAD, 64, access::ro},
	{ATOM_QREG_PROGRESS, 64, access::ro},
	{ATOM_QREG_BUSY_NS, 64, access::ro},
	{ATOM_QREG_MODELLED_NS, 64, access::ro},
	{ATOM_QREG_COMMAND, 32, access::ro},
	{ATOM_QREG_FAULT_CODE, 32, access::ro},
};

constexpr std::uint32_t queue_blocks_end = ATOM_REG_QUEUE(ATOM_REG_QUEUE_MAX);

bool in_queue_block(std::uint64_t offset)
{
	return offset >= ATOM_REG_QUEUE_BASE && offset < queue_blocks_end;
}

/* The register that holds the byte at @p offset, with its offset in BAR0. */
bool find_row(std::uint64_t offset, row &found)
{
	const bool block = in_queue_block(offset);
	const std::uint32_t base =
		block ? static_cast<std::uint32_t>(offset) / ATOM_REG_QUEUE_STRIDE * ATOM_REG_QUEUE_STRIDE : 0;
	const row *begin = block ? std::begin(queue_rows) : std::begin(rows);
	const row *end = block ? std::end(queue_rows) : std::end(rows);
	const auto after = std::upper_bound(begin, end, offset - base,
					    [](std::uint64_t o, const row &r) { return o < r.offset; });
	if (after == begin)
		return false;
	found = after[-1];
	if (offset - base >= found.offset + found.bits / 8u)
		return false;
	found.offset += base;
	return true;
}

std::uint64_t load_bytes(const std::uint8_t *from)
{
	std::uint64_t value;
	std::memcpy(&value, from, sizeof value);
	return value;
}

} // namespace

std::uint32_t device::status_locked() const
{
	std::uint32_t status = reset_pending_.load() ? ATOM_STATUS_QUIESCING : ATOM_STATUS_READY;
	if (regs_.enabled)
		status |= ATOM_STATUS_ENABLED;
	if (regs_.version_refused)
		status |= ATOM_STATUS_VERSION_REFUSED;
	if (regs_.fatal)
		status |= ATOM_STATUS_FATAL;
	return status;
}

std::uint64_t device::queue_register_value(std::uint32_t id, std::uint32_t offset)
{
	if (id > config_.num_queues)
		return 0;
	const queue_registers &r = id ? queues_[id].regs : admin_.regs;
	switch (offset) {
	case ATOM_QREG_STATE: return r.state.load();
	case ATOM_QREG_GENERATION: return r.generation.load();
	case ATOM_QREG_SEQNO: return r.seqno.load();
	case ATOM_QREG_HEAD: return r.head.load();
	case ATOM_QREG_PROGRESS: return r.progress.load();
	case ATOM_QREG_BUSY_NS: return r.busy_ns.load();
	case ATOM_QREG_MODELLED_NS: return r.modelled_ns.load();
	case ATOM_QREG_COMMAND: return r.command.load();
	case ATOM_QREG_FAULT_CODE: return r.fault_code.load();
	default: return 0;
	}
}

std::uint64_t device::register_value(std::uint32_t offset)
{
	if (in_queue_block(offset))
		return queue_register_value((offset - ATOM_REG_QUEUE_BASE) / ATOM_REG_QUEUE_STRIDE,
					    offset % ATOM_REG_QUEUE_STRIDE);
	switch (offset) { /* what needs no lock, or an upcall */
	case ATOM_REG_TIMESTAMP:
		return host_.now_ns();
	case ATOM_REG_TEMPERATURE:
		return static_cast<std::uint32_t>(telemetry_.read(host_.now_ns()).temperature_mc);
	case ATOM_REG_POWER: return telemetry_.read(host_.now_ns()).power_mw;
	case ATOM_REG_PSTATE: return telemetry_.read(host_.now_ns()).pstate;
	case ATOM_REG_THROTTLE: return telemetry_.read(host_.now_ns()).throttle;
	case ATOM_REG_UTILISATION: return telemetry_.read(host_.now_ns()).utilisation_permille;
	case ATOM_REG_ENERGY: return telemetry_.read(host_.now_ns()).energy_uj;
	case ATOM_REG_CLOCK_CP:
	case ATOM_REG_CLOCK_NE0:
	case ATOM_REG_CLOCK_NE1:
	case ATOM_REG_CLOCK_BUS:
	case ATOM_REG_CLOCK_SHM:
		return telemetry_.read(host_.now_ns()).clock_khz[(offset - ATOM_REG_CLOCK_CP) / 4];
	case ATOM_REG_TEMP_THROTTLE: return temp_throttle_mc;
	case ATOM_REG_TEMP_ABORT: return temp_abort_mc;
	case ATOM_REG_TEMP_SHUTDOWN: return temp_shutdown_mc;
	case ATOM_REG_BUSY_COMPUTE: return counters_.busy_compute.load();
	case ATOM_REG_BUSY_DMA: return counters_.busy_dma.load();
	case ATOM_REG_MODELLED_BUSY: return counters_.modelled.load();
	case ATOM_REG_MODELLED_COMPUTE: return counters_.modelled_compute.load();
	case ATOM_REG_MODELLED_DRAM: return counters_.modelled_dram.load();
	case ATOM_REG_MODELLED_LINK: return counters_.modelled_link.load();
	case ATOM_REG_DRAM_READ: return counters_.dram_read.load();
	case ATOM_REG_DRAM_WRITE: return counters_.dram_write.load();
	case ATOM_REG_DMA_READ: return counters_.dma_read.load();
	case ATOM_REG_DMA_WRITE: return counters_.dma_write.load();
	case ATOM_REG_ECC_CE: return counters_.ecc_ce.load();
	case ATOM_REG_ECC_UE: return counters_.ecc_ue.load();
	case ATOM_REG_JOBS_DONE: return counters_.jobs_done.load();
	case ATOM_REG_MACS: return counters_.macs.load();
	case ATOM_REG_MAGIC: return ATOM_MAGIC;
	case ATOM_REG_VERSION:
	case ATOM_REG_VERSION_MIN:
		return ATOM_VERSION(ATOM_INTERFACE_MAJOR, ATOM_INTERFACE_MINOR);
	case ATOM_REG_FW_VERSION: return firmware_version;
	case ATOM_REG_PLATFORM: return config_.platform;
	case ATOM_REG_FUNCTION: return 0;
	case ATOM_REG_CAPS:
		return ATOM_CAP_QUEUE_RESET | ATOM_CAP_PREEMPT_COMMAND | (config_.shm_size ? ATOM_CAP_SHM : 0) |
		       ATOM_CAP_MEM_CLEAR |
		       (config_.platform == ATOM_PLATFORM_SILICON ? 0 : ATOM_CAP_FAULT_INJECTION);
	case ATOM_REG_OPCODES:
	case ATOM_REG_OPCODES + 8:
	case ATOM_REG_OPCODES + 16:
	case ATOM_REG_OPCODES + 24:
		return engine::opcodes()[(offset - ATOM_REG_OPCODES) / 8];
	case ATOM_REG_DTYPES: return engine::dtypes();
	case ATOM_REG_SERIAL: return config_.serial;
	case ATOM_REG_UUID: return load_bytes(config_.uuid);
	case ATOM_REG_UUID + 8: return load_bytes(config_.uuid + 8);
	case ATOM_REG_NUM_QUEUES: return config_.num_queues;
	case ATOM_REG_NUM_ASIDS: return config_.num_asids;
	case ATOM_REG_NUM_VECTORS: return config_.num_vectors;
	case ATOM_REG_RING_LOG2_MAX: return ring_log2_max;
	case ATOM_REG_DOORBELL_LOG2: return doorbell_log2;
	case ATOM_REG_VA_BITS: return ATOM_VA_BITS;
	case ATOM_REG_DMA_BITS: return dma_bits;
	case ATOM_REG_PAGE_SIZES: return 1u << 12 | 1u << 16 | 1u << 21;
	case ATOM_REG_DRAM_SIZE: return config_.dram_size;
	case ATOM_REG_DRAM_WINDOW: return config_.dram_window;
	case ATOM_REG_SHM_SIZE: return config_.shm_size;
	case ATOM_REG_CMDBUF_BYTES_MAX: return cmdbuf_bytes_max;
	case ATOM_REG_ARGS_MAX: return args_max;
	case ATOM_REG_MACS_LOG2_MAX: return macs_log2_max;
	case ATOM_REG_NUM_ENGINES: return 8;
	default:
		break;
	}
	const std::lock_guard lock(regs_mutex_);
	switch (offset) {
	case ATOM_REG_DRIVER_VERSION: return regs_.driver_version;
	case ATOM_REG_CTRL: return regs_.enabled ? ATOM_CTRL_ENABLE : 0;
	case ATOM_REG_STATUS: return status_locked();
	case ATOM_REG_ERROR_CODE: return regs_.error_code;
	case ATOM_REG_GENERATION: return regs_.generation;
	case ATOM_REG_INTR_CAUSE: return regs_.intr_cause;
	case ATOM_REG_INTR_MASK: return regs_.intr_mask;
	case ATOM_REG_ADMIN_RING: return regs_.admin_ring;
	case ATOM_REG_ADMIN_TAIL: return regs_.admin_tail;
	case ATOM_REG_ADMIN_COMPLETION: return regs_.admin_completion;
	case ATOM_REG_ADMIN_LOG2: return regs_.admin_log2;
	case ATOM_REG_FAULT_BASE: return regs_.fault_base;
	case ATOM_REG_FAULT_LOG2: return regs_.fault_log2;
	case ATOM_REG_FAULT_TAIL: return regs_.fault_tail;
	case ATOM_REG_FAULT_HEAD: return regs_.fault_head;
	case ATOM_REG_FAULT_LOST: return regs_.fault_lost;
	default: return 0; /* INTR_MODERATION */
	}
}

std::uint64_t device::mmio_read(std::uint64_t offset, std::uint32_t size)
{
	const std::uint64_t ones = size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
	if (link_down_.load())
		return ones;
	row r{};
	if (size != 4 && size != 8) {
		host_.misuse(guest_error::access_size, offset, "register read of a width other than 4 or 8");
		return 0;
	}
	if (offset % size) {
		host_.misuse(guest_error::access_size, offset, "misaligned register read");
		return 0;
	}
	if (inject_.any()) {
		if (inject_.strike(inject_kind::all_ones, 0))
			return ones;
		if (const auto stuck = inject_.strike(inject_kind::stuck_register, 0, offset))
			return stuck->value & ones;
	}
	if (!find_row(offset, r)) {
		host_.misuse(guest_error::unknown_register, offset, "read of a register that does not exist");
		return 0;
	}
	if (size == 8 && r.bits != 64) {
		host_.misuse(guest_error::access_size, offset, "8-byte read of a 32-bit register");
		return 0;
	}
	std::uint64_t value = 0;
	if (size == 8 || r.bits == 32) {
		value = register_value(r.offset);
	} else if (offset == r.offset) {
		const std::uint64_t whole = register_value(r.offset);
		const std::lock_guard lock(regs_mutex_);
		latch_[offset / 8] = static_cast<std::uint32_t>(whole >> 32);
		latched_.set(offset / 8);
		value = static_cast<std::uint32_t>(whole);
	} else {
		std::unique_lock lock(regs_mutex_);
		if (latched_.test(offset / 8)) {
			latched_.reset(offset / 8);
			value = latch_[offset / 8];
		} else {
			lock.unlock();
			value = register_value(r.offset) >> 32;
		}
	}
	host_.trace(ATOM_TRACE_MMIO_READ, ATOM_BAR_REGS, offset, size, value);
	return value;
}

void device::mmio_write(std::uint64_t offset, std::uint64_t value, std::uint32_t size)
{
	row r{};
	if (link_down_.load())
		return;
	host_.trace(ATOM_TRACE_MMIO_WRITE, ATOM_BAR_REGS, offset, size, value);
	if ((size != 4 && size != 8) || offset % size) {
		host_.misuse(guest_error::access_size, offset, "register write of a bad width or alignment");
		return;
	}
	if (!find_row(offset, r)) {
		host_.misuse(guest_error::unknown_register, offset, "write of a register that does not exist");
		return;
	}
	if (size == 8 && r.bits != 64) {
		host_.misuse(guest_error::access_size, offset, "8-byte write of a 32-bit register");
		return;
	}
	if (r.how == access::ro) {
		host_.misuse(guest_error::read_only, offset, "write of a read-only register");
		return;
	}
	if (reset_pending_.load()) {
		host_.misuse(guest_error::reset_pending, offset, "write of a register before a reset was over");
		return;
	}
	if (size == 4)
		value &= UINT32_MAX;
	if (r.bits == 64 && size == 4) {
		/* Half of it: the other half stays. */
		const std::uint64_t whole = register_value(r.offset);
		value = offset == r.offset ? (whole & ~std::uint64_t{UINT32_MAX}) | value
					   : (whole & UINT32_MAX) | value << 32;
	}
	write_register(r.offset, value);
}

void device::write_register(std::uint32_t offset, std::uint64_t value)
{
	const auto low = static_cast<std::uint32_t>(value);
	bool raise = false;
	switch (offset) {
	case ATOM_REG_CTRL:
		write_ctrl(low);
		return;
	case ATOM_REG_DRIVER_VERSION: {
		bool refused = false;
		{
			const std::lock_guard lock(regs_mutex_);
			regs_.driver_version = low;
			refused = regs_.version_refused = low && ATOM_VERSION_MAJOR(low) != ATOM_INTERFACE_MAJOR;
		}
		if (refused)
			host_.misuse(guest_error::version_refused, low, "DRIVER_VERSION is not offered");
		return;
	}
	case ATOM_REG_INTR_CAUSE: {
		const std::lock_guard lock(regs_mutex_);
		regs_.intr_cause &= ~low;
		return;
	}
	case ATOM_REG_INTR_MASK: {
		{
			const std::lock_guard lock(regs_mutex_);
			raise = regs_.intr_cause & regs_.intr_mask & ~low;
			regs_.intr_mask = low;
		}
		if (raise)
			raise_vector(0, 0);
		return;
	}
	case ATOM_REG_INTR_MODERATION:
		if (low)
			host_.misuse(guest_error::read_only, low, "INTR_MODERATION is reserved and must be zero");
		return;
	case ATOM_REG_FAULT_HEAD: {
		bool refused = false;
		{
			const std::lock_guard lock(regs_mutex_);
			refused = value > regs_.fault_tail;
			if (!refused)
				regs_.fault_head = value;
		}
		if (refused)
			host_.misuse(guest_error::fault_head, value, "FAULT_HEAD beyond FAULT_TAIL");
		return;
	}
	default:
		break;
	}
	bool refused = false;
	{
		const std::lock_guard lock(regs_mutex_);
		refused = regs_.enabled;
		if (!refused) {
			switch (offset) {
			case ATOM_REG_ADMIN_RING: regs_.admin_ring = value; break;
			case ATOM_REG_ADMIN_TAIL: regs_.admin_tail = value; break;
			case ATOM_REG_ADMIN_COMPLETION: regs_.admin_completion = value; break;
			case ATOM_REG_ADMIN_LOG2: regs_.admin_log2 = low; break;
			case ATOM_REG_FAULT_BASE:
				refused = value % 64;
				if (!refused)
					regs_.fault_base = value;
				break;
			case ATOM_REG_FAULT_LOG2:
				refused = low > fault_log2_max;
				if (!refused)
					regs_.fault_log2 = low;
				break;
			}
			if (offset <= ATOM_REG_ADMIN_LOG2)
				admin_changed_.store(true);
		}
	}
	if (refused)
		host_.misuse(guest_error::while_enabled, offset,
			     "ADMIN or FAULT register written while enabled, or with a value out of range");
}

/* nullptr: ENABLE may be set. */
const char *device::why_not_enable_locked() const
{
	if (regs_.fatal)
		return "ENABLE refused: STATUS.FATAL needs a function reset";
	if (!regs_.driver_version || regs_.version_refused)
		return "ENABLE refused: DRIVER_VERSION is not set or was refused";
	if (!regs_.admin_ring || regs_.admin_ring % 64)
		return "ENABLE refused: ADMIN_RING is 0 or misaligned";
	if (!regs_.admin_tail || regs_.admin_tail % 8)
		return "ENABLE refused: ADMIN_TAIL is 0 or misaligned";
	if (!regs_.admin_completion || regs_.admin_completion % 64)
		return "ENABLE refused: ADMIN_COMPLETION is 0 or misaligned";
	if (regs_.admin_log2 < 1 || regs_.admin_log2 > ring_log2_max)
		return "ENABLE refused: ADMIN_LOG2 is out of range";
	return nullptr;
}

void device::write_ctrl(std::uint32_t value)
{
	if (value & ATOM_CTRL_RESET) {
		{
			const std::lock_guard lock(regs_mutex_);
			regs_.enabled = false;
			reset_pending_.store(true);
		}
		urgency_.fetch_or(urgency_reset);
		call_attention();
		return;
	}
	const bool enable = value & ATOM_CTRL_ENABLE;
	const char *refused = nullptr;
	{
		const std::lock_guard lock(regs_mutex_);
		if (enable && !regs_.enabled)
			refused = why_not_enable_locked();
		if (!refused)
			regs_.enabled = enable;
	}
	if (refused)
		host_.misuse(guest_error::enable_refused, value, refused);
	else
		call_attention();
}

/* A cause interrupts when it goes from 0 to 1: the driver clears it before it looks. */
void device::raise_cause(std::uint32_t cause)
{
	bool raise = false;
	{
		const std::lock_guard lock(regs_mutex_);
		raise = cause & ~regs_.intr_cause & ~regs_.intr_mask;
		regs_.intr_cause |= cause;
	}
	if (raise)
		raise_vector(0, 0);
}

/* @p queue: whose interrupt it is, for injection; 0: causes. */
void device::raise_vector(std::uint32_t queue, std::uint32_t vector)
{
	if (inject_.any()) {
		if (inject_.strike(inject_kind::lost_irq, queue))
			return;
		if (inject_.strike(inject_kind::duplicate_irq, queue))
			host_.irq(vector);
		if (const auto late = inject_.strike(inject_kind::late_irq, queue)) {
			const std::uint64_t at = host_.now_ns() + late->value * 1000;
			bool kept = false;
			{
				const std::lock_guard lock(late_mutex_);
				kept = late_.size() < late_max;
				if (kept)
					late_.push_back({at, vector});
				late_pending_.store(true);
			}
			if (kept) {
				call_attention();
				return;
			}
		}
	}
	host_.irq(vector);
}

void device::set_fatal(std::uint32_t code)
{
	{
		const std::lock_guard lock(regs_mutex_);
		regs_.fatal = true;
		regs_.error_code = code;
	}
	host_.log(ATOM_LOG_GUEST, "fatal error %u: the function needs a reset", code);
	raise_cause(ATOM_INTR_FATAL);
}

} // namespace atom::model
