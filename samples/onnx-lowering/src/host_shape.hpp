// SPDX-License-Identifier: MIT
#ifndef ATOM_ONNX_HOST_SHAPE_HPP
#define ATOM_ONNX_HOST_SHAPE_HPP

#include "lowering.hpp"

namespace atom_onnx {

/**
 * Folds what gives, moves or repeats known elements: Constant, Shape, Gather, Concat, Slice, ..
 * False: the node is none of these, or its inputs are not known.
 */
bool fold_shape(lowering &n);

/** Start, count and step of each dimension that a Slice node cuts. */
struct slice_range {
	unsigned axis;
	std::int64_t start;
	std::int64_t count;
	std::int64_t step;
};
[[nodiscard]] std::vector<slice_range> slice_ranges(const lowering &n);

/** The dimensions that a Reshape node asks for, 0 and -1 resolved. */
[[nodiscard]] shape reshape_dims(const lowering &n);

/** The axes of Squeeze or Unsqueeze, from the attribute or the second input. */
[[nodiscard]] std::vector<std::int64_t> told_axes(const lowering &n);
[[nodiscard]] shape squeezed_dims(const lowering &n);
[[nodiscard]] shape unsqueezed_dims(const lowering &n);

} // namespace atom_onnx

#endif
