/* SPDX-License-Identifier: MIT */
/**
 * @file guest_memory.h
 * @brief One thread's way to memory by virtual address, and the view of it that
 * the engine gets for a tile.
 */
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "constants.h"
#include "engine/engine.h"
#include "inject.h"
#include "mmu.h"

namespace atom::model {

/** Bytes moved; summed up by each thread, added to the device's counters when a piece of work ends. */
struct traffic {
	std::uint64_t dram_read = 0;
	std::uint64_t dram_write = 0;
	std::uint64_t dma_read = 0;
	std::uint64_t dma_write = 0;
};

class guest_memory {
public:
	guest_memory(host_port &host, class mmu &mmu, const local_memory &memory, injector &inject)
		: host_(host), mmu_(mmu), memory_(memory), inject_(inject)
	{
	}
	~guest_memory() { unmap_all(); }
	guest_memory(const guest_memory &) = delete;
	guest_memory &operator=(const guest_memory &) = delete;

	/** On whose behalf the next accesses are made; @p data false: rings, descriptors, command buffers. */
	void act_for(std::uint32_t queue, bool data)
	{
		queue_ = queue;
		data_ = data;
	}

	/** Copies @p bytes between @p buffer and @p va. False: @p why has code, va and access. */
	bool read(std::uint32_t asid, std::uint64_t va, void *buffer, std::uint64_t bytes, engine::fault &why)
	{
		return copy(asid, va, static_cast<std::byte *>(buffer), bytes, ATOM_ACCESS_READ, why);
	}
	bool write(std::uint32_t asid, std::uint64_t va, const void *buffer, std::uint64_t bytes,
		   engine::fault &why)
	{
		return copy(asid, va, static_cast<std::byte *>(const_cast<void *>(buffer)), bytes,
			    ATOM_ACCESS_WRITE, why);
	}
	/** Pointer to [va, va + bytes) if it is one piece on the host; valid until unmap_all(). */
	std::byte *map(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes, std::uint32_t access,
		       engine::fault &why);
	void unmap_all();

	/** Aperture in which @p va lies, SYSTEM if it is not mapped (the access itself will fault). */
	std::uint32_t aperture(std::uint32_t asid, std::uint64_t va);

	tlb &cache() { return cache_; }
	traffic take_traffic();

private:
	struct mapping {
		std::byte *pointer;
		std::uint64_t bytes;
		bool is_write;
	};
	/** Mappings held at a time; beyond it the engine copies. */
	static constexpr std::size_t mappings_max = 64;
	/** Of one mapping: all of its pages are translated in one go. */
	static constexpr std::uint64_t mapping_bytes_max = 4ull << 30;

	bool copy(std::uint32_t asid, std::uint64_t va, std::byte *buffer, std::uint64_t bytes,
		  std::uint32_t access, engine::fault &why);
	/** A stretch from @p va, at most @p bytes, contiguous in one aperture. */
	translation stretch(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes, std::uint32_t access);
	void count(std::uint32_t aperture, std::uint64_t bytes, std::uint32_t access);
	std::uint16_t injected(bool is_read);

	host_port &host_;
	class mmu &mmu_;
	const local_memory &memory_;
	injector &inject_;
	tlb cache_;
	std::vector<mapping> mappings_;
	traffic traffic_;
	std::uint32_t queue_ = 0;
	bool data_ = false;
};

/** Why a tile should end early. */
enum tile_urgency : std::uint32_t {
	urgency_admin = 1, ///< the admin queue has work: when the tile has had its patience
	urgency_stop = 2,  ///< somebody waits for the device to stand still: at once
	urgency_reset = 4, ///< a function reset was asked for: at once
};

/** What the engine sees during one tile. */
class tile_memory final : public engine::memory {
public:
	tile_memory(guest_memory &memory, constants &kept, std::uint32_t asid, std::span<const engine::operand> operands)
		: memory_(memory), kept_(kept), asid_(asid), operands_(operands)
	{
	}
	~tile_memory() override { memory_.unmap_all(); }

	std::byte *map(std::size_t operand, std::int64_t low, std::int64_t high,
		       std::uint32_t access) override;
	bool read(std::size_t operand, std::int64_t low, void *to, std::size_t bytes) override;
	bool write(std::size_t operand, std::int64_t low, const void *from, std::size_t bytes) override;
	std::byte *keep(std::size_t operand, std::span<const std::uint64_t> form, std::size_t bytes) override;
	void fail(const engine::fault &why) override;
	bool failed() const override { return static_cast<bool>(fault_); }
	bool interrupted() override;
	/** Where to look whether the tile should end early; see tile_urgency. */
	void heed(const std::atomic<std::uint32_t> &urgency, std::chrono::steady_clock::duration patience);
	bool was_interrupted() const { return interrupted_; }
	/** It was interrupted, but not before the patience had ended. */
	bool was_given_patience() const { return given_patience_; }
	engine::tile_progress &progress() override { return progress_; }
	const engine::fault &fault() const { return fault_; }

private:
	void fail_data(std::size_t operand, engine::fault why);

	guest_memory &memory_;
	constants &kept_;
	std::uint32_t asid_;
	std::span<const engine::operand> operands_;
	engine::fault fault_;
	const std::atomic<std::uint32_t> *urgency_ = nullptr;
	std::chrono::steady_clock::time_point give_way_at_;
	bool interrupted_ = false;
	bool given_patience_ = false;
	engine::tile_progress progress_;
};

} // namespace atom::model
