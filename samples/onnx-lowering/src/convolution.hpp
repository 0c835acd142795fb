// SPDX-License-Identifier: MIT
// What Conv, ConvTranspose and the integer convolutions share.
#ifndef ATOM_ONNX_CONVOLUTION_HPP
#define ATOM_ONNX_CONVOLUTION_HPP

#include "fusion.hpp"
#include "window.hpp"

namespace atom_onnx {

/** Geometry of a convolution node. */
struct convolution {
	window over;
	std::int64_t groups;
	shape dims; ///< of the output, [N, O, spatial..]
};

/** Reads and checks the attributes of Conv. @p in, @p weight: ONNX's shapes. */
[[nodiscard]] convolution read_convolution(lowering &n, const shape &in, const shape &weight);

/**
 * A convolution of one or two spatial dimensions. @p in, @p out: [N, C, spatial..], @p weight:
 * [O, C / groups, spatial..]; @p bias: one value a channel.
 */
void emit_convolution(lowering &n, const convolution &c, const view &in, const view &weight,
                      const std::optional<view> &bias, const view &out, const tail &t = {});

/** Whether the device sums their integers and scales the sum; else both are read as reals. */
[[nodiscard]] bool sums_integers(const view &in, const view &weight);

/**
 * The bias as integers that are added to the sums of in and weight, for which sums_integers()
 * holds. Empty: it is no multiple of what the sums stand for.
 */
[[nodiscard]] std::optional<view> integer_bias(lowering &n, const view &in, const view &weight,
                                               const host_tensor &bias);

/** Memory for the output: row-major if it is one of the graph, else channels innermost. */
[[nodiscard]] view allocate_result(lowering &n, value_id result, atom::dtype type,
                                   const shape &dims);

/** [N, C, W] as [N, C, 1, W]; rank 4 as it is. */
[[nodiscard]] view as_image(const view &v);
[[nodiscard]] window as_image(const window &w);
[[nodiscard]] shape spatial_of(const shape &dims);

} // namespace atom_onnx

#endif
