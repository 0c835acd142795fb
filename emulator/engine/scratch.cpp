/* SPDX-License-Identifier: MIT */
#include <cstdlib>
#include <iterator>
#include <new>
#include <numeric>

#include "engine.h"

namespace atom::engine {

void scratch::aligned_delete::operator()(std::byte *p) const { std::free(p); }

std::byte *scratch::get(std::size_t index, std::size_t bytes)
{
	constexpr std::size_t alignment = 64;
	/* Commands are cut such that none needs as much: a guest shall not have the host's memory by a mistake there. */
	constexpr std::size_t most = 512 << 20;
	if (bytes > most)
		throw std::bad_alloc();
	if (sizes_[index] < bytes) {
		const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
		auto *p = static_cast<std::byte *>(std::aligned_alloc(alignment, size));
		if (!p)
			throw std::bad_alloc();
		buffers_[index].reset(p);
		sizes_[index] = size;
	}
	return buffers_[index].get();
}

std::size_t scratch::held() const { return std::accumulate(std::begin(sizes_), std::end(sizes_), std::size_t{0}); }

} // namespace atom::engine
