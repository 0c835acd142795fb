// SPDX-License-Identifier: MIT
// What nodes are, as bytes that can be compared.
#pragma once

#include <string>

#include "ggml.h"

namespace ggml_atom {

/** Appends everything of @p node and its operands that decides about its commands, but where they
 * lie. */
void describe(const ggml_tensor *node, std::string &to);

} // namespace ggml_atom
