// SPDX-License-Identifier: MIT
#ifndef ATOM_ONNX_ACTIVATION_HPP
#define ATOM_ONNX_ACTIVATION_HPP

#include <optional>

#include "lowering.hpp"

namespace atom_onnx {

struct activation {
	atom::function fn;
	float p0 = 0;
	float p1 = 0;
};

/** The function of a node that is one of its first input alone and fits an epilogue. */
[[nodiscard]] std::optional<activation> activation_of(const lowering &n);

} // namespace atom_onnx

#endif
