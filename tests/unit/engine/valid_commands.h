/* SPDX-License-Identifier: MIT */
/**
 * @file valid_commands.h
 * @brief Small good commands of every kind, for tests that damage them. They need 16 KiB of memory.
 */
#pragma once

#include "harness.h"

namespace atom::engine::test {

/** Where the commands find indices; the rest of the memory may be anything. */
inline constexpr std::uint64_t indices_at = 12288;
inline constexpr unsigned indices = 128;

/** Indices of i64, and read as i32 too, that are inside most dimensions. */
inline void put_indices(arena &mem)
{
	for (unsigned i = 0; i < indices; ++i)
		mem.at<std::int64_t>(indices_at)[i] = i * 5 % 4;
}

inline std::vector<std::vector<std::byte>> valid_commands()
{
	std::vector<std::vector<std::byte>> all;
	const auto add = [&](const auto &c) {
		const auto b = bytes_of(c);
		all.emplace_back(b.begin(), b.end());
	};
	auto copy = command<atom_cmd_copy>(ATOM_OP_COPY);
	copy.in = dense(ATOM_DTYPE_I16, 0, {3, 4, 5});
	copy.out = dense(ATOM_DTYPE_I16, 4096, {3, 4, 5});
	add(copy);
	auto cast = command<atom_cmd_cast>(ATOM_OP_CAST);
	cast.in = dense_blocks(ATOM_DTYPE_Q4_1, 0, {3, 64});
	cast.out = dense(ATOM_DTYPE_BF16, 4096, {3, 64});
	add(cast);
	cast.in = quantised(dense(ATOM_DTYPE_I8, 0, {3, 64}), 0.5f, 3);
	cast.out = dense(ATOM_DTYPE_I32, 4096, {3, 64});
	add(cast);
	auto unary = command<atom_cmd_unary>(ATOM_OP_UNARY);
	unary.function = ATOM_FN_TANH;
	unary.in = dense(ATOM_DTYPE_F16, 0, {7, 9});
	unary.out = dense(ATOM_DTYPE_F32, 4096, {7, 9});
	add(unary);
	auto binary = command<atom_cmd_binary>(ATOM_OP_BINARY);
	binary.kind = ATOM_BINARY_MOD;
	binary.a = dense(ATOM_DTYPE_I32, 0, {7, 9});
	binary.b = dense(ATOM_DTYPE_I32, 2048, {7, 9});
	binary.out = dense(ATOM_DTYPE_I32, 4096, {7, 9});
	add(binary);
	auto select = command<atom_cmd_select>(ATOM_OP_SELECT);
	select.cond = dense(ATOM_DTYPE_U8, 0, {7, 9});
	select.a = dense(ATOM_DTYPE_I16, 1024, {7, 9});
	select.b = dense(ATOM_DTYPE_I16, 2048, {7, 9});
	select.out = dense(ATOM_DTYPE_I16, 4096, {7, 9});
	add(select);
	auto glu = command<atom_cmd_glu>(ATOM_OP_GLU, ATOM_GLU_SWAPPED);
	glu.function = ATOM_FN_SILU;
	glu.p0 = 1;
	glu.gate = dense(ATOM_DTYPE_F16, 0, {7, 18});
	glu.out = dense(ATOM_DTYPE_F32, 4096, {7, 9});
	add(glu);
	auto pool = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);
	pool.window = {3, 2, 2, 1, 1, 2, 1, 1, 1, 1};
	pool.in = dense(ATOM_DTYPE_F16, 0, {2, 6, 5, 8});
	pool.out = dense(ATOM_DTYPE_F32, 4096, {2, 3, 5, 8});
	pool.index = dense(ATOM_DTYPE_I64, 8192, {2, 3, 5, 8});
	add(pool);
	auto resize = command<atom_cmd_resize2d>(ATOM_OP_RESIZE2D, ATOM_RESIZE_ANTIALIAS | ATOM_RESIZE_EXCLUDE_OUTSIDE);
	resize.mode = ATOM_RESIZE_CUBIC;
	resize.coordinate = ATOM_COORD_CROP_AND_RESIZE;
	resize.cubic_coeff = -0.75f;
	resize.scale_h = 2;
	resize.scale_w = 0.5f;
	resize.roi[0] = -0.5f;
	resize.roi[2] = resize.roi[3] = 1;
	resize.in = dense(ATOM_DTYPE_F16, 0, {2, 5, 8, 3});
	resize.out = dense(ATOM_DTYPE_F32, 4096, {2, 10, 4, 3});
	add(resize);
	auto gemm = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	gemm.alpha = 1;
	gemm.a = quantised(dense(ATOM_DTYPE_U8, 0, {2, 5, 8}), 0.5f, 4);
	gemm.b = quantised(dense(ATOM_DTYPE_I8, 2048, {2, 8, 6}), 0.5f, -4);
	gemm.out = quantised(dense(ATOM_DTYPE_I8, 4096, {2, 5, 6}), 1, 0);
	gemm.epilogue.bias = dense(ATOM_DTYPE_I32, 8192, {2, 5, 6});
	add(gemm);
	gemm.a = dense(ATOM_DTYPE_F32, 0, {5, 64});
	gemm.b = dense_blocks(ATOM_DTYPE_Q4_0, 2048, {6, 64});
	swap_dims(gemm.b, 0, 1);
	gemm.b.quant.axis = 0;
	gemm.out = dense(ATOM_DTYPE_F32, 4096, {5, 6});
	gemm.epilogue.bias = {};
	gemm.header.flags = ATOM_GEMM_ACT_Q8;
	add(gemm);
	auto conv = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	conv.window = {3, 2, 2, 1, 1, 2, 1, 1, 1, 2};
	conv.groups = 2;
	conv.in = dense(ATOM_DTYPE_F16, 0, {1, 5, 4, 4});
	conv.weight = dense(ATOM_DTYPE_BF16, 2048, {6, 3, 2, 2});
	conv.out = dense(ATOM_DTYPE_F32, 4096, {1, 3, 5, 6});
	conv.epilogue.bias = dense(ATOM_DTYPE_F32, 8192, {1, 3, 5, 6});
	add(conv);
	conv.header.flags = ATOM_CONV_WEIGHT_CONSTANT;
	add(conv);
	conv.header.opcode = ATOM_OP_CONVT2D;
	conv.window = {2, 2, 2, 2, 1, 1, 0, 0, 0, 1};
	conv.in = quantised(dense(ATOM_DTYPE_U8, 0, {1, 3, 4, 4}), 0.5f, 4);
	conv.weight = quantised(dense(ATOM_DTYPE_I8, 2048, {4, 2, 2, 3}), 0.25f, -4);
	conv.out = quantised(dense(ATOM_DTYPE_I8, 4096, {1, 6, 7, 6}), 1, 0);
	conv.epilogue.bias = {};
	add(conv);
	auto depthwise = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	depthwise.window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
	depthwise.groups = 8;
	depthwise.in = quantised(dense(ATOM_DTYPE_I8, 0, {2, 4, 5, 8}), 0.5f, -1);
	depthwise.weight = quantised(dense(ATOM_DTYPE_I8, 2048, {8, 3, 3, 1}), 0.5f, 1);
	depthwise.out = dense(ATOM_DTYPE_I32, 4096, {2, 4, 5, 8});
	add(depthwise);
	auto softmax = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX);
	softmax.axis = 3;
	softmax.scale = 0.5f;
	softmax.max_bias = 8;
	softmax.in = dense(ATOM_DTYPE_F32, 0, {2, 3, 4, 5});
	softmax.mask = dense(ATOM_DTYPE_F16, 2048, {2, 3, 4, 5});
	softmax.sinks = dense(ATOM_DTYPE_F32, 3072, {3});
	softmax.out = dense(ATOM_DTYPE_F16, 4096, {2, 3, 4, 5});
	add(softmax);
	softmax = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX, ATOM_SOFTMAX_CAUSAL | ATOM_SOFTMAX_LOG);
	softmax.axis = 1;
	softmax.scale = 1;
	softmax.in = dense(ATOM_DTYPE_F32, 0, {20, 9});
	softmax.out = softmax.in;
	add(softmax);
	softmax.header.flags = 0;
	softmax.axis = 0;
	add(softmax);
	auto norm = command<atom_cmd_norm>(ATOM_OP_NORM);
	norm.axes = 4;
	norm.groups = 2;
	norm.group_axis = 1;
	norm.eps = 1e-5f;
	norm.in = dense(ATOM_DTYPE_F32, 0, {2, 4, 5});
	norm.gamma = dense(ATOM_DTYPE_F16, 1024, {2, 4, 5});
	norm.beta = dense(ATOM_DTYPE_BF16, 2048, {2, 4, 5});
	norm.out = dense(ATOM_DTYPE_BF16, 4096, {2, 4, 5});
	norm.mean = dense(ATOM_DTYPE_F32, 8192, {2, 2, 1});
	norm.inverse = dense(ATOM_DTYPE_F32, 12288, {2, 2, 1});
	add(norm);
	norm = command<atom_cmd_norm>(ATOM_OP_NORM);
	norm.kind = ATOM_NORM_LRN;
	norm.axes = 2;
	norm.lrn_alpha = norm.lrn_beta = norm.lrn_bias = 1;
	norm.lrn_size = 5;
	norm.in = dense(ATOM_DTYPE_F32, 0, {2, 4, 5});
	norm.out = dense(ATOM_DTYPE_F32, 4096, {2, 4, 5});
	add(norm);
	auto reduce = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
	reduce.kind = ATOM_REDUCE_LOG_SUM_EXP;
	reduce.axes = 5;
	reduce.in = dense(ATOM_DTYPE_F32, 0, {2, 9, 5});
	reduce.out = dense(ATOM_DTYPE_F16, 4096, {1, 9, 1});
	add(reduce);
	reduce.header.flags = ATOM_REDUCE_LAST_INDEX;
	reduce.kind = ATOM_REDUCE_ARGMAX;
	reduce.axes = 4;
	reduce.in = dense(ATOM_DTYPE_I16, 0, {2, 9, 5});
	reduce.out = dense(ATOM_DTYPE_I64, 4096, {2, 9, 1});
	add(reduce);
	auto gather = command<atom_cmd_gather>(ATOM_OP_GATHER);
	gather.axis = gather.batch_dims = 1;
	gather.data = dense_blocks(ATOM_DTYPE_Q8_0, 0, {2, 4, 64});
	gather.index = dense(ATOM_DTYPE_I64, indices_at, {2, 5});
	gather.out = dense(ATOM_DTYPE_F16, 4096, {2, 5, 64});
	add(gather);
	gather.mode = ATOM_GATHER_ND;
	gather.axis = 0;
	gather.data = dense(ATOM_DTYPE_I16, 0, {2, 4, 5, 3});
	gather.index = dense(ATOM_DTYPE_I32, indices_at, {2, 7, 2});
	gather.out = dense(ATOM_DTYPE_I16, 4096, {2, 7, 3});
	add(gather);
	auto scatter = command<atom_cmd_scatter>(ATOM_OP_SCATTER, ATOM_INDEX_WRAP_NEGATIVE);
	scatter.axis = 1;
	scatter.updates = dense(ATOM_DTYPE_F32, 0, {2, 7, 9});
	scatter.index = dense(ATOM_DTYPE_I64, indices_at, {7});
	scatter.out = dense(ATOM_DTYPE_BF16, 4096, {2, 5, 9});
	add(scatter);
	scatter.mode = ATOM_GATHER_ELEMENTS;
	scatter.reduction = ATOM_SCATTER_ADD;
	scatter.updates = dense(ATOM_DTYPE_I8, 0, {3, 7});
	scatter.index = dense(ATOM_DTYPE_I32, indices_at, {3, 7});
	scatter.out = dense(ATOM_DTYPE_I8, 4096, {3, 5});
	add(scatter);
	auto rope = command<atom_cmd_rope>(ATOM_OP_ROPE, ATOM_ROPE_INTERLEAVED);
	rope.rotary_dims = 6;
	rope.base = 10000;
	rope.frequency_scale = 0.5f;
	rope.attention = rope.extrapolation = rope.beta_slow = 1;
	rope.beta_fast = 32;
	rope.original_context = 64;
	rope.in = dense(ATOM_DTYPE_F32, 0, {3, 2, 8});
	rope.positions = dense(ATOM_DTYPE_I32, indices_at, {3});
	rope.factors = dense(ATOM_DTYPE_F32, 2048, {3});
	rope.out = dense(ATOM_DTYPE_F16, 4096, {3, 2, 8});
	add(rope);
	rope = command<atom_cmd_rope>(ATOM_OP_ROPE);
	rope.rotary_dims = 8;
	rope.position_axis = 1;
	rope.in = rope.out = dense(ATOM_DTYPE_F32, 0, {2, 3, 8});
	rope.positions = dense(ATOM_DTYPE_I64, indices_at, {3});
	rope.cos = dense(ATOM_DTYPE_BF16, 2048, {5, 4});
	rope.sin = dense(ATOM_DTYPE_BF16, 2560, {5, 4});
	add(rope);
	return all;
}

/** Those whose effect is the model's: the engine only decodes them. */
inline std::vector<std::vector<std::byte>> control_commands()
{
	std::vector<std::vector<std::byte>> all;
	const auto add = [&](const auto &c) {
		const auto b = bytes_of(c);
		all.emplace_back(b.begin(), b.end());
	};
	add(command<atom_cmd_nop>(ATOM_OP_NOP));
	add(command<atom_cmd_fence>(ATOM_OP_FENCE));
	auto timestamp = command<atom_cmd_timestamp>(ATOM_OP_TIMESTAMP);
	timestamp.out.slot = 1;
	timestamp.out.offset = 4096;
	add(timestamp);
	return all;
}

} // namespace atom::engine::test
