// SPDX-License-Identifier: MIT
#pragma once

namespace bench {

/** A square convolution with as many pads as its kernel wants. */
struct conv_layer {
	const char *name; ///< size of the image, channels in and out, kernel and stride
	int size, in, out, kernel, stride;
	int groups = 1;

	int pad() const { return kernel / 2; }
	int out_size() const { return (size + 2 * pad() - kernel) / stride + 1; }
	int terms() const { return kernel * kernel * (in / groups); }
	double operations() const { return 2.0 * out_size() * out_size() * out * terms(); }
};

} // namespace bench
