// SPDX-License-Identifier: MIT
// The server of atom-smi metrics --listen.
#pragma once

#include <functional>
#include <string>

namespace smi {

/**
 * Serves /metrics over HTTP until the process ends; one call of @p text for each request, one at a
 * time. @p where is "PORT" or "ADDRESS:PORT", with an address of this machine alone.
 */
[[noreturn]] void serve_metrics(const std::string &where, const std::function<std::string()> &text);

} // namespace smi
