// SPDX-License-Identifier: MIT
// Where storages lie and where barriers stand.
#ifndef ATOM_ONNX_MEMORY_PLAN_HPP
#define ATOM_ONNX_MEMORY_PLAN_HPP

#include <cstdint>
#include <vector>

#include "recorder.hpp"

namespace atom_onnx {

struct memory_plan {
	std::vector<std::int64_t> offsets; ///< of each storage in its memory
	std::int64_t scratch_bytes = 0;
	std::int64_t constant_bytes = 0;
	std::vector<bool> barrier_before; ///< of each command
};

/** Scratch storages share memory if no command lies in the lives of both. */
[[nodiscard]] memory_plan plan_memory(const std::vector<storage> &storages,
                                      const std::vector<command> &commands);

} // namespace atom_onnx

#endif
