// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "atom_onnx/graph.hpp"

namespace atom_ort {

/** Changes with every change of the form; only the same is read. */
inline constexpr std::uint32_t compiled_form_version = 1;

/**
 * A part as bytes: its nodes as ONNX Runtime left them after all that it optimises, its weights, what goes
 * in and out; with a checksum. Commands are not in it: they depend on the shapes of the inputs and on the device.
 */
[[nodiscard]] std::string to_bytes(const atom_onnx::graph &g);

/** @throws atom_onnx::unsupported (invalid_model) if these bytes are not what to_bytes() made */
[[nodiscard]] atom_onnx::graph from_bytes(std::string_view bytes);

} // namespace atom_ort
