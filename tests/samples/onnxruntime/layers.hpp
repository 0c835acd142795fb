// SPDX-License-Identifier: MIT
// A small model of which everything is known: matrix products of any number of rows.
#pragma once

#include <vector>

#include "harness.hpp"
#include "model_file.hpp"

namespace ort_test {

/**
 * out[rows, width] = relu(...relu(in[rows, width] * weights) ...), @p depth times. Other weights
 * for another @p seed.
 */
onnx::ModelProto layers(int depth, int width, unsigned seed = 0);

/** Rows of @p width for it, that differ by @p seed. */
Ort::Value rows_of(std::int64_t rows, int width, unsigned seed);

Ort::Value run_layers(Ort::Session &session, const Ort::Value &rows);

} // namespace ort_test
