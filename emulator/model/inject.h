/* SPDX-License-Identifier: MIT */
/**
 * @file inject.h
 * @brief Scripted hardware faults. Grammar and kinds: emulator/README.md.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atom::model {

enum class inject_kind : std::uint8_t {
	lost_irq,
	duplicate_irq,
	late_irq,
	hang,
	hung_detected,
	mmu_fault,
	dma_error,
	poison,
	ecc_ce,
	ecc_ue,
	thermal,
	power,
	stuck_register,
	all_ones,
	link_down,
	corrupt_seqno,
	corrupt_record,
	corrupt_fault,
	forged_fault,
	clear,
	count,
};

/** One parsed specification. */
struct injection {
	inject_kind kind = inject_kind::clear;
	std::int64_t queue = -1;   ///< -1: any job queue
	std::uint64_t after = 0;   ///< events let through first
	std::uint64_t count = 1;   ///< how often; 0: for ever
	std::uint64_t value = 0;   ///< value=, delay_us= or temp_mc=, as the kind says
	std::uint64_t offset = 0;
};

const char *name_of(inject_kind kind);

/** Parses @p spec; @return nullopt with a sentence in @p error. */
std::optional<injection> parse_injection(std::string_view spec, std::uint32_t queues, std::string &error);

/** The armed faults that wait for an event. Thread-safe; costs one load while nothing is armed. */
class injector {
public:
	/** At most so many at a time, so that a script cannot grow the model. */
	static constexpr std::size_t armed_max = 64;

	/** False: armed_max are armed already. */
	bool arm(const injection &what);
	void clear();

	bool any() const { return armed_kinds_.load(std::memory_order_relaxed) != 0; }
	/** Counts an event of @p kind at @p queue; the injection if it strikes now. */
	std::optional<injection> strike(inject_kind kind, std::uint32_t queue, std::uint64_t offset = 0)
	{
		if (!(armed_kinds_.load(std::memory_order_relaxed) >> static_cast<unsigned>(kind) & 1))
			return std::nullopt;
		return strike_armed(kind, queue, offset);
	}

private:
	std::optional<injection> strike_armed(inject_kind kind, std::uint32_t queue, std::uint64_t offset);
	void update_kinds();

	std::atomic<std::uint32_t> armed_kinds_{0};
	std::mutex mutex_;
	std::vector<injection> armed_;
};

} // namespace atom::model
