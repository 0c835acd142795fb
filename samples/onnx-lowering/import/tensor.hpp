// SPDX-License-Identifier: MIT
#ifndef ATOM_ONNX_IMPORT_TENSOR_HPP
#define ATOM_ONNX_IMPORT_TENSOR_HPP

#include "atom_onnx/graph.hpp"

namespace onnx {
class TensorProto;
}

namespace atom_onnx {

[[nodiscard]] host_tensor to_tensor(const onnx::TensorProto &from);

} // namespace atom_onnx

#endif
