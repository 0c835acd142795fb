// SPDX-License-Identifier: MIT
#ifndef ATOM_ONNX_ORDER_HPP
#define ATOM_ONNX_ORDER_HPP

#include "emitter.hpp"

namespace atom_onnx {

/** 0, 1, .. along dimension @p axis of a tensor of @p rank dimensions, the others 1. */
[[nodiscard]] view counted(emitter &e, atom::dtype type, unsigned rank, unsigned axis,
                           std::int64_t count);

} // namespace atom_onnx

#endif
