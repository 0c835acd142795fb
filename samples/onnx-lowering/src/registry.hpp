// SPDX-License-Identifier: MIT
// The table of operators. Each family of src/ops has one list; registry.cpp joins them.
#ifndef ATOM_ONNX_REGISTRY_HPP
#define ATOM_ONNX_REGISTRY_HPP

#include <string_view>
#include <vector>

#include "lowering.hpp"

namespace atom_onnx {

using lower_function = void (*)(lowering &);

struct operator_entry {
	std::string_view op_type;
	lower_function lower;
	std::string_view domain = "";
};

using operator_list = std::vector<operator_entry>;

/** Lowers one node. @throws unsupported */
void lower_node(lowering &n);

/** Computes a node on the host if its inputs are known and it is small. False: it was not. */
bool fold_on_host(lowering &n);

// Families, one file each.
operator_list elementwise_operators();
operator_list activation_operators();
operator_list convolution_operators();
operator_list pool_operators();
operator_list matrix_operators();
operator_list norm_operators();
operator_list reduce_operators();
operator_list shape_operators();
operator_list movement_operators();
operator_list index_operators();
operator_list order_operators();
operator_list loss_operators();
operator_list quantise_operators();
operator_list convolution_transpose_operators();
operator_list resize_operators();
operator_list attention_operators();
operator_list integer_operators();
operator_list recurrent_operators();
operator_list einsum_operators();
operator_list signal_operators();
operator_list sampling_operators();
operator_list image_operators();
operator_list classic_operators();

} // namespace atom_onnx

#endif
