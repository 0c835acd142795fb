// SPDX-License-Identifier: MIT
// What the threads of the fuzzer know in common: ids that calls have returned, right or not any more.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>

namespace ioctl_fuzz {

using random_source = std::mt19937_64;

/** A number below @p end. */
inline std::uint64_t below(random_source &random, std::uint64_t end) { return random() % end; }
inline bool one_in(random_source &random, unsigned n) { return below(random, n) == 0; }

/** The last values put in, in no order; threads may race as they like. */
class pool {
public:
	void put(random_source &random, std::uint64_t value) { values_[below(random, values_.size())] = value; }
	/** One of the values; now and then a small number, or none that was ever handed out. */
	std::uint64_t get(random_source &random) const
	{
		if (one_in(random, 16))
			return one_in(random, 2) ? below(random, 8) : random();
		return values_[below(random, values_.size())];
	}

private:
	std::array<std::atomic<std::uint64_t>, 24> values_{};
};

/** Ids of one open file, used by all threads that have it. */
struct known {
	pool buffers, spaces, queues, syncobjs, offsets, addresses;
};

} // namespace ioctl_fuzz
