/* SPDX-License-Identifier: MIT */
/* Offsets of mmap(): what they stand for. Programs take them as they are. */
#pragma once

#include <cstdint>

namespace atom::inprocess::offset {

enum class kind : std::uint32_t {
	buffer = 1,
	completion_area = 2,
};

struct place {
	offset::kind kind;
	std::uint32_t id; ///< handle of the buffer, or id of the queue
};

inline constexpr unsigned id_shift = 12;
inline constexpr unsigned kind_shift = id_shift + 32;

inline std::uint64_t make(kind k, std::uint32_t id)
{
	return std::uint64_t{static_cast<std::uint32_t>(k)} << kind_shift | std::uint64_t{id} << id_shift;
}

inline place read(std::uint64_t offset)
{
	return {static_cast<kind>(offset >> kind_shift), static_cast<std::uint32_t>(offset >> id_shift)};
}

} // namespace atom::inprocess::offset
