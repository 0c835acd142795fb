// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace chat {

/** Takes llama.cpp's log: shows it on standard error, or only keeps the last errors. */
void take_log(bool show);

/** What llama.cpp last complained of, or @p otherwise. */
std::string last_error(const std::string &otherwise);

/** Nothing that was complained of counts any more. */
void forget_errors();

/** All that llama.cpp and its backends complained of since then, the cause first; or @p otherwise. */
std::string all_errors(const std::string &otherwise);

} // namespace chat
