// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "atom/device.hpp"

namespace samples {

/**
 * The first NPU. Frameworks only list those that can be used; libatom knows why one cannot.
 * @throws failure no_device, permission
 */
atom::device open_npu();

/** "NPU /dev/accel/accel0 (emulator)" */
std::string describe(const atom::device &npu);

} // namespace samples
