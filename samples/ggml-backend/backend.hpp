// SPDX-License-Identifier: MIT
#pragma once

#include "ggml-backend-impl.h"
#include "npu.hpp"

namespace ggml_atom {

/** A stream of graphs on @p on, as ggml knows it; nullptr with a message in the log on failure. */
ggml_backend_t make_backend(ggml_backend_dev_t device, npu &on);

} // namespace ggml_atom
