// SPDX-License-Identifier: MIT
/**
 * @file import.hpp
 * @brief Reading ONNX files. Nothing in a file is trusted.
 */
#ifndef ATOM_ONNX_IMPORT_IMPORT_HPP
#define ATOM_ONNX_IMPORT_IMPORT_HPP

#include <filesystem>
#include <string_view>

#include "atom_onnx/graph.hpp"

namespace atom_onnx {

/**
 * Reads a model (.onnx). Initialisers become constants; dimensions that are symbols are -1.
 * @throws unsupported invalid_model; also for weights outside of the file
 */
[[nodiscard]] graph read_model(const std::filesystem::path &file);

/** The same of what stands in a file. */
[[nodiscard]] graph parse_model(std::string_view bytes);

/**
 * Reads one tensor (.pb).
 * @throws unsupported invalid_model, or what says that it is no tensor of numbers
 */
[[nodiscard]] host_tensor read_tensor(const std::filesystem::path &file);

} // namespace atom_onnx

#endif
