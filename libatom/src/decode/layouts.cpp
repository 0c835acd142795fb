// SPDX-License-Identifier: MIT
#include "decode/layouts.hpp"

#include <cstddef>

#include "decode/words.hpp"

namespace atom::decode {
namespace {

// A field of structure T; sizes and offsets come from the contract's header, never from here.
#define ATOM_FIELD(T, member, type)                                                                \
	{                                                                                          \
#member, offsetof(T, member), kind::type                                           \
	}
#define ATOM_ENUM(T, member, type, table)                                                          \
	{                                                                                          \
#member, offsetof(T, member), kind::type, 1, nullptr, table                        \
	}
#define ATOM_BITS(T, member, type, table)                                                          \
	{                                                                                          \
#member, offsetof(T, member), kind::type, 1, nullptr, {}, table                    \
	}
#define ATOM_ARRAY(T, member, type, count)                                                         \
	{                                                                                          \
#member, offsetof(T, member), kind::type, count                                    \
	}
#define ATOM_NESTED(T, member, layout)                                                             \
	{                                                                                          \
#member, offsetof(T, member), kind::nested, 1, &(layout)                           \
	}
#define ATOM_TENSOR(T, member) ATOM_NESTED(T, member, tensor_layout)
#define ATOM_HEADER(T) ATOM_NESTED(T, header, cmd_header_layout)

} // namespace

constexpr field cmdbuf_header_fields[] = {
	ATOM_FIELD(atom_cmdbuf_header, magic, u32),
	ATOM_FIELD(atom_cmdbuf_header, major, u16),
	ATOM_FIELD(atom_cmdbuf_header, minor, u16),
	ATOM_FIELD(atom_cmdbuf_header, bytes, u32),
	ATOM_FIELD(atom_cmdbuf_header, commands, u32),
	ATOM_FIELD(atom_cmdbuf_header, slots, u32),
	ATOM_FIELD(atom_cmdbuf_header, reserved0, u32),
	ATOM_FIELD(atom_cmdbuf_header, reserved1, u64),
};
const structure cmdbuf_header_layout{"header", sizeof(atom_cmdbuf_header), cmdbuf_header_fields};

constexpr field cmd_header_fields[] = {
	ATOM_FIELD(atom_cmd_header, opcode, u16),   ATOM_FIELD(atom_cmd_header, flags, u16),
	ATOM_FIELD(atom_cmd_header, bytes, u32),    ATOM_FIELD(atom_cmd_header, tag, u32),
	ATOM_FIELD(atom_cmd_header, reserved, u32),
};
const structure cmd_header_layout{"command header", sizeof(atom_cmd_header), cmd_header_fields};

constexpr field ref_fields[] = {
	ATOM_FIELD(atom_ref, slot, u16),
	ATOM_FIELD(atom_ref, reserved0, u16),
	ATOM_FIELD(atom_ref, reserved1, u32),
	ATOM_FIELD(atom_ref, offset, u64),
};
const structure ref_layout{"reference", sizeof(atom_ref), ref_fields};

constexpr field quant_fields[] = {
	ATOM_ENUM(atom_quant, kind, u8, quant_kind_table),
	ATOM_FIELD(atom_quant, axis, u8),
	ATOM_FIELD(atom_quant, slot, u16),
	ATOM_FIELD(atom_quant, scale, f32),
	ATOM_FIELD(atom_quant, zero_point, i32),
	ATOM_BITS(atom_quant, flags, u32, quant_flag_table),
	ATOM_FIELD(atom_quant, scale_offset, u64),
	ATOM_FIELD(atom_quant, zero_point_offset, u64),
};
const structure quant_layout{"quantisation", sizeof(atom_quant), quant_fields};

constexpr field tensor_fields[] = {
	ATOM_FIELD(atom_tensor, slot, u16),
	ATOM_ENUM(atom_tensor, dtype, u8, dtype_table),
	ATOM_FIELD(atom_tensor, rank, u8),
	ATOM_FIELD(atom_tensor, flags, u32),
	ATOM_FIELD(atom_tensor, offset, u64),
	ATOM_ARRAY(atom_tensor, dims, u64, ATOM_RANK_MAX),
	ATOM_ARRAY(atom_tensor, strides, i64, ATOM_RANK_MAX),
	ATOM_NESTED(atom_tensor, quant, quant_layout),
};
const structure tensor_layout{"tensor", sizeof(atom_tensor), tensor_fields};

constexpr field epilogue_fields[] = {
	ATOM_ENUM(atom_epilogue, activation, u16, function_table),
	ATOM_FIELD(atom_epilogue, flags, u16),
	ATOM_FIELD(atom_epilogue, reserved, u32),
	ATOM_FIELD(atom_epilogue, p0, f32),
	ATOM_FIELD(atom_epilogue, p1, f32),
	ATOM_NESTED(atom_epilogue, lut, ref_layout),
	ATOM_TENSOR(atom_epilogue, bias),
	ATOM_TENSOR(atom_epilogue, residual),
};
const structure epilogue_layout{"epilogue", sizeof(atom_epilogue), epilogue_fields};

constexpr field window_fields[] = {
	ATOM_FIELD(atom_window, kernel_h, u32),   ATOM_FIELD(atom_window, kernel_w, u32),
	ATOM_FIELD(atom_window, stride_h, u32),   ATOM_FIELD(atom_window, stride_w, u32),
	ATOM_FIELD(atom_window, dilation_h, u32), ATOM_FIELD(atom_window, dilation_w, u32),
	ATOM_FIELD(atom_window, pad_top, u32),    ATOM_FIELD(atom_window, pad_left, u32),
	ATOM_FIELD(atom_window, pad_bottom, u32), ATOM_FIELD(atom_window, pad_right, u32),
};
const structure window_layout{"window", sizeof(atom_window), window_fields};

constexpr field nop_fields[] = {ATOM_HEADER(atom_cmd_nop)};
const structure nop_layout{"NOP", sizeof(atom_cmd_nop), nop_fields};

constexpr field fence_fields[] = {ATOM_HEADER(atom_cmd_fence)};
const structure fence_layout{"FENCE", sizeof(atom_cmd_fence), fence_fields};

constexpr field timestamp_fields[] = {
	ATOM_HEADER(atom_cmd_timestamp),
	ATOM_NESTED(atom_cmd_timestamp, out, ref_layout),
};
const structure timestamp_layout{"TIMESTAMP", sizeof(atom_cmd_timestamp), timestamp_fields};

constexpr field copy_fields[] = {
	ATOM_HEADER(atom_cmd_copy),
	ATOM_FIELD(atom_cmd_copy, fill, u64),
	ATOM_TENSOR(atom_cmd_copy, in),
	ATOM_TENSOR(atom_cmd_copy, out),
};
const structure copy_layout{"COPY", sizeof(atom_cmd_copy), copy_fields};

constexpr field cast_fields[] = {
	ATOM_HEADER(atom_cmd_cast),
	ATOM_ENUM(atom_cmd_cast, rounding, u32, rounding_table),
	ATOM_FIELD(atom_cmd_cast, reserved, u32),
	ATOM_TENSOR(atom_cmd_cast, in),
	ATOM_TENSOR(atom_cmd_cast, out),
};
const structure cast_layout{"CAST", sizeof(atom_cmd_cast), cast_fields};

constexpr field gemm_fields[] = {
	ATOM_HEADER(atom_cmd_gemm),
	ATOM_FIELD(atom_cmd_gemm, alpha, f32),
	ATOM_FIELD(atom_cmd_gemm, reserved, u32),
	ATOM_TENSOR(atom_cmd_gemm, a),
	ATOM_TENSOR(atom_cmd_gemm, b),
	ATOM_TENSOR(atom_cmd_gemm, out),
	ATOM_NESTED(atom_cmd_gemm, epilogue, epilogue_layout),
};
const structure gemm_layout{"GEMM", sizeof(atom_cmd_gemm), gemm_fields};

constexpr field conv_fields[] = {
	ATOM_HEADER(atom_cmd_conv2d),
	ATOM_NESTED(atom_cmd_conv2d, window, window_layout),
	ATOM_FIELD(atom_cmd_conv2d, groups, u32),
	ATOM_FIELD(atom_cmd_conv2d, reserved, u32),
	ATOM_TENSOR(atom_cmd_conv2d, in),
	ATOM_TENSOR(atom_cmd_conv2d, weight),
	ATOM_TENSOR(atom_cmd_conv2d, out),
	ATOM_NESTED(atom_cmd_conv2d, epilogue, epilogue_layout),
};
const structure conv2d_layout{"CONV2D", sizeof(atom_cmd_conv2d), conv_fields};
const structure convt2d_layout{"CONVT2D", sizeof(atom_cmd_conv2d), conv_fields};

constexpr field pool_fields[] = {
	ATOM_HEADER(atom_cmd_pool2d),
	ATOM_NESTED(atom_cmd_pool2d, window, window_layout),
	ATOM_ENUM(atom_cmd_pool2d, kind, u32, pool_table),
	ATOM_FIELD(atom_cmd_pool2d, p, f32),
	ATOM_TENSOR(atom_cmd_pool2d, in),
	ATOM_TENSOR(atom_cmd_pool2d, out),
	ATOM_TENSOR(atom_cmd_pool2d, index),
	ATOM_NESTED(atom_cmd_pool2d, epilogue, epilogue_layout),
};
const structure pool2d_layout{"POOL2D", sizeof(atom_cmd_pool2d), pool_fields};

constexpr field resize_fields[] = {
	ATOM_HEADER(atom_cmd_resize2d),
	ATOM_ENUM(atom_cmd_resize2d, mode, u8, resize_mode_table),
	ATOM_ENUM(atom_cmd_resize2d, coordinate, u8, coordinate_table),
	ATOM_ENUM(atom_cmd_resize2d, nearest, u8, nearest_table),
	ATOM_FIELD(atom_cmd_resize2d, reserved0, u8),
	ATOM_FIELD(atom_cmd_resize2d, scale_h, f32),
	ATOM_FIELD(atom_cmd_resize2d, scale_w, f32),
	ATOM_FIELD(atom_cmd_resize2d, cubic_coeff, f32),
	ATOM_ARRAY(atom_cmd_resize2d, roi, f32, 4),
	ATOM_FIELD(atom_cmd_resize2d, extrapolation, f32),
	ATOM_FIELD(atom_cmd_resize2d, reserved1, u32),
	ATOM_TENSOR(atom_cmd_resize2d, in),
	ATOM_TENSOR(atom_cmd_resize2d, out),
};
const structure resize2d_layout{"RESIZE2D", sizeof(atom_cmd_resize2d), resize_fields};

constexpr field binary_fields[] = {
	ATOM_HEADER(atom_cmd_binary),
	ATOM_ENUM(atom_cmd_binary, kind, u32, binary_table),
	ATOM_FIELD(atom_cmd_binary, reserved, u32),
	ATOM_TENSOR(atom_cmd_binary, a),
	ATOM_TENSOR(atom_cmd_binary, b),
	ATOM_TENSOR(atom_cmd_binary, out),
	ATOM_NESTED(atom_cmd_binary, epilogue, epilogue_layout),
};
const structure binary_layout{"BINARY", sizeof(atom_cmd_binary), binary_fields};

constexpr field unary_fields[] = {
	ATOM_HEADER(atom_cmd_unary),
	ATOM_ENUM(atom_cmd_unary, function, u32, function_table),
	ATOM_FIELD(atom_cmd_unary, p0, f32),
	ATOM_FIELD(atom_cmd_unary, p1, f32),
	ATOM_FIELD(atom_cmd_unary, reserved, u32),
	ATOM_TENSOR(atom_cmd_unary, in),
	ATOM_TENSOR(atom_cmd_unary, out),
};
const structure unary_layout{"UNARY", sizeof(atom_cmd_unary), unary_fields};

constexpr field select_fields[] = {
	ATOM_HEADER(atom_cmd_select),      ATOM_TENSOR(atom_cmd_select, cond),
	ATOM_TENSOR(atom_cmd_select, a),   ATOM_TENSOR(atom_cmd_select, b),
	ATOM_TENSOR(atom_cmd_select, out),
};
const structure select_layout{"SELECT", sizeof(atom_cmd_select), select_fields};

constexpr field glu_fields[] = {
	ATOM_HEADER(atom_cmd_glu),           ATOM_ENUM(atom_cmd_glu, function, u32, function_table),
	ATOM_FIELD(atom_cmd_glu, p0, f32),   ATOM_FIELD(atom_cmd_glu, limit, f32),
	ATOM_FIELD(atom_cmd_glu, bias, f32), ATOM_TENSOR(atom_cmd_glu, gate),
	ATOM_TENSOR(atom_cmd_glu, value),    ATOM_TENSOR(atom_cmd_glu, out),
};
const structure glu_layout{"GLU", sizeof(atom_cmd_glu), glu_fields};

constexpr field reduce_fields[] = {
	ATOM_HEADER(atom_cmd_reduce),
	ATOM_ENUM(atom_cmd_reduce, kind, u32, reduce_table),
	ATOM_BITS(atom_cmd_reduce, axes, u32, axes_table),
	ATOM_TENSOR(atom_cmd_reduce, in),
	ATOM_TENSOR(atom_cmd_reduce, out),
};
const structure reduce_layout{"REDUCE", sizeof(atom_cmd_reduce), reduce_fields};

constexpr field softmax_fields[] = {
	ATOM_HEADER(atom_cmd_softmax),
	ATOM_FIELD(atom_cmd_softmax, axis, u32),
	ATOM_FIELD(atom_cmd_softmax, scale, f32),
	ATOM_FIELD(atom_cmd_softmax, causal_offset, i64),
	ATOM_FIELD(atom_cmd_softmax, max_bias, f32),
	ATOM_FIELD(atom_cmd_softmax, reserved, u32),
	ATOM_TENSOR(atom_cmd_softmax, in),
	ATOM_TENSOR(atom_cmd_softmax, mask),
	ATOM_TENSOR(atom_cmd_softmax, sinks),
	ATOM_TENSOR(atom_cmd_softmax, out),
};
const structure softmax_layout{"SOFTMAX", sizeof(atom_cmd_softmax), softmax_fields};

constexpr field norm_fields[] = {
	ATOM_HEADER(atom_cmd_norm),
	ATOM_ENUM(atom_cmd_norm, kind, u32, norm_table),
	ATOM_BITS(atom_cmd_norm, axes, u32, axes_table),
	ATOM_FIELD(atom_cmd_norm, groups, u32),
	ATOM_FIELD(atom_cmd_norm, group_axis, u32),
	ATOM_FIELD(atom_cmd_norm, eps, f32),
	ATOM_FIELD(atom_cmd_norm, lrn_alpha, f32),
	ATOM_FIELD(atom_cmd_norm, lrn_beta, f32),
	ATOM_FIELD(atom_cmd_norm, lrn_bias, f32),
	ATOM_FIELD(atom_cmd_norm, lrn_size, u32),
	ATOM_FIELD(atom_cmd_norm, reserved, u32),
	ATOM_TENSOR(atom_cmd_norm, in),
	ATOM_TENSOR(atom_cmd_norm, gamma),
	ATOM_TENSOR(atom_cmd_norm, beta),
	ATOM_TENSOR(atom_cmd_norm, out),
	ATOM_TENSOR(atom_cmd_norm, mean),
	ATOM_TENSOR(atom_cmd_norm, inverse),
};
const structure norm_layout{"NORM", sizeof(atom_cmd_norm), norm_fields};

constexpr field rope_fields[] = {
	ATOM_HEADER(atom_cmd_rope),
	ATOM_FIELD(atom_cmd_rope, rotary_dims, u32),
	ATOM_FIELD(atom_cmd_rope, original_context, u32),
	ATOM_FIELD(atom_cmd_rope, base, f32),
	ATOM_FIELD(atom_cmd_rope, frequency_scale, f32),
	ATOM_FIELD(atom_cmd_rope, extrapolation, f32),
	ATOM_FIELD(atom_cmd_rope, attention, f32),
	ATOM_FIELD(atom_cmd_rope, beta_fast, f32),
	ATOM_FIELD(atom_cmd_rope, beta_slow, f32),
	ATOM_TENSOR(atom_cmd_rope, in),
	ATOM_TENSOR(atom_cmd_rope, positions),
	ATOM_TENSOR(atom_cmd_rope, factors),
	ATOM_TENSOR(atom_cmd_rope, cos),
	ATOM_TENSOR(atom_cmd_rope, sin),
	ATOM_TENSOR(atom_cmd_rope, out),
	ATOM_FIELD(atom_cmd_rope, position_axis, u32),
	ATOM_FIELD(atom_cmd_rope, reserved, u32),
};
const structure rope_layout{"ROPE", sizeof(atom_cmd_rope), rope_fields};

constexpr field gather_fields[] = {
	ATOM_HEADER(atom_cmd_gather),
	ATOM_ENUM(atom_cmd_gather, mode, u32, gather_table),
	ATOM_FIELD(atom_cmd_gather, axis, u32),
	ATOM_FIELD(atom_cmd_gather, batch_dims, u32),
	ATOM_FIELD(atom_cmd_gather, reserved, u32),
	ATOM_TENSOR(atom_cmd_gather, data),
	ATOM_TENSOR(atom_cmd_gather, index),
	ATOM_TENSOR(atom_cmd_gather, out),
};
const structure gather_layout{"GATHER", sizeof(atom_cmd_gather), gather_fields};

constexpr field scatter_fields[] = {
	ATOM_HEADER(atom_cmd_scatter),
	ATOM_ENUM(atom_cmd_scatter, mode, u32, gather_table),
	ATOM_FIELD(atom_cmd_scatter, axis, u32),
	ATOM_ENUM(atom_cmd_scatter, reduction, u32, scatter_table),
	ATOM_FIELD(atom_cmd_scatter, batch_dims, u32),
	ATOM_TENSOR(atom_cmd_scatter, updates),
	ATOM_TENSOR(atom_cmd_scatter, index),
	ATOM_TENSOR(atom_cmd_scatter, out),
};
const structure scatter_layout{"SCATTER", sizeof(atom_cmd_scatter), scatter_fields};

constexpr field ring_desc_fields[] = {
	ATOM_ENUM(atom_ring_desc, type, u16, desc_type_table),
	ATOM_BITS(atom_ring_desc, flags, u16, desc_flag_table),
	ATOM_FIELD(atom_ring_desc, cmd_bytes, u32),
	ATOM_FIELD(atom_ring_desc, cmd_va, u64),
	ATOM_FIELD(atom_ring_desc, args_va, u64),
	ATOM_FIELD(atom_ring_desc, arg_count, u32),
	ATOM_FIELD(atom_ring_desc, reserved0, u32),
	ATOM_FIELD(atom_ring_desc, result_va, u64),
	ATOM_FIELD(atom_ring_desc, cookie, u64),
	ATOM_FIELD(atom_ring_desc, seq, u64),
	ATOM_FIELD(atom_ring_desc, reserved1, u64),
};
const structure ring_desc_layout{"descriptor", sizeof(atom_ring_desc), ring_desc_fields};

constexpr field arg_fields[] = {ATOM_FIELD(atom_arg, va, u64), ATOM_FIELD(atom_arg, bytes, u64)};
const structure arg_layout{"argument", sizeof(atom_arg), arg_fields};

constexpr field cpl_header_fields[] = {
	ATOM_FIELD(atom_cpl_header, seqno, u64),
	ATOM_FIELD(atom_cpl_header, generation, u32),
	ATOM_ENUM(atom_cpl_header, state, u32, queue_state_table),
	ATOM_ARRAY(atom_cpl_header, reserved, u64, 6),
};
const structure cpl_header_layout{"completion header", sizeof(atom_cpl_header), cpl_header_fields};

constexpr field cpl_record_fields[] = {
	ATOM_FIELD(atom_cpl_record, seq, u64),
	ATOM_ENUM(atom_cpl_record, status, u16, cpl_status_table),
	ATOM_FIELD(atom_cpl_record, fault_code, u16),
	ATOM_FIELD(atom_cpl_record, fault_command, u32),
	ATOM_FIELD(atom_cpl_record, start_ns, u64),
	ATOM_FIELD(atom_cpl_record, end_ns, u64),
	ATOM_FIELD(atom_cpl_record, modelled_ns, u64),
	ATOM_FIELD(atom_cpl_record, fault_va, u64),
	ATOM_ENUM(atom_cpl_record, fault_where, u16, where_table),
	ATOM_FIELD(atom_cpl_record, fault_opcode, u16),
	ATOM_FIELD(atom_cpl_record, fault_field, u32),
	ATOM_FIELD(atom_cpl_record, cookie, u64),
};
const structure cpl_record_layout{"record", sizeof(atom_cpl_record), cpl_record_fields};

#undef ATOM_FIELD
#undef ATOM_ENUM
#undef ATOM_BITS
#undef ATOM_ARRAY
#undef ATOM_NESTED
#undef ATOM_TENSOR
#undef ATOM_HEADER

namespace {

const command_layout commands[] = {
	{ATOM_OP_NOP, &nop_layout, {}},
	{ATOM_OP_FENCE, &fence_layout, {}},
	{ATOM_OP_TIMESTAMP, &timestamp_layout, {}},
	{ATOM_OP_COPY, &copy_layout, copy_flags},
	{ATOM_OP_CAST, &cast_layout, cast_flags},
	{ATOM_OP_GEMM, &gemm_layout, gemm_flags},
	{ATOM_OP_CONV2D, &conv2d_layout, conv_flags},
	{ATOM_OP_CONVT2D, &convt2d_layout, conv_flags},
	{ATOM_OP_POOL2D, &pool2d_layout, pool_flags},
	{ATOM_OP_RESIZE2D, &resize2d_layout, resize_flags},
	{ATOM_OP_BINARY, &binary_layout, {}},
	{ATOM_OP_UNARY, &unary_layout, {}},
	{ATOM_OP_SELECT, &select_layout, {}},
	{ATOM_OP_GLU, &glu_layout, glu_flags},
	{ATOM_OP_REDUCE, &reduce_layout, reduce_flags},
	{ATOM_OP_SOFTMAX, &softmax_layout, softmax_flags},
	{ATOM_OP_NORM, &norm_layout, {}},
	{ATOM_OP_ROPE, &rope_layout, rope_flags},
	{ATOM_OP_GATHER, &gather_layout, index_flags},
	{ATOM_OP_SCATTER, &scatter_layout, index_flags},
};

} // namespace

std::span<const command_layout> all_commands() { return commands; }

words dtype_words() { return dtype_table; }
words fault_where_words() { return where_table; }

} // namespace atom::decode
