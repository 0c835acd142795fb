// SPDX-License-Identifier: MIT
#include "command_fixture.hpp"

namespace atom::test {
namespace {

class an_indexing_command : public a_command {
protected:
	static tensor index(std::initializer_list<std::uint64_t> dims)
	{
		return {slot(2), dtype::i64, dims};
	}
};

TEST_F(an_indexing_command, gather_is_encoded_as_the_contract_says)
{
	gather_options o;
	o.axis = 1;
	o.wrap_negative = true;
	const auto rows = built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::rows, f32(1, {2, 9, 4}), index({3, 5}), f32(3, {2, 3, 5, 4}),
		         o);
	});
	EXPECT_EQ(rows.header.opcode, ATOM_OP_GATHER);
	EXPECT_EQ(rows.header.flags, ATOM_INDEX_WRAP_NEGATIVE);
	EXPECT_EQ(rows.mode, ATOM_GATHER_ROWS);
	EXPECT_EQ(rows.axis, 1U);
	EXPECT_EQ(rows.batch_dims, 0U);
	EXPECT_EQ(rows.data.slot, 1U);
	EXPECT_EQ(rows.index.slot, 2U);
	EXPECT_EQ(rows.out.slot, 3U);
	const auto elements = built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::elements, f32(1, {2, 9}), index({2, 3}), f32(3, {2, 3}), o);
	});
	EXPECT_EQ(elements.mode, ATOM_GATHER_ELEMENTS);
	o = {};
	o.batch_dims = 1;
	const auto nd = built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::nd, f32(1, {2, 9, 8, 4}), index({2, 3, 2}), f32(3, {2, 3, 4}),
		         o);
	});
	EXPECT_EQ(nd.mode, ATOM_GATHER_ND);
	EXPECT_EQ(nd.batch_dims, 1U);
}

TEST_F(an_indexing_command, gather_takes_rows_of_blocks)
{
	const auto e = built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::rows, tensor(slot(1), dtype::q4_0, {9, 64}), index({5}),
		         f32(3, {5, 64}));
	});
	EXPECT_EQ(e.data.dtype, ATOM_DTYPE_Q4_0);
	refusal([&](command_builder &b) {
		b.gather(index_mode::nd, tensor(slot(1), dtype::q4_0, {9, 64}), index({5, 1}),
		         f32(3, {5, 64}));
	});
}

TEST_F(an_indexing_command, gather_converts_rows_of_floats)
{
	const auto e = built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::rows, tensor(slot(1), dtype::f16, {9, 64}), index({5}),
		         f32(3, {5, 64}));
	});
	EXPECT_EQ(e.out.dtype, ATOM_DTYPE_F32);
}

TEST_F(an_indexing_command, gather_of_rows_shares_leading_dimensions)
{
	gather_options o;
	o.axis = 1;
	o.batch_dims = 1;
	EXPECT_NO_THROW(built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::rows, f32(1, {2, 9, 4}), index({2, 5}), f32(3, {2, 5, 4}), o);
	}));
	EXPECT_NO_THROW(built<atom_cmd_gather>([&](command_builder &b) {
		b.gather(index_mode::rows, f32(1, {9, 4}), index({}), f32(3, {4}));
	})) << "one index takes its dimension away";
}

TEST_F(an_indexing_command, gather_with_parameters_that_do_not_fit_is_refused)
{
	const auto refused = [&](index_mode mode, const tensor &at, const tensor &out,
	                         const gather_options &o = {}) {
		return refusal([&](command_builder &b) {
			b.gather(mode, f32(1, {2, 9, 4}), at, out, o);
		});
	};
	gather_options axis;
	axis.axis = 3;
	gather_options batch;
	batch.batch_dims = 1;
	EXPECT_EQ(refused(index_mode::rows, index({5}), f32(3, {9, 5, 4})),
	          "gather (command 1): out has dimensions [9, 5, 4]; needed: [5, 9, 4]");
	EXPECT_EQ(refused(index_mode::rows, f32(2, {5}), f32(3, {5, 9, 4})),
	          "gather (command 1): index is of type f32, not i32 or i64");
	refused(index_mode::nd, index({5, 1}), tensor(slot(3), dtype::f16, {5, 9, 4}));
	refused(index_mode::rows, index({5}), f32(3, {2, 9, 5}), axis);
	refused(index_mode::rows, index({2, 5}), f32(3, {2, 5, 4}), batch);
	refused(index_mode::elements, index({2, 9}), f32(3, {2, 9}));
	refused(index_mode::elements, index({2, 9, 4}), f32(3, {2, 9, 4}), batch);
	refused(index_mode::nd, index({5, 4}), f32(3, {5}));
	refused(index_mode::nd, index({}), f32(3, {5}));
	refused(index_mode::nd, index({3, 1}), f32(3, {3, 4}), batch);
	batch.batch_dims = 4;
	refused(index_mode::nd, index({2, 1}), f32(3, {2}), batch);
	axis.axis = 1;
	refused(index_mode::nd, index({5, 1}), f32(3, {5, 9, 4}), axis);
}

TEST_F(an_indexing_command, scatter_is_encoded_as_the_contract_says)
{
	scatter_options o;
	o.reduction = scatter_reduction::add;
	o.axis = 1;
	o.wrap_negative = true;
	const auto e = built<atom_cmd_scatter>([&](command_builder &b) {
		b.scatter(index_mode::elements, f32(1, {2, 3}), index({2, 3}), f32(3, {2, 9}), o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_SCATTER);
	EXPECT_EQ(e.header.flags, ATOM_INDEX_WRAP_NEGATIVE);
	EXPECT_EQ(e.mode, ATOM_GATHER_ELEMENTS);
	EXPECT_EQ(e.axis, 1U);
	EXPECT_EQ(e.reduction, ATOM_SCATTER_ADD);
	EXPECT_EQ(e.updates.slot, 1U);
	EXPECT_EQ(e.index.slot, 2U);
	EXPECT_EQ(e.out.slot, 3U);
}

TEST_F(an_indexing_command, scatter_converts_rows_only)
{
	const tensor cache(slot(3), dtype::f16, {9, 64});
	EXPECT_NO_THROW(built<atom_cmd_scatter>([&](command_builder &b) {
		b.scatter(index_mode::rows, f32(1, {5, 64}), index({5}), cache);
	}));
	EXPECT_EQ(refusal([&](command_builder &b) {
			  b.scatter(index_mode::nd, f32(1, {5, 64}), index({5, 1}), cache);
		  }),
	          "scatter (command 1): updates and out differ in type, which only "
	          "index_mode::rows converts");
	refusal([&](command_builder &b) {
		b.scatter(index_mode::rows, f32(1, {4, 64}), index({5}), cache);
	});
}

} // namespace
} // namespace atom::test
