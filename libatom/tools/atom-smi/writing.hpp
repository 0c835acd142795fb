// SPDX-License-Identifier: MIT
// The only place where atom-smi changes anything: attributes of a device in sysfs.
#pragma once

#include <string>

#include "npu.hpp"
#include "system_files.hpp"

namespace smi {

/**
 * Writes @p value to the attribute @p file of the device's PCI function.
 * Throws failure: no_permission, usage (the kernel refuses the value), failed.
 */
void write_attribute(const system_files &files, const npu &device, const std::string &file,
                     const std::string &value);

} // namespace smi
