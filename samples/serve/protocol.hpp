// SPDX-License-Identifier: MIT
// What goes over the socket: a head, then floats, in both directions, as the machine has them (it is a unix socket).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace serve {

inline constexpr std::uint32_t magic = 0x4d4f5441; // "ATOM"

/** Elements of a request and of its answer. */
inline constexpr std::size_t input_size = 256;
inline constexpr std::size_t output_size = 64;

using input = std::array<float, input_size>;
using output = std::array<float, output_size>;

enum class verdict : std::uint32_t {
	request = 0,     ///< of the client
	good = 1,        ///< the scores follow
	malformed = 2,   ///< the head or the input is nonsense; the server hangs up
	failed = 3,      ///< the job with it failed; ask again
	unavailable = 4, ///< there is no device now; ask again later
};

struct head {
	std::uint32_t magic = serve::magic;
	verdict what = verdict::request;
	std::uint32_t id = 0;    ///< of the client, returned
	std::uint32_t bytes = 0; ///< that follow
};

static_assert(sizeof(head) == 16);

} // namespace serve
