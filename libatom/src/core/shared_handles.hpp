// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "kmd/kmd.hpp"

namespace atom::core {

/**
 * Handles of buffers that can be shared. The kernel gives a file the same handle each time that it
 * imports the same buffer, and forgets it at the first close: so this counts. Thread-safe.
 */
class shared_handles {
public:
	/** One more user of a handle that was created here. */
	void add(std::uint32_t handle);
	/** One more user of the dma-buf's handle. Returns an errno value. */
	int import(const kmd::node &node, int dmabuf, std::uint32_t &handle);
	/** One user less; closes it after the last. */
	void close(const kmd::node &node, std::uint32_t handle);

private:
	std::mutex mutex_; // protects users_, and the kernel's table from changing between the two
	std::map<std::uint32_t, unsigned> users_;
};

} // namespace atom::core
