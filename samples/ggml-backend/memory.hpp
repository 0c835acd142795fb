// SPDX-License-Identifier: MIT
#pragma once

#include "ggml-backend-impl.h"
#include "npu.hpp"

namespace ggml_atom {

/** Memory of the device, as ggml's buffers know it. Addresses in it are those of the device. */
struct memory {
	atom::buffer buffer;
	atom::mapping bytes;
};

/** What @p t lies in; it must be a buffer of this backend. */
const memory &memory_of(const ggml_tensor *t);
/** Bytes from the start of that. */
std::uint64_t offset_of(const ggml_tensor *t);

/** The interface of the buffer type of @p device, whose context is an npu. */
ggml_backend_buffer_type buffer_type_of(ggml_backend_dev_t device, npu &on);

} // namespace ggml_atom
