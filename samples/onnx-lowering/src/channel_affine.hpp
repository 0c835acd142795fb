// SPDX-License-Identifier: MIT
// Nodes that are y = x * factor + summand with known numbers for each channel: they are
// folded into the weights of a convolution before them, or become one command.
#ifndef ATOM_ONNX_CHANNEL_AFFINE_HPP
#define ATOM_ONNX_CHANNEL_AFFINE_HPP

#include <optional>
#include <vector>

#include "lowering.hpp"

namespace atom_onnx {

struct channel_affine {
	std::vector<double> factor;
	std::vector<double> summand;
};

/**
 * What a BatchNormalization, Mul or Add node does to its input @p value of @p rank dimensions,
 * the second of which has @p channels. Empty: something else, or numbers that are not known.
 */
[[nodiscard]] std::optional<channel_affine> affine_of(const lowering &n, value_id value,
                                                      std::size_t rank, std::size_t channels);

/**
 * What the nodes that read @p value do to its channels, all in one; they are marked as done, and
 * @p value becomes the result of the last. Empty: there are none.
 */
[[nodiscard]] std::optional<channel_affine> take_affine(lowering &n, value_id &value,
                                                        std::size_t rank, std::int64_t channels);

} // namespace atom_onnx

#endif
