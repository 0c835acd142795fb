// SPDX-License-Identifier: MIT
// The depthwise convolutions of EfficientNet-lite0, one image: each channel has a kernel of its own.
#pragma once

#include "conv_layer.hpp"

namespace bench {

inline constexpr conv_layer efficientnet[] = {
	{"112-32-k3d", 112, 32, 32, 3, 1, 32},         {"112-96-k3s2d", 112, 96, 96, 3, 2, 96},
	{"56-144-k3d", 56, 144, 144, 3, 1, 144},       {"56-144-k5s2d", 56, 144, 144, 5, 2, 144},
	{"28-240-k5d", 28, 240, 240, 5, 1, 240},       {"28-240-k3s2d", 28, 240, 240, 3, 2, 240},
	{"14-480-k3d", 14, 480, 480, 3, 1, 480},       {"14-480-k5d", 14, 480, 480, 5, 1, 480},
	{"14-672-k5d", 14, 672, 672, 5, 1, 672},       {"14-672-k5s2d", 14, 672, 672, 5, 2, 672},
	{"7-1152-k5d", 7, 1152, 1152, 5, 1, 1152},     {"7-1152-k3d", 7, 1152, 1152, 3, 1, 1152},
};

} // namespace bench
