// SPDX-License-Identifier: MIT
// What atom-decode prints of each kind of command.
#include "atom/hw/command.h"
#include "decode/decode.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

class a_printed_command : public on_fake_kernel {
protected:
	/** The text of the command that @p f adds; each of @p lines must be one of its lines. */
	template <class F>
	void prints(F &&f, std::initializer_list<const char *> lines)
	{
		command_builder b(ctx);
		f(b);
		const command_buffer c = b.finish();
		const decode::decoded d =
			decode::decode_command_buffer({c.bytes().data(), c.bytes().size()});
		EXPECT_TRUE(d.problems.empty()) << d.problems.front();
		const std::string text = decode::to_text(d.tree);
		for (const char *line : lines)
			EXPECT_NE(text.find(" " + std::string(line) + "\n"), std::string::npos)
				<< line << "\n"
				<< text;
	}

	static tensor f32(std::uint16_t place, std::initializer_list<std::uint64_t> dims)
	{
		return {slot(place), dtype::f32, dims};
	}
};

TEST_F(a_printed_command, conv2d_tells_its_window_and_its_scales)
{
	tensor weight(slot(2), dtype::i8, {8, 3, 3, 2});
	tensor in(slot(1), dtype::u8, {1, 7, 7, 4});
	prints(
		[&](command_builder &b) {
			b.conv2d(in.quantise(0.5F, 9), weight.quantise(0U, slot(4), slot(4)),
		                 f32(3, {1, 4, 3, 8}),
		                 {.window = {.stride = {2, 2}, .padding = {1, 0, 1, 0}},
		                  .groups = 2,
		                  .constant_weight = true});
		},
		{"opcode: CONV2D", "flags: weight constant", "kernel_h: 3", "kernel_w: 3",
	         "stride_h: 2", "dilation_w: 1", "pad_top: 1", "pad_left: 0", "pad_bottom: 1",
	         "groups: 2",
	         "in: u8[1, 7, 7, 4] in slot 1 + 0, strides [196, 28, 4, 1], scale 0.5, zero point "
	         "9",
	         "weight: i8[8, 3, 3, 2] in slot 2 + 0, strides [18, 6, 2, 1], scales and zero "
	         "points of dimension 0 in slot 4",
	         "out: f32[1, 4, 3, 8] in slot 3 + 0, strides [384, 96, 32, 4]", "bias: absent"});
}

TEST_F(a_printed_command, conv_transpose2d_and_pool2d_tell_what_they_are)
{
	prints(
		[](command_builder &b) {
			b.conv_transpose2d(f32(1, {1, 2, 2, 4}), f32(2, {4, 2, 2, 3}),
		                           f32(3, {1, 4, 4, 3}),
		                           {.window = {.stride = {2, 2}}, .constant_weight = true});
		},
		{"opcode: CONVT2D", "flags: weight constant", "kernel_h: 2", "stride_w: 2"});
	prints(
		[](command_builder &b) {
			b.pool2d(pool_kind::average, f32(1, {1, 4, 4, 2}), f32(2, {1, 2, 2, 2}),
		                 {.kernel = {2, 2},
		                  .window = {.stride = {2, 2}},
		                  .count_padding = true});
		},
		{"opcode: POOL2D", "flags: count pad", "kind: average", "p: 0", "index: absent"});
}

TEST_F(a_printed_command, resize2d_names_its_modes)
{
	prints(
		[](command_builder &b) {
			b.resize2d(f32(1, {1, 4, 4, 2}), f32(2, {1, 6, 2, 2}),
		                   {.mode = resize_mode::linear,
		                    .coordinate = resize_coordinate::pytorch_half_pixel,
		                    .antialias = true});
		},
		{"opcode: RESIZE2D", "flags: antialias", "mode: linear",
	         "coordinate: pytorch half pixel", "nearest: round prefer floor", "scale_h: 1.5",
	         "scale_w: 0.5", "roi: 0, 0, 0, 0"});
}

TEST_F(a_printed_command, select_and_glu_name_their_tensors)
{
	prints(
		[](command_builder &b) {
			b.select(tensor(slot(1), dtype::u8, {4}), f32(2, {4}), f32(3, {4}),
		                 f32(4, {4}));
		},
		{"opcode: SELECT", "cond: u8[4] in slot 1 + 0, strides [1]",
	         "b: f32[4] in slot 3 + 0, strides [4]"});
	prints(
		[](command_builder &b) {
			b.glu(function::gelu_quick, f32(1, {8}), f32(2, {4}),
		              {.limit = 7, .bias = 1, .swapped = true});
		},
		{"opcode: GLU", "flags: swapped", "function: gelu quick", "limit: 7", "bias: 1",
	         "value: absent"});
}

TEST_F(a_printed_command, reduce_and_norm_list_their_dimensions)
{
	prints(
		[](command_builder &b) {
			b.reduce(reduce_kind::log_sum_exp, f32(1, {2, 3, 4, 5}),
		                 f32(2, {2, 1, 4, 1}), {1, 3});
		},
		{"opcode: REDUCE", "kind: log sum exp", "axes: 1, 3"});
	prints(
		[](command_builder &b) {
			b.norm(norm_kind::layer, f32(1, {2, 6}), f32(2, {2, 6}), {0},
		               {.eps = 0.5F, .groups = 3, .group_axis = 1});
		},
		{"opcode: NORM", "kind: layer", "axes: 0", "groups: 3", "group_axis: 1", "eps: 0.5",
	         "lrn_size: 0", "gamma: absent", "inverse: absent"});
}

TEST_F(a_printed_command, softmax_tells_a_negative_offset)
{
	prints(
		[](command_builder &b) {
			b.softmax(
				f32(1, {2, 4, 8}), f32(2, {2, 4, 8}), 2,
				{.scale = 0.25F, .log = true, .causal = true, .causal_offset = -3});
		},
		{"opcode: SOFTMAX", "flags: log, causal", "axis: 2", "scale: 0.25",
	         "causal_offset: -3", "max_bias: 0", "mask: absent", "sinks: absent"});
}

TEST_F(a_printed_command, rope_tells_its_frequencies)
{
	prints(
		[](command_builder &b) {
			b.rope(f32(1, {6, 2, 8}), f32(3, {6, 2, 8}),
		               {.rotary_dims = 4,
		                .interleaved = true,
		                .base = 500000,
		                .yarn = {.original_context = 4096, .extrapolation = 1},
		                .positions = tensor(slot(2), dtype::i32, {6})});
		},
		{"opcode: ROPE", "flags: interleaved", "rotary_dims: 4", "original_context: 4096",
	         "base: 500000", "extrapolation: 1", "attention: 1", "position_axis: 0",
	         "positions: i32[6] in slot 2 + 0, strides [4]", "cos: absent"});
}

TEST_F(a_printed_command, gather_and_scatter_name_their_modes)
{
	const tensor index(slot(2), dtype::i64, {3, 1});
	prints(
		[&](command_builder &b) {
			b.gather(index_mode::nd, f32(1, {5, 4}), index, f32(3, {3, 4}),
		                 {.wrap_negative = true});
		},
		{"opcode: GATHER", "flags: wrap negative", "mode: nd", "axis: 0", "batch_dims: 0",
	         "data: f32[5, 4] in slot 1 + 0, strides [16, 4]",
	         "index: i64[3, 1] in slot 2 + 0, strides [8, 8]"});
	prints(
		[&](command_builder &b) {
			b.scatter(index_mode::elements, f32(1, {3, 1}), index, f32(3, {3, 4}),
		                  {.reduction = scatter_reduction::max, .axis = 1});
		},
		{"opcode: SCATTER", "flags: none", "mode: elements", "axis: 1", "reduction: max",
	         "updates: f32[3, 1] in slot 1 + 0, strides [4, 4]"});
}

TEST_F(a_printed_command, that_names_a_dimension_beyond_the_fifth_is_told)
{
	const command_buffer c = command_builder(ctx)
	                                 .reduce(reduce_kind::sum, f32(1, {2}), f32(2, {1}), {0})
	                                 .finish();
	std::vector<std::byte> bytes(c.bytes().begin(), c.bytes().end());
	bytes[sizeof(atom_cmdbuf_header) + offsetof(atom_cmd_reduce, axes)] = std::byte{0x21};
	const decode::decoded d = decode::decode_command_buffer(bytes);
	ASSERT_EQ(d.problems.size(), 1U);
	EXPECT_EQ(d.problems.front(),
	          "REDUCE (command 0, byte 32): axes has the unknown bits 0x20");
}

} // namespace
} // namespace atom::test
