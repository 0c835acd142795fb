// SPDX-License-Identifier: MIT
#include "atom_onnx/constant_pool.hpp"

#include <cstring>
#include <string_view>

namespace atom_onnx {
namespace {

std::size_t hash_of(const std::vector<std::byte> &bytes)
{
	return std::hash<std::string_view>()(
		{reinterpret_cast<const char *>(bytes.data()), bytes.size()});
}

// Memory of the device is compared where it lies: no second copy of all weights is kept.
bool holds(const atom::buffer &memory, const std::vector<std::byte> &bytes)
{
	return memory.size() == bytes.size() &&
	       std::memcmp(memory.map().data(), bytes.data(), bytes.size()) == 0;
}

} // namespace

std::shared_ptr<const atom::buffer>
constant_pool::find_or_upload(const std::vector<std::byte> &bytes)
{
	const std::size_t hash = hash_of(bytes);
	const std::lock_guard lock(mutex_);
	const auto [begin, end] = known_.equal_range(hash);
	for (auto it = begin; it != end;) {
		const auto memory = it->second.lock();
		if (memory && holds(*memory, bytes))
			return memory;
		it = memory ? std::next(it) : known_.erase(it);
	}
	const auto made = std::make_shared<const atom::buffer>(
		context_, bytes.size(),
		atom::buffer_options{.placement = atom::placement::local, .label = "onnx weights"});
	std::memcpy(made->map().data(), bytes.data(), bytes.size());
	known_.emplace(hash, made);
	return made;
}

std::uint64_t constant_pool::bytes() const
{
	const std::lock_guard lock(mutex_);
	std::uint64_t sum = 0;
	for (const auto &[hash, memory] : known_)
		if (const auto alive = memory.lock())
			sum += alive->size();
	return sum;
}

} // namespace atom_onnx
