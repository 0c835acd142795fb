// SPDX-License-Identifier: MIT
#ifndef ATOM_ONNX_PLAN_DATA_HPP
#define ATOM_ONNX_PLAN_DATA_HPP

#include "atom_onnx/lower.hpp"
#include "memory_plan.hpp"
#include "recorder.hpp"

namespace atom_onnx::detail {

/** What lower() makes and program reads. */
struct plan_data {
	std::vector<argument> inputs;
	std::vector<argument> outputs;
	std::vector<storage> storages;
	std::vector<command> commands;
	memory_plan memory;
};

} // namespace atom_onnx::detail

#endif
