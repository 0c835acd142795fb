// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "api.hpp"
#include "atom_onnx/types.hpp"

namespace atom_ort {

/** ONNX Runtime numbers the types of less than a byte otherwise than ONNX does. */
[[nodiscard]] atom_onnx::element_type element_type_of(ONNXTensorElementDataType type) noexcept;

/** A copy; nothing for elements of no fixed size (strings). */
[[nodiscard]] std::optional<atom_onnx::host_tensor> to_host(const Ort::ConstValue &from);

} // namespace atom_ort
