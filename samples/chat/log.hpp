// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace chat {

/** Takes llama.cpp's log: shows it on standard error, or only keeps the last error. */
void take_log(bool show);

/** What llama.cpp last complained of, or @p otherwise. */
std::string last_error(const std::string &otherwise);

} // namespace chat
