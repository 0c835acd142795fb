/* SPDX-License-Identifier: MIT */
#include <cstdlib>
#include <new>

#include "engine.h"

namespace atom::engine {

void scratch::aligned_delete::operator()(std::byte *p) const { std::free(p); }

std::byte *scratch::get(std::size_t index, std::size_t bytes)
{
	constexpr std::size_t alignment = 64;
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

} // namespace atom::engine
