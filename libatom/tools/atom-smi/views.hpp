// SPDX-License-Identifier: MIT
// The two tables that status, ps and top have in common.
#pragma once

#include <string>
#include <vector>

#include "client.hpp"
#include "npu.hpp"

namespace smi {

std::string device_table(const std::vector<npu> &devices);
std::string client_table(const std::vector<npu> &devices, const std::vector<client> &clients);

/** "throttled (thermal)": what to say about a device's state in a table. */
std::string state_text(const npu &device);

} // namespace smi
