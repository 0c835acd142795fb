// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "atom/hw/queue.h"

namespace atom::core {

/**
 * Reads a completion area while the device writes it. Thread-safe; nothing it
 * finds there can lead it outside the area.
 */
class completion_area {
public:
	completion_area() = default;
	/** @p entries: a power of two; the area has ATOM_CPL_AREA_BYTES of its log2. */
	completion_area(const std::byte *area, std::uint32_t entries)
		: area_(area), entries_(entries)
	{
	}

	/** Sequence of the last job retired, 0 if none. */
	[[nodiscard]] std::uint64_t retired() const;

	/** The record of job @p sequence; nothing if it is not there, not yet or no longer. */
	[[nodiscard]] std::optional<atom_cpl_record> find(std::uint64_t sequence) const;

	/**
	 * Whether job @p sequence is over, but was never retired by the device: its slot still
	 * has an older record.
	 */
	[[nodiscard]] bool passed_over(std::uint64_t sequence) const;

	static std::uint64_t bytes_for(std::uint32_t entries);

private:
	[[nodiscard]] const std::byte *slot(std::uint64_t sequence) const;

	const std::byte *area_ = nullptr;
	std::uint32_t entries_ = 0;
};

} // namespace atom::core
