// SPDX-License-Identifier: MIT
// Attributes that convolutions and pools share, for any number of spatial dimensions.
#ifndef ATOM_ONNX_WINDOW_HPP
#define ATOM_ONNX_WINDOW_HPP

#include "lowering.hpp"

namespace atom_onnx {

struct window {
	shape kernel;
	shape strides;
	shape dilations;
	shape before; ///< padding
	shape after;

	[[nodiscard]] unsigned spatial() const { return static_cast<unsigned>(kernel.size()); }
	/** Elements that the kernel spans. */
	[[nodiscard]] std::int64_t span(unsigned d) const
	{
		return dilations[d] * (kernel[d] - 1) + 1;
	}
};

/** Reads strides, dilations, pads and auto_pad; checks them. @p in: spatial dimensions. */
[[nodiscard]] window read_window(const lowering &n, const shape &kernel, const shape &in);

/** Output dimensions of a convolution or a pool. */
[[nodiscard]] shape window_output(const lowering &n, const window &w, const shape &in,
                                  bool ceil_mode);

/** Dimensions @p h and @p w of the window for the device. */
[[nodiscard]] atom::window2d to_window2d(const window &w, unsigned first);

/** [N, C, H, W] as [N, H, W, C] and back, for rank 4. */
[[nodiscard]] view to_nhwc(const view &v);
[[nodiscard]] view to_nchw(const view &v);
/** Memory of an image that is told as [N, C, spatial..] and lies with the channels innermost. */
[[nodiscard]] view allocate_image(emitter &e, atom::dtype type, const shape &dims);

} // namespace atom_onnx

#endif
