// SPDX-License-Identifier: MIT
/**
 * @file log.hpp
 * @brief What the library tells beyond the results of calls, to whom a program names.
 */
#ifndef ATOM_LOG_HPP
#define ATOM_LOG_HPP

#include <cstdint>
#include <functional>
#include <string_view>

namespace atom {
inline namespace v1 {

/** How much a sentence matters. */
enum class log_level : std::uint8_t {
	error = 1,   ///< work is lost: a queue takes no more jobs, a device is gone
	warning = 2, ///< a reset that another queue caused took jobs
	info = 3, ///< the sentence of a call that failed and gave its caller only a std::error_code
	debug = 4, ///< contexts, queues and buffers that are made, queues that end
};

/**
 * Takes a sentence, without a line's end, which is valid during the call only.
 *
 * It runs on the thread whose call of the library had something to tell, before that call returns,
 * and on several threads at once if several call. It may call anything of the library, which holds
 * no lock meanwhile. What the library would tell of these calls is dropped, but for what becomes of
 * queues, which the next call that is not the sink's tells. An exception that leaves it is caught
 * and forgotten: the call goes on as if there were no sink.
 */
using log_sink = std::function<void(log_level level, std::string_view text)>;

} // namespace v1
} // namespace atom

#endif
