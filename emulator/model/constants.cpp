/* SPDX-License-Identifier: MIT */
#include "constants.h"

#include <algorithm>
#include <utility>

namespace atom::model {

std::byte *constants::entry::data() const
{
	const auto at = reinterpret_cast<std::uintptr_t>(memory.get());
	return memory.get() + ((at + alignment - 1) / alignment * alignment - at);
}

std::uint64_t constants::charge(std::size_t size) { return std::max<std::uint64_t>(size, least_charge); }

std::byte *constants::keep(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes, std::span<const std::uint64_t> form,
			   std::size_t size)
{
	const std::lock_guard lock(mutex_);
	const key wanted{asid, va, bytes, {form.begin(), form.end()}};
	if (const auto at = entries_.find(wanted); at != entries_.end())
		return at->second.size == size ? at->second.data() : nullptr;
	if (size > room_ || charge(size) > room_ - used_)
		return nullptr;
	/* Not touched here: pages that nobody fills are never there. */
	std::unique_ptr<std::byte, release> memory(static_cast<std::byte *>(std::calloc(1, size + alignment)));
	if (!memory)
		return nullptr;
	std::byte *data = entries_.emplace(wanted, entry{std::move(memory), size}).first->second.data();
	used_ += charge(size);
	return data;
}

void constants::forget(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes)
{
	const std::lock_guard lock(mutex_);
	const auto last = va + (bytes - 1);
	for (auto at = entries_.lower_bound({asid, 0, 0, {}}); at != entries_.end() && at->first.asid == asid;) {
		const key &k = at->first;
		if (bytes == 0 || (k.va <= last && va <= k.va + (k.bytes - 1))) {
			used_ -= charge(at->second.size);
			at = entries_.erase(at);
		} else {
			++at;
		}
	}
}

void constants::clear()
{
	const std::lock_guard lock(mutex_);
	entries_.clear();
	used_ = 0;
}

std::uint64_t constants::used() const
{
	const std::lock_guard lock(mutex_);
	return used_;
}

} // namespace atom::model
