// SPDX-License-Identifier: MIT
// ResNet-50 with random weights, as model files: what is measured is the topology that ONNX's light models carry.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace onnx {
class ModelProto;
} // namespace onnx

namespace bench {

/**
 * Reads light_resnet50.onnx and replaces its constants: weights keep the variance of what passes through them, norms are near
 * to the identity. All constants are initialisers, the opset is 13.
 */
onnx::ModelProto read_resnet50(const std::string &file);

/** The same function with each BatchNormalization folded into the Conv before it. */
onnx::ModelProto fold_norms(const onnx::ModelProto &model);

/** The least and the largest element of each value of a network that was seen. */
using value_ranges = std::map<std::string, std::pair<float, float>>;

/** All float values that nodes of @p model write, for calibration: the model with all of them as outputs. */
onnx::ModelProto with_all_outputs(const onnx::ModelProto &model);

/**
 * QDQ form of a network without norms: u8 activations, i8 weights with a scale for each output channel, i32 bias. What follows
 * the last matrix product stays float.
 */
onnx::ModelProto quantise(const onnx::ModelProto &model, const value_ranges &ranges);

} // namespace bench
