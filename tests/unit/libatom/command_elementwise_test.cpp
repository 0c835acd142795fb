// SPDX-License-Identifier: MIT
#include <limits>

#include "command_fixture.hpp"

namespace atom::test {
namespace {

class an_elementwise_command : public a_command {};

TEST_F(an_elementwise_command, select_is_encoded_as_the_contract_says)
{
	const auto e = built<atom_cmd_select>([](command_builder &b) {
		b.select(tensor(slot(1), dtype::u8, {4, 1}).broadcast(1, 3), f32(2, {4, 3}),
		         f32(3, {4, 3}), f32(4, {4, 3}));
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_SELECT);
	EXPECT_EQ(e.cond.slot, 1U);
	EXPECT_EQ(e.cond.strides[1], 0U);
	EXPECT_EQ(e.a.slot, 2U);
	EXPECT_EQ(e.b.slot, 3U);
	EXPECT_EQ(e.out.slot, 4U);
}

TEST_F(an_elementwise_command, select_of_other_types_or_dimensions_is_refused)
{
	const tensor cond(slot(1), dtype::u8, {4});
	const tensor half(slot(3), dtype::f16, {4});
	EXPECT_EQ(refusal([&](command_builder &b) {
			  b.select(f32(1, {4}), f32(2, {4}), f32(3, {4}), f32(4, {4}));
		  }),
	          "select (command 1): cond is not of type u8");
	refusal([&](command_builder &b) { b.select(cond, half, f32(3, {4}), f32(4, {4})); });
	refusal([&](command_builder &b) { b.select(cond, f32(2, {4}), half, f32(4, {4})); });
	refusal([&](command_builder &b) { b.select(cond, f32(2, {4}), f32(3, {5}), f32(4, {4})); });
	refusal([&](command_builder &b) { b.select(cond, f32(2, {5}), f32(3, {5}), f32(4, {5})); });
}

TEST_F(an_elementwise_command, glu_is_encoded_as_the_contract_says)
{
	glu_options o;
	o.p0 = 1.702F;
	o.limit = 7;
	o.bias = 1;
	const auto e = built<atom_cmd_glu>([&](command_builder &b) {
		b.glu(function::silu, f32(1, {2, 8}), f32(2, {2, 8}), f32(3, {2, 8}), o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_GLU);
	EXPECT_EQ(e.header.flags, 0U);
	EXPECT_EQ(e.function, ATOM_FN_SILU);
	EXPECT_EQ(e.p0, 1.702F);
	EXPECT_EQ(e.limit, 7.0F);
	EXPECT_EQ(e.bias, 1.0F);
	EXPECT_EQ(e.gate.slot, 1U);
	EXPECT_EQ(e.value.slot, 2U);
	EXPECT_EQ(e.out.slot, 3U);
}

TEST_F(an_elementwise_command, glu_of_packed_input_has_no_value)
{
	glu_options o;
	o.swapped = true;
	const auto e = built<atom_cmd_glu>([&](command_builder &b) {
		b.glu(function::gelu_erf, f32(1, {2, 16}), f32(2, {2, 8}), o);
	});
	EXPECT_EQ(e.header.flags, ATOM_GLU_SWAPPED);
	EXPECT_EQ(e.gate.dims[1], 16U);
	EXPECT_EQ(e.value.dtype, ATOM_DTYPE_NONE);
	EXPECT_EQ(refusal([](command_builder &b) {
			  b.glu(function::relu, f32(1, {2, 8}), f32(2, {2, 8}));
		  }),
	          "glu (command 1): packed has dimensions [2, 8]; needed: [2, 16]");
	refusal([](command_builder &b) { b.glu(function::relu, f32(1, {}), f32(2, {})); });
}

TEST_F(an_elementwise_command, glu_with_what_it_does_not_take_is_refused)
{
	const tensor whole(slot(1), dtype::i32, {4});
	const auto refused = [&](function fn, const glu_options &o) {
		refusal([&](command_builder &b) {
			b.glu(fn, f32(1, {4}), f32(2, {4}), f32(3, {4}), o);
		});
	};
	glu_options o;
	refused(function::tanh, o);
	refused(function::lut, o);
	o.swapped = true;
	refused(function::relu, o);
	o = {};
	o.limit = -1;
	refused(function::relu, o);
	o.limit = std::numeric_limits<float>::quiet_NaN();
	refused(function::relu, o);
	o = {};
	o.bias = std::numeric_limits<float>::infinity();
	refused(function::relu, o);
	refusal([&](command_builder &b) {
		b.glu(function::relu, whole, f32(2, {4}), f32(3, {4}));
	});
	refusal([&](command_builder &b) {
		b.glu(function::relu, f32(1, {4}), f32(2, {4}), whole);
	});
	refusal([&](command_builder &b) {
		b.glu(function::relu, f32(1, {4}), f32(2, {5}), f32(3, {4}));
	});
}

} // namespace
} // namespace atom::test
