/* SPDX-License-Identifier: MIT */
/**
 * @file queue.h
 * @brief What the device keeps of a queue and of the job that it runs.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "atom/hw/admin.h"
#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "engine/engine.h"
#include "job_clock.h"
#include "patience.h"
#include "team.h"

namespace atom::model {

/** What the queue's register block shows. Written by the dispatcher, read by MMIO. */
struct queue_registers {
	std::atomic<std::uint32_t> state{ATOM_QUEUE_NONE};
	std::atomic<std::uint32_t> generation{0};
	std::atomic<std::uint64_t> seqno{0};
	std::atomic<std::uint64_t> head{0};
	std::atomic<std::uint64_t> progress{0};
	std::atomic<std::uint64_t> busy_ns{0};
	std::atomic<std::uint64_t> modelled_ns{0};
	std::atomic<std::uint32_t> command{ATOM_COMMAND_NONE};
	std::atomic<std::uint32_t> fault_code{ATOM_FAULT_NONE};
};

/** A fault with all that a record says about it. */
struct job_fault {
	engine::fault what;
	std::uint32_t command = ATOM_COMMAND_NONE;
	std::uint16_t opcode = 0;
	std::uint32_t tag = 0;
	std::uint32_t asid = 0;
};

/** A descriptor that has been fetched and is not retired yet. */
struct job {
	atom_ring_desc desc{};
	std::uint64_t seq = 0;
	std::uint64_t start_ns = 0;
	job_clock clock;
	double compute_ns = 0; ///< of its modelled time, with compute running
	written_bytes written; ///< device memory that the job's commands have written

	/* Copies, taken once. */
	std::vector<std::byte> commands; ///< the whole command buffer
	std::vector<atom_arg> args;
	std::uint64_t charged = 0;       ///< bytes taken from the device's budget for copies
	std::uint32_t command_count = 0;
	bool loaded = false;             ///< the command buffer has been copied and its header checked

	std::uint32_t index = 0;  ///< of the current command
	std::size_t offset = 0;   ///< of the current command
	atom_cmd_header header{}; ///< of the current command
	std::unique_ptr<engine::operation> operation; ///< the current command, once decoded
	std::uint64_t next_tile = 0;
	std::vector<interrupted_tile> again; ///< tiles below next_tile
	class patience patience;             ///< of the current command

	bool ended = false;              ///< only its retirement is left (pace=device)
	std::uint64_t retire_at = 0;
};

struct queue {
	std::uint32_t id = 0;
	bool created = false;
	std::uint64_t ring_va = 0;
	std::uint64_t tail_va = 0;
	std::uint64_t completion_va = 0;
	std::uint64_t entries = 0;
	std::uint32_t job_asid = 0;
	std::uint32_t ring_asid = 0;
	std::uint32_t vector = 0;
	std::uint32_t priority = 0;

	/* Counters of descriptors; both begin at seq_start. */
	std::uint64_t head = 0; ///< fetched
	std::uint64_t tail = 0; ///< known to be there
	std::unique_ptr<job> current;
	bool frozen = false; ///< injected hang
	bool waiting_for_room = false; ///< its job's copies do not fit at the moment

	queue_registers regs;

	std::uint32_t state() const { return regs.state.load(std::memory_order_relaxed); }
	bool stopped() const
	{
		return frozen || state() == ATOM_QUEUE_FAULTED || state() == ATOM_QUEUE_HUNG;
	}
	/** There is something that the engine could do now. */
	bool runnable() const
	{
		return created && !stopped() && !waiting_for_room && (current ? !current->ended : head != tail);
	}
};

/** The admin queue: no job, one long-running operation at most. */
struct admin_queue {
	std::uint64_t ring = 0;
	std::uint64_t tail_address = 0;
	std::uint64_t completion = 0;
	std::uint64_t entries = 0;
	std::uint64_t head = 0;
	std::uint64_t tail = 0;

	/** MEM_CLEAR under way. */
	struct {
		bool active = false;
		atom_admin_desc desc{};
		std::uint64_t start_ns = 0;
		std::byte *next = nullptr;
		std::uint64_t bytes = 0;
		bool dram = false;
	} clear;

	queue_registers regs;
};

} // namespace atom::model
