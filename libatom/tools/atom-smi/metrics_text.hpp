// SPDX-License-Identifier: MIT
// The readings in the text format of Prometheus (exposition format 0.0.4).
#pragma once

#include <string>
#include <vector>

#include "client.hpp"
#include "npu.hpp"

namespace smi {

/** Base units, one family after the other; what is not known is left out. */
std::string metrics_text(const std::vector<npu> &devices);

/** Value of a label: backslash, quote and line end escaped, bytes that are no UTF-8 replaced. */
std::string escape_label(const std::string &value);

} // namespace smi
