/* SPDX-License-Identifier: MIT */
/**
 * @file driver.h
 * @brief The driver's side on the host bus: bring-up, admin queue, page tables
 * and job queues, as little as a test needs. Not thread-safe but for job_queue,
 * of which each thread may use its own.
 */
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "atom/hw/admin.h"
#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "atom/hw/mmu.h"
#include "atom/hw/queue.h"
#include "atom/hw/regs.h"
#include "host_bus.h"

namespace atom::host {

/** Page tables of one address space, built by the CPU in RAM. */
class page_tables {
public:
	page_tables(class driver &d);

	std::uint64_t root() const { return root_; }
	/** Maps [va, va + bytes) with pages of @p page bytes (4 KiB, 64 KiB or 2 MiB). */
	void map(std::uint64_t va, std::uint64_t bytes, std::uint32_t aperture, std::uint64_t address,
		 std::uint64_t flags = ATOM_PTE_READ | ATOM_PTE_WRITE, std::uint64_t page = 4096);
	void unmap(std::uint64_t va, std::uint64_t bytes);
	/** The entry for @p va on @p level, tables above it made as needed; to be written at will. */
	std::uint64_t *entry(std::uint64_t va, unsigned level);

private:
	driver &driver_;
	std::uint64_t root_;
};

struct queue_setup {
	std::uint8_t ring_log2 = 6;
	std::uint8_t priority = ATOM_PRIORITY_NORMAL;
	std::uint16_t vector = 1;
	std::uint64_t seq_start = 0;
	std::uint32_t generation = 1;
};

class job_queue {
public:
	job_queue(class driver &d, std::uint32_t id, std::uint16_t job_asid, const queue_setup &setup);

	std::uint32_t id() const { return id_; }
	std::uint64_t last() const { return tail_; }
	/** Puts @p desc into the ring (its seq is set) and moves the tail. @return its sequence number */
	std::uint64_t push(atom_ring_desc desc);
	void ring();
	/** push() and ring(). */
	std::uint64_t submit(const atom_ring_desc &desc);
	/** Waits until @p seq is retired. */
	bool wait(std::uint64_t seq);
	/** The last retired number, as the device wrote it. */
	std::uint64_t seqno() const;
	const atom_cpl_header &header() const { return *header_; }
	/** The record of @p seq. */
	atom_cpl_record record(std::uint64_t seq) const;
	void set_tail(std::uint64_t value);
	atom_ring_desc &slot(std::uint64_t seq) { return ring_[(seq - 1) & mask_]; }
	std::uint64_t entries() const { return mask_ + 1; }
	std::uint64_t ring_address() const { return ring_address_; }
	std::uint64_t tail_address() const { return tail_address_; }
	std::uint64_t completion_address() const { return completion_address_; }
	/** What QUEUE_CREATE was given. */
	const atom_admin_desc &create_desc() const { return create_; }

private:
	driver &driver_;
	std::uint32_t id_;
	std::uint64_t mask_;
	std::uint64_t tail_;
	std::uint64_t ring_address_, tail_address_, completion_address_;
	atom_ring_desc *ring_;
	std::uint64_t *tail_memory_;
	atom_cpl_header *header_;
	atom_cpl_record *records_;
	atom_admin_desc create_{};
};

class driver {
public:
	/** Does nothing yet: bring_up() does. */
	explicit driver(host_bus &bus) : bus_(bus) {}

	host_bus &bus() { return bus_; }
	/** RAM, zeroed, never given back. @return bus address */
	std::uint64_t allocate(std::uint64_t bytes, std::uint64_t alignment = 64);
	/** RAM at bus address @p address. */
	template <typename T> T *at(std::uint64_t address)
	{
		return reinterpret_cast<T *>(bus_.ram(address, sizeof(T)));
	}

	/** Version, reset, admin queue, fault FIFO, ENABLE, ASID 0. False: STATUS.ENABLED did not come. */
	bool bring_up(std::uint32_t fault_log2 = 7);
	/** CTRL.RESET and waiting for READY. */
	bool reset();
	void set_up_admin(std::uint8_t log2 = 5);

	/** Sends one admin descriptor (its seq is set) and waits. */
	atom_cpl_record admin(atom_admin_desc desc);
	/** The same without waiting. @return its sequence number */
	std::uint64_t admin_push(atom_admin_desc desc);
	bool admin_wait(std::uint64_t seq);
	atom_cpl_record admin_record(std::uint64_t seq) const;
	bool asid_set(std::uint32_t asid, const page_tables &tables, std::uint32_t generation = 1);
	bool asid_clear(std::uint32_t asid);
	bool invalidate(std::uint32_t asid, std::uint64_t va = 0, std::uint64_t bytes = 0);
	bool create(const job_queue &queue);
	bool queue_reset(std::uint32_t id, std::uint32_t generation);
	bool queue_destroy(std::uint32_t id);

	/** Fault records written since bring_up(), oldest first, as far as the FIFO still holds them. */
	std::vector<atom_fault_record> faults() const;
	std::uint64_t fault_base() const { return fault_base_; }

private:
	host_bus &bus_;
	std::uint64_t allocated_ = 0;
	std::uint64_t admin_ring_ = 0, admin_tail_address_ = 0, admin_completion_ = 0;
	std::uint64_t admin_mask_ = 0;
	std::uint64_t admin_tail_ = 0;
	std::uint64_t fault_base_ = 0;
	std::uint32_t fault_log2_ = 0;
};

/** A command buffer: header and commands, built field by field. */
class command_bytes {
public:
	explicit command_bytes(std::uint32_t slots = 1);
	template <typename T> command_bytes &add(T command)
	{
		command.header.bytes = sizeof command;
		append(&command, sizeof command);
		return *this;
	}
	/** The buffer, its header up to date. */
	const std::vector<std::byte> &bytes();

private:
	void append(const void *from, std::size_t bytes);
	std::vector<std::byte> bytes_;
	std::uint32_t commands_ = 0;
	std::uint32_t slots_;
};

/** A dense tensor, strides from dims. */
atom_tensor dense(std::uint16_t slot, std::uint64_t offset, std::uint8_t dtype,
		  std::initializer_list<std::uint64_t> dims);

} // namespace atom::host
