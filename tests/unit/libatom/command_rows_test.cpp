// SPDX-License-Identifier: MIT
#include <limits>

#include "command_fixture.hpp"

namespace atom::test {
namespace {

class a_command_of_rows : public a_command {};

TEST_F(a_command_of_rows, reduce_is_encoded_as_the_contract_says)
{
	const auto e = built<atom_cmd_reduce>([](command_builder &b) {
		b.reduce(reduce_kind::mean, f32(1, {2, 3, 4, 5}), f32(2, {2, 1, 4, 1}), {1, 3});
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_REDUCE);
	EXPECT_EQ(e.header.flags, 0U);
	EXPECT_EQ(e.kind, ATOM_REDUCE_MEAN);
	EXPECT_EQ(e.axes, 10U);
	const auto arg = built<atom_cmd_reduce>([](command_builder &b) {
		b.reduce(reduce_kind::argmax, f32(1, {2, 3}), tensor(slot(2), dtype::i64, {2, 1}),
		         {1}, {true});
	});
	EXPECT_EQ(arg.header.flags, ATOM_REDUCE_LAST_INDEX);
	EXPECT_EQ(arg.kind, ATOM_REDUCE_ARGMAX);
}

TEST_F(a_command_of_rows, reduce_over_impossible_dimensions_is_refused)
{
	const auto refused = [&](reduce_kind kind, const tensor &out, axis_set axes,
	                         reduce_options o = {}) {
		return refusal([&](command_builder &b) {
			b.reduce(kind, f32(1, {2, 3}), out, axes, o);
		});
	};
	const tensor index(slot(2), dtype::i32, {2, 1});
	EXPECT_EQ(refused(reduce_kind::sum, f32(2, {2, 3}), {}),
	          "reduce (command 1): it names no dimension");
	EXPECT_EQ(refused(reduce_kind::sum, f32(2, {2, 1}), {2}),
	          "reduce (command 1): it names a dimension that in does not have");
	refused(reduce_kind::sum, f32(2, {2, 1}), {77});
	EXPECT_EQ(refused(reduce_kind::sum, f32(2, {2}), {1}),
	          "reduce (command 1): out has dimensions [2]; needed: [2, 1]");
	refused(reduce_kind::argmin, tensor(slot(2), dtype::i32, {1, 1}), {0, 1});
	refused(reduce_kind::argmin, f32(2, {2, 1}), {1});
	refused(reduce_kind::sum, f32(2, {2, 1}), {1}, {true});
	EXPECT_NO_THROW(
		command_builder(ctx).reduce(reduce_kind::argmin, f32(1, {2, 3}), index, {1}));
}

TEST_F(a_command_of_rows, softmax_is_encoded_as_the_contract_says)
{
	softmax_options o;
	o.scale = 0.125F;
	o.max_bias = 8;
	o.causal = true;
	o.causal_offset = -2;
	o.mask = tensor(slot(2), dtype::f16, {1, 6, 8}).broadcast(0, 4);
	o.sinks = f32(3, {4});
	const auto e = built<atom_cmd_softmax>([&](command_builder &b) {
		b.softmax(f32(1, {4, 6, 8}), f32(4, {4, 6, 8}), 2, o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_SOFTMAX);
	EXPECT_EQ(e.header.flags, ATOM_SOFTMAX_CAUSAL);
	EXPECT_EQ(e.axis, 2U);
	EXPECT_EQ(e.scale, 0.125F);
	EXPECT_EQ(static_cast<std::int64_t>(e.causal_offset), -2);
	EXPECT_EQ(e.max_bias, 8.0F);
	EXPECT_EQ(e.mask.slot, 2U);
	EXPECT_EQ(e.sinks.slot, 3U);
	EXPECT_EQ(e.out.slot, 4U);
	o = {};
	o.log = true;
	const auto plain = built<atom_cmd_softmax>([&](command_builder &b) {
		b.softmax(f32(1, {4, 6}), f32(2, {4, 6}), 0, o);
	});
	EXPECT_EQ(plain.header.flags, ATOM_SOFTMAX_LOG);
	EXPECT_EQ(plain.mask.dtype, ATOM_DTYPE_NONE);
	EXPECT_EQ(plain.sinks.dtype, ATOM_DTYPE_NONE);
}

TEST_F(a_command_of_rows, softmax_with_parameters_that_do_not_fit_is_refused)
{
	softmax_options o;
	const auto refused = [&](unsigned axis = 2) {
		refusal([&](command_builder &b) {
			b.softmax(f32(1, {4, 6, 8}), f32(4, {4, 6, 8}), axis, o);
		});
		o = {};
	};
	refused(3);
	o.scale = std::numeric_limits<float>::infinity();
	refused();
	o.causal = true;
	refused(0);
	o.causal_offset = 1;
	refused();
	o.max_bias = 1;
	refused();
	o.mask = f32(2, {6, 8});
	refused();
	o.mask = tensor(slot(2), dtype::i32, {4, 6, 8});
	refused();
	o.sinks = f32(3, {6});
	refused();
	o.sinks = tensor(slot(3), dtype::f16, {4});
	refused();
	refusal([&](command_builder &b) { b.softmax(f32(1, {4, 6}), f32(2, {6, 4}), 1); });
	o.sinks = f32(3, {4});
	refusal([&](command_builder &b) { b.softmax(f32(1, {4, 6}), f32(2, {4, 6}), 1, o); });
}

TEST_F(a_command_of_rows, norm_is_encoded_as_the_contract_says)
{
	norm_options o;
	o.eps = 1e-5F;
	o.gamma = f32(2, {8}).broadcast_to({4, 8});
	o.beta = f32(3, {8}).broadcast_to({4, 8});
	o.mean = f32(5, {4, 1});
	o.inverse = f32(6, {4, 1});
	const auto e = built<atom_cmd_norm>([&](command_builder &b) {
		b.norm(norm_kind::layer, f32(1, {4, 8}), f32(4, {4, 8}), {1}, o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_NORM);
	EXPECT_EQ(e.kind, ATOM_NORM_LAYER);
	EXPECT_EQ(e.axes, 2U);
	EXPECT_EQ(e.groups, 0U);
	EXPECT_EQ(e.eps, 1e-5F);
	EXPECT_EQ(e.gamma.slot, 2U);
	EXPECT_EQ(e.beta.slot, 3U);
	EXPECT_EQ(e.out.slot, 4U);
	EXPECT_EQ(e.mean.slot, 5U);
	EXPECT_EQ(e.inverse.slot, 6U);
}

TEST_F(a_command_of_rows, norm_of_groups_and_of_a_window_is_encoded_as_the_contract_says)
{
	norm_options o;
	o.groups = 4;
	o.group_axis = 3;
	const auto groups = built<atom_cmd_norm>([&](command_builder &b) {
		b.norm(norm_kind::layer, f32(1, {1, 3, 3, 8}), f32(2, {1, 3, 3, 8}), {1, 2}, o);
	});
	EXPECT_EQ(groups.groups, 4U);
	EXPECT_EQ(groups.group_axis, 3U);
	o = {};
	o.lrn = {0.25F, 0.75F, 2, 5};
	const auto window = built<atom_cmd_norm>([&](command_builder &b) {
		b.norm(norm_kind::lrn, f32(1, {1, 3, 3, 8}), f32(2, {1, 3, 3, 8}), {3}, o);
	});
	EXPECT_EQ(window.kind, ATOM_NORM_LRN);
	EXPECT_EQ(window.axes, 8U);
	EXPECT_EQ(window.lrn_alpha, 0.25F);
	EXPECT_EQ(window.lrn_beta, 0.75F);
	EXPECT_EQ(window.lrn_bias, 2.0F);
	EXPECT_EQ(window.lrn_size, 5U);
}

TEST_F(a_command_of_rows, norm_with_parameters_that_do_not_fit_is_refused)
{
	norm_options o;
	const auto refused = [&](norm_kind kind, axis_set axes) {
		refusal([&](command_builder &b) {
			b.norm(kind, f32(1, {4, 8}), f32(2, {4, 8}), axes, o);
		});
		o = {};
	};
	refused(norm_kind::rms, {});
	refused(norm_kind::rms, {2});
	o.eps = -1;
	refused(norm_kind::rms, {1});
	o.gamma = f32(3, {8});
	refused(norm_kind::rms, {1});
	o.beta = f32(3, {4, 1});
	refused(norm_kind::layer, {1});
	o.mean = f32(3, {1, 8});
	refused(norm_kind::layer, {1});
	o.inverse = tensor(slot(3), dtype::f16, {4, 1});
	refused(norm_kind::layer, {1});
	o.groups = 3;
	o.group_axis = 1;
	refused(norm_kind::layer, {0});
	o.groups = 1;
	o.group_axis = 2;
	refused(norm_kind::layer, {0});
	o.lrn.size = 3;
	refused(norm_kind::layer, {1});
	refused(norm_kind::lrn, {1});
	o.lrn.size = 3;
	refused(norm_kind::lrn, {0, 1});
}

TEST_F(a_command_of_rows, rope_is_encoded_as_the_contract_says)
{
	rope_options o;
	o.rotary_dims = 4;
	o.interleaved = true;
	o.inverse = true;
	o.position_axis = 1;
	o.base = 500000;
	o.frequency_scale = 0.25F;
	o.attention = 1.5F;
	o.yarn = {4096, 1, 32, 1};
	o.positions = tensor(slot(2), dtype::i32, {6});
	o.factors = f32(3, {2});
	const auto e = built<atom_cmd_rope>([&](command_builder &b) {
		b.rope(f32(1, {2, 6, 4, 8}), f32(4, {2, 6, 4, 8}), o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_ROPE);
	EXPECT_EQ(e.header.flags, ATOM_ROPE_INTERLEAVED | ATOM_ROPE_INVERSE);
	EXPECT_EQ(e.rotary_dims, 4U);
	EXPECT_EQ(e.original_context, 4096U);
	EXPECT_EQ(e.base, 500000.0F);
	EXPECT_EQ(e.frequency_scale, 0.25F);
	EXPECT_EQ(e.extrapolation, 1.0F);
	EXPECT_EQ(e.attention, 1.5F);
	EXPECT_EQ(e.beta_fast, 32.0F);
	EXPECT_EQ(e.beta_slow, 1.0F);
	EXPECT_EQ(e.positions.slot, 2U);
	EXPECT_EQ(e.factors.slot, 3U);
	EXPECT_EQ(e.cos.dtype, ATOM_DTYPE_NONE);
	EXPECT_EQ(e.out.slot, 4U);
	EXPECT_EQ(e.position_axis, 1U);
}

TEST_F(a_command_of_rows, rope_takes_tables_with_and_without_positions)
{
	rope_options o;
	o.cos = f32(2, {6, 1, 4}).broadcast(1, 3);
	o.sin = f32(3, {6, 1, 4}).broadcast(1, 3);
	const auto rope = [&](command_builder &b) {
		b.rope(f32(1, {6, 3, 8}), f32(5, {6, 3, 8}), o);
	};
	const auto tables = built<atom_cmd_rope>(rope);
	EXPECT_EQ(tables.rotary_dims, 8U) << "all, since it is not given";
	EXPECT_EQ(tables.cos.slot, 2U);
	EXPECT_EQ(tables.sin.slot, 3U);
	EXPECT_EQ(tables.positions.dtype, ATOM_DTYPE_NONE);
	EXPECT_EQ(tables.base, 0.0F) << "the device wants parameters beside tables to be zero";
	EXPECT_EQ(tables.frequency_scale, 0.0F);
	EXPECT_EQ(tables.attention, 0.0F);
	o.positions = tensor(slot(4), dtype::i64, {6});
	o.cos = f32(2, {100, 4});
	o.sin = f32(3, {100, 4});
	const auto rows = built<atom_cmd_rope>(rope);
	EXPECT_EQ(rows.cos.dims[0], 100U);
	o.cos = f32(2, {100, 8});
	refusal(rope);
}

TEST_F(a_command_of_rows, rope_with_parameters_that_do_not_fit_is_refused)
{
	rope_options o;
	o.positions = tensor(slot(2), dtype::i32, {6});
	const rope_options good = o;
	const auto refused = [&] {
		refusal([&](command_builder &b) {
			b.rope(f32(1, {6, 3, 8}), f32(5, {6, 3, 8}), o);
		});
		o = good;
	};
	o.positions.reset();
	refused();
	o.rotary_dims = 3;
	refused();
	o.rotary_dims = 10;
	refused();
	o.position_axis = 3;
	refused();
	o.position_axis = 1;
	refused();
	o.positions = f32(2, {6});
	refused();
	o.factors = f32(3, {8});
	refused();
	o.cos = f32(3, {6, 4});
	refused();
	o.base = 0;
	refused();
	refusal([&](command_builder &b) { b.rope(f32(1, {6}), f32(5, {6}), good); });
}

} // namespace
} // namespace atom::test
