/* SPDX-License-Identifier: MIT */
/**
 * @file device.h
 * @brief The device: registers, queues, admin path, execution.
 *
 * Who may touch what:
 * - The dispatcher (a thread of its own, or the caller of run()) owns queues,
 *   address spaces and jobs. It holds control_ while it works and lets go of it
 *   when somebody else asks (stop_requests_); whoever holds control_ owns all of
 *   that instead. No tile runs outside team::run(), which the dispatcher calls.
 * - Registers that MMIO reaches are atomics or lie under regs_mutex_, which is
 *   never held during an upcall. MMIO takes nothing else: it never waits for work.
 * - MMIO asks for work by a flag (doorbells_, reset_pending_, timer_due_) and attention_.
 * - A doorbell that finds control_ free does a few small steps itself: to wake
 *   another thread takes longer than a small job.
 */
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "atom/hw/pci.h"
#include "atom/hw/regs.h"
#include "atom_model.h"
#include "inject.h"
#include "mmu.h"
#include "queue.h"
#include "scheduler.h"
#include "team.h"
#include "telemetry.h"
#include "timing.h"

namespace atom::model {

inline constexpr std::uint32_t ring_log2_max = 12;
inline constexpr std::uint32_t doorbell_log2 = 12;
inline constexpr std::uint32_t dma_bits = 52;
inline constexpr std::uint32_t cmdbuf_bytes_max = 16u << 20;
inline constexpr std::uint32_t args_max = 1024;
inline constexpr std::uint32_t macs_log2_max = 36;
inline constexpr std::uint32_t fault_log2_max = 16;
inline constexpr std::uint32_t firmware_version = 0x00010000;
/** Copies of command buffers and arguments, all queues together: bounds what a guest can make the model hold. */
inline constexpr std::uint64_t copies_bytes_max = 64ull << 20;

/** Memory of the model's own that reads as zero and can be made so again in no time. */
class zeroed_memory {
public:
	explicit zeroed_memory(std::uint64_t bytes);
	~zeroed_memory();
	zeroed_memory(const zeroed_memory &) = delete;
	zeroed_memory &operator=(const zeroed_memory &) = delete;
	std::byte *data() { return data_; }
	void clear();

private:
	std::byte *data_ = nullptr;
	std::uint64_t bytes_ = 0;
};

/**
 * The mutex of what the dispatcher owns, for as long as this lives. A thread
 * that holds it may come back through an upcall: held_here() tells.
 */
class control_guard {
public:
	explicit control_guard(std::mutex &control) : lock_(control) { ++held_; }
	control_guard(std::mutex &control, std::try_to_lock_t) : lock_(control, std::try_to_lock)
	{
		held_ += lock_.owns_lock();
	}
	~control_guard() { held_ -= lock_.owns_lock(); }
	control_guard(const control_guard &) = delete;
	control_guard &operator=(const control_guard &) = delete;
	explicit operator bool() const { return lock_.owns_lock(); }
	static bool held_here() { return held_ != 0; }

private:
	std::unique_lock<std::mutex> lock_;
	static thread_local int held_;
};

class device {
public:
	device(const atom_model_host &host, void *opaque, const atom_model_config &config, const timing &parameters);
	~device();
	device(const device &) = delete;
	device &operator=(const device &) = delete;

	/* The C ABI, function by function: atom_model.h. */
	std::uint64_t mmio_read(std::uint64_t offset, std::uint32_t size);
	void mmio_write(std::uint64_t offset, std::uint64_t value, std::uint32_t size);
	void doorbell(std::uint32_t queue);
	void configure(std::uint32_t event, std::uint64_t value);
	void reset(std::uint32_t kind);
	bool run(std::uint64_t budget_ns);
	void timer();
	void quiesce();
	void resume();
	bool inject(const char *spec, std::string &error);
	std::string describe();

private:
	/** The right to touch what the dispatcher owns; work stops at the end of a tile. */
	class exclusive {
	public:
		explicit exclusive(device &d);
		~exclusive();

	private:
		device &device_;
		std::optional<control_guard> lock_;
	};

	/** Registers that the driver sets, and those that go with them. */
	struct registers {
		std::uint32_t driver_version = 0;
		bool enabled = false;
		bool version_refused = false;
		bool fatal = false;
		std::uint32_t error_code = 0;
		std::uint32_t generation = 0;
		std::uint32_t intr_cause = 0;
		std::uint32_t intr_mask = 0;
		std::uint64_t admin_ring = 0;
		std::uint64_t admin_tail = 0;
		std::uint64_t admin_completion = 0;
		std::uint32_t admin_log2 = 0;
		std::uint64_t fault_base = 0;
		std::uint32_t fault_log2 = 0;
		std::uint64_t fault_tail = 0;
		std::uint64_t fault_head = 0;
		std::uint32_t fault_lost = 0;
	};

	/* registers.cpp */
	std::uint64_t register_value(std::uint32_t offset);
	std::uint64_t queue_register_value(std::uint32_t id, std::uint32_t offset);
	std::uint32_t status_locked() const;
	void write_half(std::uint32_t offset, std::uint64_t value, std::uint32_t size);
	void write_register(std::uint32_t offset, std::uint64_t value);
	void write_ctrl(std::uint32_t value);
	const char *why_not_enable_locked() const;
	void raise_cause(std::uint32_t cause);
	void raise_vector(std::uint32_t queue, std::uint32_t vector);
	void set_fatal(std::uint32_t code);

	/* device.cpp */
	void dispatch();
	void call_attention();
	void work_here();
	bool step();
	bool halted();
	void do_reset(std::uint32_t kind);
	void take_doorbells();
	void run_timers();
	void arm_timer();
	void apply(const injection &what);
	void update_throttle(std::uint32_t before);

	/* admin.cpp */
	void look_at_admin_tail();
	bool admin_step();
	void settle_admin_urgency();
	void admin_execute(const atom_admin_desc &desc);
	void admin_write(std::uint64_t address, const void *from, std::uint64_t bytes);
	void admin_clear_step();
	void admin_retire(const atom_admin_desc &desc, std::uint64_t start_ns, std::uint16_t code,
			  std::uint32_t field);
	struct admin_result {
		std::uint16_t code = ATOM_FAULT_NONE;
		std::uint32_t field = 0;
	};
	admin_result admin_check_unused(const atom_admin_desc &desc) const;
	admin_result admin_asid_set(const atom_admin_desc &desc);
	admin_result admin_asid_clear(const atom_admin_desc &desc);
	admin_result admin_tlb_invalidate(const atom_admin_desc &desc);
	admin_result admin_queue_create(const atom_admin_desc &desc);
	admin_result admin_queue_destroy(const atom_admin_desc &desc);
	admin_result admin_queue_reset(const atom_admin_desc &desc);
	admin_result admin_queue_priority(const atom_admin_desc &desc);
	admin_result admin_mem_clear(const atom_admin_desc &desc);
	void invalidate(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes);

	/* ring.cpp */
	void read_tail(queue &q);
	bool fetch(queue &q);
	void retire(queue &q, const job &j, std::uint16_t status, const job_fault *fault);
	void finish(queue &q);
	void end_job(queue &q, job &j);
	void write_header(queue &q, std::uint64_t seqno);
	bool write_record(std::uint32_t asid, std::uint64_t va, const atom_cpl_record &record,
			  engine::fault &why);
	void fault_job(queue &q, const job_fault &fault);
	void fault_ring(queue &q, const engine::fault &what);
	void stop_queue(queue &q, const job_fault &fault, std::uint64_t seq, std::uint32_t state);
	void reset_queue(queue &q, std::uint32_t generation);
	void write_fault_record(const queue &q, const job_fault &fault, std::uint64_t seq);
	void set_state(queue &q, std::uint32_t state);
	void update_runnable(queue &q);
	bool reserve_copies(queue &q, job &j);
	void release_copies(job &j);

	/* job.cpp */
	void run_queue(queue &q);
	bool small(const engine::operation &operation) const;
	bool strike_at_start(queue &q);
	bool load(queue &q, job &j);
	bool next_command(queue &q, job &j);
	void run_tiles(queue &q, job &j);
	void fault_command(queue &q, const job &j, engine::fault what);

	/* account.cpp */
	void account(queue &q, const job &j, std::uint64_t &from_ns);
	void collect_traffic();
	void drop_traffic();
	footprint footprint_of(job &j, std::uint32_t asid);
	void tell_time(const queue &q, const job &j, const command_time &c, const footprint &bytes);
	void end_command(queue &q, job &j);
	void write_timestamp(queue &q, job &j);
	void pace(job &j);

	worker &mine() { return *workers_[0]; }

	host_port host_;
	const atom_model_config config_;
	engine::options engine_options_;
	const timing timing_;
	zeroed_memory shm_;
	local_memory memory_;
	injector inject_;
	mmu mmu_;
	constants kept_;
	std::vector<std::unique_ptr<worker>> workers_;

	/* Under control_. */
	std::mutex control_;
	std::vector<queue> queues_; ///< [0] is not used: see admin_
	admin_queue admin_;
	scheduler scheduler_;
	std::uint64_t copies_bytes_ = 0;
	bool small_only_ = false; ///< work_here(): leave what takes long to the dispatcher
	bool handed_over_ = false; ///< and this was left
	std::uint64_t engines_free_at_ = 0; ///< pace=device: when the modelled engines are done
	std::uint64_t link_free_at_ = 0;    ///< and the modelled link
	std::uint64_t timer_armed_ = UINT64_MAX;

	/* Interrupts that were injected as late. */
	struct late_irq {
		std::uint64_t at;
		std::uint32_t vector;
	};
	static constexpr std::size_t late_max = 1024; ///< those beyond are not late
	std::mutex late_mutex_;
	std::atomic<bool> late_pending_{false};
	std::vector<late_irq> late_;

	std::mutex regs_mutex_;
	registers regs_;
	std::array<std::uint32_t, ATOM_REG_VF_BASE / 8> latch_{};
	std::bitset<ATOM_REG_VF_BASE / 8> latched_;

	counters counters_;
	telemetry telemetry_;
	std::atomic<bool> link_down_{false};
	std::atomic<bool> power_off_{false};
	std::atomic<bool> too_hot_{false};       ///< over TEMP_ABORT: jobs fault
	std::atomic<bool> admin_changed_{true};  ///< ADMIN registers were written: the queue begins anew

	/* What MMIO and others ask for. */
	std::array<std::atomic<std::uint64_t>, 4> doorbells_{};
	std::atomic<bool> reset_pending_{false};
	std::atomic<bool> timer_due_{false};
	std::atomic<std::uint32_t> attention_{0};
	std::atomic<std::uint32_t> stop_requests_{0};
	std::atomic<std::uint32_t> urgency_{0}; ///< enum tile_urgency
	std::atomic<bool> ending_{false};

	std::unique_ptr<team> team_;
	std::thread dispatcher_;
};

} // namespace atom::model
