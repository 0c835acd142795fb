// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace found {

/**
 * What packaging/host/@p command prints: a folder with models or data, fetched once and kept. Empty if it
 * cannot be fetched; the command has then said why.
 */
std::string folder_of(const std::string &command);

} // namespace found
