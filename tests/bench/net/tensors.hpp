// SPDX-License-Identifier: MIT
// Tensors of model files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace onnx {
class GraphProto;
class TensorProto;
} // namespace onnx

namespace bench {

std::size_t count_of(const std::vector<std::int64_t> &dims);

bool is_initialiser(const onnx::GraphProto &graph, const std::string &name);
/** @throws std::runtime_error: there is none of this name */
const onnx::TensorProto &find_initialiser(const onnx::GraphProto &graph, const std::string &name);

std::vector<std::int64_t> integers_of(const onnx::TensorProto &tensor);
std::vector<float> floats_of(const onnx::TensorProto &tensor);

void add_floats(onnx::GraphProto &graph, const std::string &name, const std::vector<std::int64_t> &dims,
                const std::vector<float> &values);
/** @param type of onnx::TensorProto: UINT8, INT8 or INT32 */
void add_integers(onnx::GraphProto &graph, const std::string &name, int type, const std::vector<std::int64_t> &dims,
                  const std::vector<std::int32_t> &values);

} // namespace bench
