// SPDX-License-Identifier: MIT
// The distinct convolutions of ResNet-50 (stride in the 3 x 3, as it is trained today), one image.
#pragma once

namespace bench {

struct conv_layer {
	const char *name; ///< size of the image, channels in and out, kernel and stride
	int size, in, out, kernel, stride;

	int pad() const { return kernel / 2; }
	int out_size() const { return (size + 2 * pad() - kernel) / stride + 1; }
	double operations() const { return 2.0 * out_size() * out_size() * out * kernel * kernel * in; }
};

inline constexpr conv_layer resnet50[] = {
	{"224-3-64-k7s2", 224, 3, 64, 7, 2},
	{"56-64-64-k1", 56, 64, 64, 1, 1},
	{"56-64-64-k3", 56, 64, 64, 3, 1},
	{"56-64-256-k1", 56, 64, 256, 1, 1},
	{"56-256-64-k1", 56, 256, 64, 1, 1},
	{"56-256-128-k1", 56, 256, 128, 1, 1},
	{"56-128-128-k3s2", 56, 128, 128, 3, 2},
	{"28-128-512-k1", 28, 128, 512, 1, 1},
	{"56-256-512-k1s2", 56, 256, 512, 1, 2},
	{"28-512-128-k1", 28, 512, 128, 1, 1},
	{"28-128-128-k3", 28, 128, 128, 3, 1},
	{"28-512-256-k1", 28, 512, 256, 1, 1},
	{"28-256-256-k3s2", 28, 256, 256, 3, 2},
	{"14-256-1024-k1", 14, 256, 1024, 1, 1},
	{"28-512-1024-k1s2", 28, 512, 1024, 1, 2},
	{"14-1024-256-k1", 14, 1024, 256, 1, 1},
	{"14-256-256-k3", 14, 256, 256, 3, 1},
	{"14-1024-512-k1", 14, 1024, 512, 1, 1},
	{"14-512-512-k3s2", 14, 512, 512, 3, 2},
	{"7-512-2048-k1", 7, 512, 2048, 1, 1},
	{"14-1024-2048-k1s2", 14, 1024, 2048, 1, 2},
	{"7-2048-512-k1", 7, 2048, 512, 1, 1},
	{"7-512-512-k3", 7, 512, 512, 3, 1},
};

} // namespace bench
