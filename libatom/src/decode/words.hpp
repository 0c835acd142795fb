// SPDX-License-Identifier: MIT
// Words for the values of the programming interface's enums.
#pragma once

#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "decode/layouts.hpp"

namespace atom::decode {

inline constexpr word dtype_table[] = {
	{ATOM_DTYPE_NONE, "none"}, {ATOM_DTYPE_I8, "i8"},     {ATOM_DTYPE_U8, "u8"},
	{ATOM_DTYPE_I16, "i16"},   {ATOM_DTYPE_I32, "i32"},   {ATOM_DTYPE_I64, "i64"},
	{ATOM_DTYPE_F16, "f16"},   {ATOM_DTYPE_BF16, "bf16"}, {ATOM_DTYPE_F32, "f32"},
	{ATOM_DTYPE_Q8_0, "q8_0"}, {ATOM_DTYPE_Q4_0, "q4_0"}, {ATOM_DTYPE_Q4_1, "q4_1"},
};

inline constexpr word quant_kind_table[] = {
	{ATOM_QUANT_NONE, "none"},
	{ATOM_QUANT_PER_TENSOR, "per tensor"},
	{ATOM_QUANT_PER_CHANNEL, "per channel"},
	{ATOM_QUANT_BLOCK, "block"},
};

inline constexpr word quant_flag_table[] = {{ATOM_QUANT_ZERO_POINTS, "zero points"}};

inline constexpr word function_table[] = {
	{ATOM_FN_IDENTITY, "identity"},
	{ATOM_FN_RELU, "relu"},
	{ATOM_FN_CLIP, "clip"},
	{ATOM_FN_LEAKY_RELU, "leaky relu"},
	{ATOM_FN_HARD_SIGMOID, "hard sigmoid"},
	{ATOM_FN_HARD_SWISH, "hard swish"},
	{ATOM_FN_SIGMOID, "sigmoid"},
	{ATOM_FN_TANH, "tanh"},
	{ATOM_FN_GELU_ERF, "gelu erf"},
	{ATOM_FN_GELU_TANH, "gelu tanh"},
	{ATOM_FN_SILU, "silu"},
	{ATOM_FN_LUT, "lut"},
	{ATOM_FN_ELU, "elu"},
	{ATOM_FN_SELU, "selu"},
	{ATOM_FN_CELU, "celu"},
	{ATOM_FN_SOFTPLUS, "softplus"},
	{ATOM_FN_SOFTSIGN, "softsign"},
	{ATOM_FN_MISH, "mish"},
	{ATOM_FN_THRESHOLDED_RELU, "thresholded relu"},
	{ATOM_FN_SHRINK, "shrink"},
	{ATOM_FN_GELU_QUICK, "gelu quick"},
	{ATOM_FN_ABS, "abs"},
	{ATOM_FN_NEG, "neg"},
	{ATOM_FN_SIGN, "sign"},
	{ATOM_FN_EXP, "exp"},
	{ATOM_FN_LOG, "log"},
	{ATOM_FN_SQRT, "sqrt"},
	{ATOM_FN_RSQRT, "rsqrt"},
	{ATOM_FN_RECIPROCAL, "reciprocal"},
	{ATOM_FN_SQUARE, "square"},
	{ATOM_FN_FLOOR, "floor"},
	{ATOM_FN_CEIL, "ceil"},
	{ATOM_FN_ROUND, "round"},
	{ATOM_FN_TRUNC, "trunc"},
	{ATOM_FN_ERF, "erf"},
	{ATOM_FN_EXPM1, "expm1"},
	{ATOM_FN_LOG1P, "log1p"},
	{ATOM_FN_SIN, "sin"},
	{ATOM_FN_COS, "cos"},
	{ATOM_FN_TAN, "tan"},
	{ATOM_FN_ASIN, "asin"},
	{ATOM_FN_ACOS, "acos"},
	{ATOM_FN_ATAN, "atan"},
	{ATOM_FN_SINH, "sinh"},
	{ATOM_FN_COSH, "cosh"},
	{ATOM_FN_ASINH, "asinh"},
	{ATOM_FN_ACOSH, "acosh"},
	{ATOM_FN_ATANH, "atanh"},
	{ATOM_FN_LOGICAL_NOT, "logical not"},
	{ATOM_FN_BITWISE_NOT, "bitwise not"},
	{ATOM_FN_IS_NAN, "is nan"},
	{ATOM_FN_IS_INF, "is inf"},
};

inline constexpr word binary_table[] = {
	{ATOM_BINARY_ADD, "add"},
	{ATOM_BINARY_SUB, "sub"},
	{ATOM_BINARY_MUL, "mul"},
	{ATOM_BINARY_DIV, "div"},
	{ATOM_BINARY_MIN, "min"},
	{ATOM_BINARY_MAX, "max"},
	{ATOM_BINARY_POW, "pow"},
	{ATOM_BINARY_MOD, "mod"},
	{ATOM_BINARY_FMOD, "fmod"},
	{ATOM_BINARY_PRELU, "prelu"},
	{ATOM_BINARY_ATAN2, "atan2"},
	{ATOM_BINARY_EQ, "eq"},
	{ATOM_BINARY_NE, "ne"},
	{ATOM_BINARY_LT, "lt"},
	{ATOM_BINARY_LE, "le"},
	{ATOM_BINARY_GT, "gt"},
	{ATOM_BINARY_GE, "ge"},
	{ATOM_BINARY_LOGICAL_AND, "logical and"},
	{ATOM_BINARY_LOGICAL_OR, "logical or"},
	{ATOM_BINARY_LOGICAL_XOR, "logical xor"},
	{ATOM_BINARY_AND, "and"},
	{ATOM_BINARY_OR, "or"},
	{ATOM_BINARY_XOR, "xor"},
	{ATOM_BINARY_SHL, "shl"},
	{ATOM_BINARY_SHR, "shr"},
};

inline constexpr word rounding_table[] = {
	{ATOM_ROUND_NEAREST_EVEN, "nearest even"},
	{ATOM_ROUND_TOWARD_ZERO, "toward zero"},
};

inline constexpr word pool_table[] = {
	{ATOM_POOL_MAX, "max"}, {ATOM_POOL_AVERAGE, "average"}, {ATOM_POOL_LP, "lp"}};

inline constexpr word resize_mode_table[] = {
	{ATOM_RESIZE_NEAREST, "nearest"},
	{ATOM_RESIZE_LINEAR, "linear"},
	{ATOM_RESIZE_CUBIC, "cubic"},
};

inline constexpr word coordinate_table[] = {
	{ATOM_COORD_HALF_PIXEL, "half pixel"},
	{ATOM_COORD_ASYMMETRIC, "asymmetric"},
	{ATOM_COORD_ALIGN_CORNERS, "align corners"},
	{ATOM_COORD_PYTORCH_HALF_PIXEL, "pytorch half pixel"},
	{ATOM_COORD_HALF_PIXEL_SYMMETRIC, "half pixel symmetric"},
	{ATOM_COORD_CROP_AND_RESIZE, "crop and resize"},
};

inline constexpr word nearest_table[] = {
	{ATOM_NEAREST_ROUND_PREFER_FLOOR, "round prefer floor"},
	{ATOM_NEAREST_ROUND_PREFER_CEIL, "round prefer ceil"},
	{ATOM_NEAREST_FLOOR, "floor"},
	{ATOM_NEAREST_CEIL, "ceil"},
};

inline constexpr word reduce_table[] = {
	{ATOM_REDUCE_SUM, "sum"},
	{ATOM_REDUCE_MEAN, "mean"},
	{ATOM_REDUCE_MAX, "max"},
	{ATOM_REDUCE_MIN, "min"},
	{ATOM_REDUCE_PROD, "prod"},
	{ATOM_REDUCE_ARGMAX, "argmax"},
	{ATOM_REDUCE_ARGMIN, "argmin"},
	{ATOM_REDUCE_L1, "l1"},
	{ATOM_REDUCE_L2, "l2"},
	{ATOM_REDUCE_LOG_SUM, "log sum"},
	{ATOM_REDUCE_LOG_SUM_EXP, "log sum exp"},
	{ATOM_REDUCE_SUM_SQUARE, "sum square"},
};

inline constexpr word norm_table[] = {
	{ATOM_NORM_LAYER, "layer"}, {ATOM_NORM_RMS, "rms"}, {ATOM_NORM_L2, "l2"},
	{ATOM_NORM_L1, "l1"},       {ATOM_NORM_LRN, "lrn"},
};

inline constexpr word gather_table[] = {
	{ATOM_GATHER_ROWS, "rows"}, {ATOM_GATHER_ELEMENTS, "elements"}, {ATOM_GATHER_ND, "nd"}};

inline constexpr word scatter_table[] = {
	{ATOM_SCATTER_ASSIGN, "assign"}, {ATOM_SCATTER_ADD, "add"}, {ATOM_SCATTER_MUL, "mul"},
	{ATOM_SCATTER_MIN, "min"},       {ATOM_SCATTER_MAX, "max"},
};

/** Bits that name dimensions. */
inline constexpr word axes_table[] = {
	{1U << 0, "0"}, {1U << 1, "1"}, {1U << 2, "2"}, {1U << 3, "3"}, {1U << 4, "4"}};

// header.flags of commands
inline constexpr word copy_flags[] = {{ATOM_COPY_FILL, "fill"}};
inline constexpr word cast_flags[] = {{ATOM_CAST_WRAP, "wrap"}};
inline constexpr word gemm_flags[] = {{ATOM_GEMM_ACT_Q8, "act q8"},
                                      {ATOM_GEMM_B_CONSTANT, "b constant"}};
inline constexpr word conv_flags[] = {{ATOM_CONV_WEIGHT_CONSTANT, "weight constant"}};
inline constexpr word pool_flags[] = {{ATOM_POOL_COUNT_PAD, "count pad"}};
inline constexpr word resize_flags[] = {{ATOM_RESIZE_EXCLUDE_OUTSIDE, "exclude outside"},
                                        {ATOM_RESIZE_ANTIALIAS, "antialias"}};
inline constexpr word glu_flags[] = {{ATOM_GLU_SWAPPED, "swapped"}};
inline constexpr word reduce_flags[] = {{ATOM_REDUCE_LAST_INDEX, "last index"}};
inline constexpr word softmax_flags[] = {{ATOM_SOFTMAX_LOG, "log"},
                                         {ATOM_SOFTMAX_CAUSAL, "causal"}};
inline constexpr word rope_flags[] = {{ATOM_ROPE_INTERLEAVED, "interleaved"},
                                      {ATOM_ROPE_INVERSE, "inverse"}};
inline constexpr word index_flags[] = {{ATOM_INDEX_WRAP_NEGATIVE, "wrap negative"}};

inline constexpr word desc_type_table[] = {{ATOM_DESC_NOP, "nop"}, {ATOM_DESC_EXECUTE, "execute"}};
inline constexpr word desc_flag_table[] = {{ATOM_DESC_IRQ, "irq"}};

inline constexpr word queue_state_table[] = {
	{ATOM_QUEUE_NONE, "none"},       {ATOM_QUEUE_IDLE, "idle"},
	{ATOM_QUEUE_RUNNING, "running"}, {ATOM_QUEUE_HUNG, "hung"},
	{ATOM_QUEUE_FAULTED, "faulted"}, {ATOM_QUEUE_RESETTING, "resetting"},
};

inline constexpr word cpl_status_table[] = {
	{ATOM_CPL_NONE, "never written"},
	{ATOM_CPL_OK, "ok"},
	{ATOM_CPL_FAULT, "fault"},
	{ATOM_CPL_ABORTED, "aborted"},
};

inline constexpr word where_table[] = {
	{ATOM_WHERE_NONE, "nowhere"},
	{ATOM_WHERE_RING, "ring"},
	{ATOM_WHERE_DESCRIPTOR, "descriptor"},
	{ATOM_WHERE_ARGS, "argument table"},
	{ATOM_WHERE_HEADER, "header"},
	{ATOM_WHERE_COMMAND, "command"},
	{ATOM_WHERE_DATA, "data"},
};

} // namespace atom::decode
