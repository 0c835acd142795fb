// SPDX-License-Identifier: MIT
// Small models, made here.
#pragma once

#include <string>

namespace models {

/** y = relu(x w) of x [rows, 64], any number of rows; w has 64 x 512 elements. */
std::string multiply();
/** y = relu(x) * sin(x), where the sine is computed in f64. */
std::string with_f64_inside();
/** y = columns of relu(x), from one that is told to one that is told */
std::string columns_as_told();
/** Quantised convolutions as a quantiser writes them: DequantizeLinear and QuantizeLinear around each. */
std::string quantised_convolutions();

/**
 * The model of a file of ONNX's "light" kind, which has the same number everywhere in its weights, with weights
 * that keep the values' size.
 */
std::string with_random_weights(const std::string &file);

} // namespace models
