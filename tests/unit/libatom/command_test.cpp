// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <limits>

#include "command_fixture.hpp"
#include "core/half.hpp"

namespace atom::test {
namespace {

TEST_F(a_command, buffer_begins_with_the_header_that_the_device_checks)
{
	const command_buffer c = command_builder(ctx).nop().barrier().timestamp(slot(7)).finish();
	atom_cmdbuf_header h;
	std::memcpy(&h, c.bytes().data(), sizeof(h));
	EXPECT_EQ(h.magic, ATOM_CMDBUF_MAGIC);
	EXPECT_EQ(h.major, 1U);
	EXPECT_EQ(h.bytes, c.bytes().size());
	EXPECT_EQ(h.commands, 3U);
	EXPECT_EQ(h.slots, 8U);
	EXPECT_EQ(c.size(), 3U);
	EXPECT_EQ(c.argument_count(), 7U);
	EXPECT_EQ(c.argument_bytes(slot(7)), 16U);
	EXPECT_EQ(c.argument_bytes(slot(1)), 0U);
	EXPECT_EQ(c.argument_bytes(slot(9)), 0U);
}

TEST_F(a_command, buffer_is_memory_that_the_device_reads)
{
	const command_buffer c = command_builder(ctx).nop().finish();
	queue q(ctx);
	q.run(c);
	const drm_atom_job j = kernel->jobs().front().job;
	EXPECT_EQ(j.cmd_bytes, c.bytes().size());
	const std::byte *seen =
		kernel->translate(core::access::ctx(ctx)->id(), j.cmd_va, j.cmd_bytes);
	ASSERT_NE(seen, nullptr);
	EXPECT_EQ(std::memcmp(seen, c.bytes().data(), j.cmd_bytes), 0);
}

TEST_F(a_command, buffer_keeps_the_buffers_that_it_names)
{
	const std::size_t before = kernel->objects();
	command_buffer c;
	{
		const buffer b(ctx, 64);
		c = command_builder(ctx).fill(tensor(b, dtype::i8, {64}), 1).finish();
	}
	EXPECT_EQ(kernel->objects(), before + 2);
	c = {};
	EXPECT_EQ(kernel->objects(), before);
}

TEST_F(a_command, carries_the_tag_that_was_set_before_it)
{
	const command_buffer c = command_builder(ctx).tag(42).nop().finish();
	EXPECT_EQ(first<atom_cmd_nop>(c).header.tag, 42U);
}

TEST_F(a_command, gemm_is_encoded_as_the_contract_says)
{
	gemm_options o;
	o.alpha = 0.5F;
	o.constant_b = true;
	o.epilogue.activation = function::relu;
	o.epilogue.bias = tensor(data, dtype::f32, {1, 4}).broadcast(0, 2);
	const command_buffer c = command_builder(ctx)
	                                 .gemm(tensor(slot(1), dtype::f32, {2, 3}),
	                                       tensor(slot(2), dtype::f32, {4, 3}).transpose(0, 1),
	                                       tensor(data.slice(256, 64), dtype::f32, {2, 4}), o)
	                                 .finish();
	const auto g = first<atom_cmd_gemm>(c);
	EXPECT_EQ(g.header.opcode, ATOM_OP_GEMM);
	EXPECT_EQ(g.header.bytes, sizeof(g));
	EXPECT_EQ(g.header.flags, ATOM_GEMM_B_CONSTANT);
	EXPECT_EQ(g.alpha, 0.5F);
	EXPECT_EQ(g.a.slot, 1U);
	EXPECT_EQ(g.a.dims[1], 3U);
	EXPECT_EQ(g.a.strides[0], 12U);
	EXPECT_EQ(g.b.dims[0], 3U);
	EXPECT_EQ(g.b.strides[0], 4U);
	EXPECT_EQ(g.b.strides[1], 12U);
	EXPECT_EQ(g.out.slot, 0U);
	EXPECT_EQ(g.out.offset, data.device_address() + 256);
	EXPECT_EQ(g.epilogue.activation, ATOM_FN_RELU);
	EXPECT_EQ(g.epilogue.bias.strides[0], 0U);
	EXPECT_EQ(g.epilogue.residual.dtype, ATOM_DTYPE_NONE);
	EXPECT_EQ(c.argument_bytes(slot(2)), 48U);
}

TEST_F(a_command, fill_converts_its_value_to_the_element)
{
	const auto bits = [&](dtype type, double value) {
		return first<atom_cmd_copy>(
			       command_builder(ctx).fill(tensor(data, type, {4}), value).finish())
		        .fill;
	};
	EXPECT_EQ(bits(dtype::f32, 1.0), 0x3f800000U);
	EXPECT_EQ(bits(dtype::f16, 1.0), 0x3c00U);
	EXPECT_EQ(bits(dtype::bf16, -2.0), 0xc000U);
	EXPECT_EQ(bits(dtype::i8, -1.0), 0xffU);
	EXPECT_EQ(bits(dtype::i8, 1000.0), 127U);
	EXPECT_EQ(bits(dtype::u8, -5.0), 0U);
	EXPECT_EQ(bits(dtype::i16, 2.5), 2U);
	EXPECT_EQ(bits(dtype::i32, std::nan("")), 0U);
	EXPECT_EQ(bits(dtype::i64, -1.0), ~0ULL);
	EXPECT_EQ(bits(dtype::i64, 1e30), 0x7fffffffffffffffULL);
	const auto raw = first<atom_cmd_copy>(
		command_builder(ctx).fill_bits(tensor(data, dtype::i16, {4}), 0x12345).finish());
	EXPECT_EQ(raw.fill, 0x2345U);
	EXPECT_EQ(raw.header.flags, ATOM_COPY_FILL);
	EXPECT_EQ(raw.in.dtype, ATOM_DTYPE_NONE);
}

TEST_F(a_command, of_the_other_kinds_is_encoded_as_the_contract_says)
{
	const tensor in(data.slice(0, 64), dtype::f32, {4, 4});
	const tensor out(data.slice(64, 64), dtype::f32, {4, 4});
	const auto cast = first<atom_cmd_cast>(
		command_builder(ctx)
			.cast(in, tensor(data.slice(64, 16), dtype::i8, {4, 4}), {true, true})
			.finish());
	EXPECT_EQ(cast.rounding, ATOM_ROUND_TOWARD_ZERO);
	EXPECT_EQ(cast.header.flags, ATOM_CAST_WRAP);
	const auto binary = first<atom_cmd_binary>(
		command_builder(ctx).binary(binary_kind::max, in, in, out).finish());
	EXPECT_EQ(binary.kind, ATOM_BINARY_MAX);
	const auto unary = first<atom_cmd_unary>(
		command_builder(ctx).unary(function::clip, in, out, -1, 6).finish());
	EXPECT_EQ(unary.function, ATOM_FN_CLIP);
	EXPECT_EQ(unary.p1, 6.0F);
	const auto copy = first<atom_cmd_copy>(command_builder(ctx).copy(in, out).finish());
	EXPECT_EQ(copy.in.offset, data.device_address());
}

TEST_F(a_command, takes_quantised_tensors)
{
	tensor a(slot(1), dtype::i8, {4, 32});
	a.quantise(0.25F, -3);
	tensor b(slot(2), dtype::i8, {8, 32});
	b.quantise(0U, slot(3)).transpose(0, 1);
	const auto g = first<atom_cmd_gemm>(
		command_builder(ctx).gemm(a, b, tensor(slot(4), dtype::f32, {4, 8})).finish());
	EXPECT_EQ(g.a.quant.kind, ATOM_QUANT_PER_TENSOR);
	EXPECT_EQ(g.a.quant.scale, 0.25F);
	EXPECT_EQ(static_cast<std::int32_t>(g.a.quant.zero_point), -3);
	EXPECT_EQ(g.b.quant.kind, ATOM_QUANT_PER_CHANNEL);
	EXPECT_EQ(g.b.quant.axis, 1U) << "the axis moves with the transpose";
	EXPECT_EQ(g.b.quant.slot, 3U);

	const tensor blocks(slot(1), dtype::q4_0, {8, 64});
	tensor weights = blocks;
	weights.transpose(0, 1);
	const auto q =
		first<atom_cmd_gemm>(command_builder(ctx)
	                                     .gemm(tensor(slot(2), dtype::f32, {4, 64}), weights,
	                                           tensor(slot(3), dtype::f32, {4, 8}))
	                                     .finish());
	EXPECT_EQ(q.b.quant.kind, ATOM_QUANT_BLOCK);
	EXPECT_EQ(q.b.quant.axis, 0U);
	EXPECT_EQ(q.b.strides[0], 18U);
	EXPECT_EQ(q.b.strides[1], 36U);
}

TEST_F(a_command, with_dimensions_that_do_not_fit_is_refused)
{
	EXPECT_EQ(refusal(errc::invalid_argument,
	                  [&](command_builder &b) {
				  b.gemm(tensor(slot(1), dtype::f32, {2, 3}),
		                         tensor(slot(2), dtype::f32, {4, 5}),
		                         tensor(slot(3), dtype::f32, {2, 5}));
			  }),
	          "gemm (command 1): dimensions do not fit: a [2, 3], b [4, 5], out [2, 5]; "
	          "needed: [.., m, k], [.., k, n], [.., m, n]");
	refusal(errc::invalid_argument, [&](command_builder &b) {
		b.copy(tensor(slot(1), dtype::f32, {2, 3}), tensor(slot(2), dtype::f32, {3, 2}));
	});
	refusal(errc::invalid_argument, [&](command_builder &b) {
		b.copy(tensor(slot(1), dtype::f32, {2}), tensor(slot(2), dtype::i32, {2}));
	});
	refusal(errc::invalid_argument, [&](command_builder &b) {
		b.gemm(tensor(slot(1), dtype::f32, {2}), tensor(slot(1), dtype::f32, {2}),
		       tensor(slot(1), dtype::f32, {2}));
	});
}

TEST_F(a_command, that_reaches_outside_of_a_view_is_refused)
{
	EXPECT_EQ(refusal(errc::out_of_range,
	                  [&](command_builder &b) {
				  b.fill(tensor(data.slice(0, 64), dtype::f32, {17}), 0);
			  }),
	          "fill (command 1): out: it reaches outside of its view of 64 bytes");
	refusal(errc::out_of_range, [&](command_builder &b) {
		tensor back(data, dtype::i8, {4});
		back.strides({-1});
		b.copy(back, tensor(slot(1), dtype::i8, {4}));
	});
	refusal(errc::out_of_range, [&](command_builder &b) {
		tensor far(slot(1), dtype::i8, {4});
		far.advance(-1);
		b.copy(far, tensor(slot(2), dtype::i8, {4}));
	});
	refusal(errc::out_of_range, [&](command_builder &b) { b.timestamp(data.slice(0, 8)); });
	tensor good(data, dtype::i8, {4});
	good.strides({-1}).advance(3);
	EXPECT_NO_THROW(command_builder(ctx).copy(good, tensor(slot(1), dtype::i8, {4})));
}

TEST_F(a_command, with_impossible_strides_or_alignment_is_refused)
{
	refusal(errc::invalid_argument, [&](command_builder &b) {
		tensor t(slot(1), dtype::f32, {4});
		b.fill(t.strides({6}), 0);
	});
	refusal(errc::invalid_argument, [&](command_builder &b) {
		tensor t(slot(1), dtype::f32, {4});
		b.fill(t.strides({0}), 0);
	});
	refusal(errc::invalid_argument,
	        [&](command_builder &b) { b.fill(tensor(data.slice(2, 64), dtype::f32, {4}), 0); });
	refusal(errc::invalid_argument,
	        [&](command_builder &b) { b.timestamp(data.slice(4, 64)); });
}

TEST_F(a_command, with_strides_between_rows_of_blocks_is_taken_but_not_inside_them)
{
	tensor in(slot(1), dtype::q8_0, {4, 64});
	tensor out(slot(2), dtype::q8_0, {4, 64});
	EXPECT_NO_THROW(command_builder(ctx).copy(in.strides({100, 34}), out));
	refusal(errc::invalid_argument, [&](command_builder &b) {
		b.copy(in.strides({101, 34}), out);
	});
	refusal(errc::invalid_argument, [&](command_builder &b) {
		b.copy(in.strides({100, 36}), out);
	});
}

TEST_F(a_command, with_a_bias_of_other_dimensions_is_refused)
{
	gemm_options o;
	o.epilogue.bias = tensor(slot(4), dtype::f32, {1, 8});
	refusal(errc::invalid_argument, [&](command_builder &b) {
		b.gemm(tensor(slot(1), dtype::f32, {4, 8}), tensor(slot(2), dtype::f32, {8, 8}),
		       tensor(slot(3), dtype::f32, {4, 8}), o);
	});
}

TEST_F(a_command, that_mixes_contexts_or_names_no_place_is_refused)
{
	const context other(dev);
	const buffer foreign(other, 64);
	refusal(errc::wrong_context,
	        [&](command_builder &b) { b.fill(tensor(foreign, dtype::i8, {4}), 0); });
	refusal(errc::invalid_argument,
	        [&](command_builder &b) { b.fill(tensor(slot(0), dtype::i8, {4}), 0); });
	refusal(errc::invalid_argument,
	        [&](command_builder &b) { b.fill(tensor(buffer_view(), dtype::i8, {4}), 0); });
	refusal(errc::too_large,
	        [&](command_builder &b) { b.fill(tensor(slot(1024), dtype::i8, {4}), 0); });
}

TEST_F(a_command, that_the_device_does_not_have_is_refused)
{
	kernel->info.opcodes[0] = 1; // only NOP
	kernel->info.dtypes = 1U << ATOM_DTYPE_I8;
	const device poor = open_device(kernel);
	const context c(poor);
	EXPECT_EQ(error_of(errc::unsupported, [&] { command_builder(c).barrier(); }),
	          "barrier (command 0): this device does not have the command");
}

TEST_F(a_command, of_a_type_that_the_device_does_not_have_is_refused)
{
	kernel->info.dtypes = 1U << ATOM_DTYPE_I8;
	const context c(open_device(kernel));
	EXPECT_EQ(error_of(errc::unsupported,
	                   [&] { command_builder(c).fill(tensor(slot(1), dtype::f16, {1}), 0); }),
	          "fill (command 0): out: this device does not have type f16");
}

TEST_F(a_command, with_a_function_that_does_not_exist_is_refused)
{
	const tensor in(slot(1), dtype::f32, {4, 4});
	const tensor out(slot(2), dtype::f32, {4, 4});
	for (const unsigned number : {21U, 31U, 59U, 63U, 68U, 65535U}) {
		const auto fn = static_cast<function>(number);
		const std::string reason =
			" (command 0): there is no function " + std::to_string(number);
		EXPECT_EQ(error_of(errc::invalid_argument,
		                   [&] { command_builder(ctx).unary(fn, in, out); }),
		          "unary" + reason);
		epilogue e;
		e.activation = fn;
		EXPECT_EQ(error_of(errc::invalid_argument,
		                   [&] {
					   command_builder(ctx).binary(binary_kind::add, in, in,
			                                               out, e);
				   }),
		          "binary" + reason);
	}
}

TEST_F(a_command, whose_function_exists_is_taken)
{
	const tensor in(slot(1), dtype::f32, {4, 4});
	const tensor out(slot(2), dtype::f32, {4, 4});
	for (unsigned number = 0; number < ATOM_FN_COUNT; number++) {
		const bool gap = (number > ATOM_FN_GELU_QUICK && number < ATOM_FN_ABS) ||
		                 (number > ATOM_FN_ATANH && number < ATOM_FN_LOGICAL_NOT);
		if (gap || number == ATOM_FN_LUT)
			continue;
		EXPECT_NO_THROW(
			command_builder(ctx).unary(static_cast<function>(number), in, out))
			<< number;
	}
}

TEST_F(a_command, with_a_bad_epilogue_is_refused)
{
	const tensor t(slot(1), dtype::i8, {4, 4});
	const tensor o(slot(2), dtype::i8, {4, 4});
	const auto with = [&](const epilogue &e) {
		refusal(errc::invalid_argument,
		        [&](command_builder &b) { b.binary(binary_kind::add, t, t, o, e); });
	};
	epilogue e;
	e.activation = function::exp;
	with(e);
	e.activation = function::lut;
	with(e);
	e.activation = function::relu;
	e.table = slot(3);
	with(e);
	e = {};
	e.bias = t;
	with(e);
	refusal(errc::invalid_argument, [&](command_builder &b) { b.unary(function::lut, t, o); });
	refusal(errc::invalid_argument,
	        [&](command_builder &b) { b.fill(tensor(slot(1), dtype::q8_0, {32}), 0); });
}

TEST_F(a_command, buffer_without_commands_or_with_too_many_is_refused)
{
	command_builder empty(ctx);
	error_of(errc::invalid_argument, [&] { (void)empty.finish(); });
	EXPECT_EQ(empty.nop().finish().size(), 1U) << "it can still be used";
	error_of(errc::invalid_argument, [&] { (void)empty.finish(); });
	error_of(errc::invalid_argument, [&] { empty.nop(); });
	kernel->info.cmd_bytes_max = 64;
	const context small(open_device(kernel));
	command_builder full(small);
	full.nop().nop();
	EXPECT_EQ(
		error_of(errc::too_large, [&] { full.nop(); }),
		"nop (command 2): the command buffer would exceed the device's limit of 64 bytes");
	EXPECT_EQ(full.finish().size(), 2U);
}

TEST_F(a_command, builder_can_finish_after_memory_was_short)
{
	command_builder b(ctx);
	b.nop();
	kernel->fail(number(DRM_IOCTL_ATOM_BO_CREATE), 12 /* ENOMEM */);
	std::error_code ec;
	EXPECT_FALSE(b.finish(ec));
	EXPECT_EQ(ec, errc::out_of_host_memory);
	EXPECT_TRUE(b.finish(ec));
}

TEST(half_precision, rounds_to_nearest_ties_to_even)
{
	EXPECT_EQ(core::to_f16(65504.0F), 0x7bff);
	EXPECT_EQ(core::to_f16(65520.0F), 0x7c00);
	EXPECT_EQ(core::to_f16(65519.0F), 0x7bff);
	EXPECT_EQ(core::to_f16(std::ldexp(1.0F, -24)), 0x0001);
	EXPECT_EQ(core::to_f16(std::ldexp(1.0F, -25)), 0x0000);
	EXPECT_EQ(core::to_f16(std::ldexp(1.5F, -25)), 0x0001);
	EXPECT_EQ(core::to_f16(std::ldexp(1.0F, -14)), 0x0400);
	EXPECT_EQ(core::to_f16(1.0F + std::ldexp(1.0F, -11)), 0x3c00);
	EXPECT_EQ(core::to_f16(1.0F + std::ldexp(3.0F, -11)), 0x3c02);
	EXPECT_EQ(core::to_f16(2.0F - std::ldexp(1.0F, -12)), 0x4000);
	EXPECT_EQ(core::to_f16(-0.0F), 0x8000);
	EXPECT_EQ(core::to_f16(std::nanf("")) & 0x7c00, 0x7c00);
	EXPECT_NE(core::to_f16(std::nanf("")) & 0x3ff, 0);
	EXPECT_EQ(core::to_bf16(1.0F), 0x3f80);
	EXPECT_EQ(core::to_bf16(1.00390625F), 0x3f80); // a tie
	EXPECT_EQ(core::to_bf16(1.01171875F), 0x3f82); // a tie
	EXPECT_NE(core::to_bf16(std::nanf("")) & 0x7f, 0);
}

} // namespace
} // namespace atom::test
