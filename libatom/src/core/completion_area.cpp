// SPDX-License-Identifier: MIT
#include "core/completion_area.hpp"

#include <array>
#include <cstring>

namespace atom::core {
namespace {

// The device's writes are atomic 64-bit stores; so are the reads here.
std::uint64_t load(const std::byte *p)
{
	return __atomic_load_n(reinterpret_cast<const std::uint64_t *>(p), __ATOMIC_ACQUIRE);
}

} // namespace

std::uint64_t completion_area::bytes_for(std::uint32_t entries)
{
	return sizeof(atom_cpl_header) + std::uint64_t{entries} * sizeof(atom_cpl_record);
}

std::uint64_t completion_area::retired() const
{
	return load(area_ + offsetof(atom_cpl_header, seqno));
}

const std::byte *completion_area::slot(std::uint64_t sequence) const
{
	return area_ + sizeof(atom_cpl_header) +
	       ((sequence - 1) & (entries_ - 1)) * sizeof(atom_cpl_record);
}

std::optional<atom_cpl_record> completion_area::find(std::uint64_t sequence) const
{
	const std::byte *p = slot(sequence);
	std::array<std::uint64_t, sizeof(atom_cpl_record) / sizeof(std::uint64_t)> words;
	static_assert(offsetof(atom_cpl_record, seq) == 0);
	for (std::size_t i = 0; i < words.size(); ++i)
		words[i] = load(p + i * sizeof(std::uint64_t));
	// The copy is good only if the number was the same before and after it.
	if (sequence == 0 || words[0] != sequence || load(p) != sequence)
		return std::nullopt;
	atom_cpl_record record;
	std::memcpy(&record, words.data(), sizeof(record));
	return record;
}

bool completion_area::passed_over(std::uint64_t sequence) const
{
	const std::uint64_t last = retired();
	const std::uint64_t found = load(slot(sequence));
	// A record that is being replaced has no number for a moment.
	return last >= sequence && found < sequence &&
	       (found != 0 || last + 1 < sequence + entries_);
}

} // namespace atom::core
