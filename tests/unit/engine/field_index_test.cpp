/* SPDX-License-Identifier: MIT */
/*
 * Wrong fields of GATHER and SCATTER.
 */
#include "fields.h"

namespace atom::engine::test {
namespace {

atom_cmd_gather gather_command()
{
	auto c = command<atom_cmd_gather>(ATOM_OP_GATHER);
	c.mode = ATOM_GATHER_ROWS;
	c.axis = c.batch_dims = 1;
	c.data = dense(ATOM_DTYPE_F32, 0, {2, 5, 3});
	c.index = dense(ATOM_DTYPE_I64, 1024, {2, 4});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 4, 3});
	return c;
}

atom_cmd_scatter scatter_command()
{
	auto c = command<atom_cmd_scatter>(ATOM_OP_SCATTER);
	c.mode = ATOM_GATHER_ROWS;
	c.axis = c.batch_dims = 1;
	c.updates = dense(ATOM_DTYPE_F32, 0, {2, 4, 3});
	c.index = dense(ATOM_DTYPE_I64, 1024, {2, 4});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 5, 3});
	return c;
}

/* Shapes of ROWS with axis 1 and one batch dimension; @table and @each are the tensors' offsets. */
template <class T> void shapes_of_rows(const wrong_field<T> &w, std::size_t table, std::size_t index, std::size_t each)
{
	constexpr std::size_t dims = offsetof(atom_tensor, dims), rank = offsetof(atom_tensor, rank);
	w.expect(index + dims, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(table + dims, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE, index + dims);
	w.expect(each + dims, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(each + dims + 8, std::uint64_t{3}, ATOM_FAULT_BAD_SHAPE);
	w.expect(each + dims + 16, std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gather, batch_dims) * (table < each) + offsetof(atom_cmd_scatter, batch_dims) * (table > each),
		 0u, ATOM_FAULT_BAD_SHAPE, each + rank);
	w.expect(index + offsetof(atom_tensor, dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(index + offsetof(atom_tensor, dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(index + offsetof(atom_tensor, quant.kind), std::uint8_t{ATOM_QUANT_PER_TENSOR}, ATOM_FAULT_BAD_QUANT);
}

TEST(Fields, Gather)
{
	const wrong_field w(gather_command());
	header_fields(w, 2);
	for (const unsigned mode : {3u, 1u << 31})
		w.expect(offsetof(atom_cmd_gather, mode), mode, ATOM_FAULT_BAD_FIELD);
	for (const unsigned axis : {3u, UINT32_MAX})
		w.expect(offsetof(atom_cmd_gather, axis), axis, ATOM_FAULT_BAD_FIELD);
	for (const unsigned batch_dims : {2u, UINT32_MAX})
		w.expect(offsetof(atom_cmd_gather, batch_dims), batch_dims, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_gather, axis), 0u, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_gather, batch_dims));
	w.expect(offsetof(atom_cmd_gather, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_gather, data), false);
	tensor_fields(w, offsetof(atom_cmd_gather, index), false);
	tensor_fields(w, offsetof(atom_cmd_gather, out), true);
	shapes_of_rows(w, offsetof(atom_cmd_gather, data), offsetof(atom_cmd_gather, index), offsetof(atom_cmd_gather, out));
	w.expect(offsetof(atom_cmd_gather, out.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_gather, out.dtype), std::uint8_t{ATOM_DTYPE_Q8_0}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_gather, data.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_gather, out.dtype));
	w.expect(offsetof(atom_cmd_gather, data.dtype), std::uint8_t{ATOM_DTYPE_BF16}, ATOM_FAULT_NONE, 0);
	w.expect(offsetof(atom_cmd_gather, data.quant.scale), nan, ATOM_FAULT_NONE, 0); /* not looked at */
	for (const std::uint64_t input : {0, 1024})
		w.expect(offsetof(atom_cmd_gather, out.offset), input, ATOM_FAULT_OVERLAP);
	EXPECT_EQ(decode_fault(bytes_of(gather_command()), 4).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(gather_command()), 4).field, offsetof(atom_cmd_gather, out.dims));
}

TEST(Fields, GatherOfBlocks)
{
	auto c = gather_command();
	c.data = dense_blocks(ATOM_DTYPE_Q4_0, 0, {2, 5, 32});
	c.out = dense(ATOM_DTYPE_F16, 4096, {2, 4, 32});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_gather, out.dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_gather, data.quant.kind), std::uint8_t{0}, ATOM_FAULT_BAD_QUANT);
	w.expect(offsetof(atom_cmd_gather, mode), unsigned{ATOM_GATHER_ELEMENTS}, ATOM_FAULT_BAD_FIELD,
		 offsetof(atom_cmd_gather, batch_dims));
	/* Rows must be of whole blocks. */
	c.data = dense_blocks(ATOM_DTYPE_Q4_0, 0, {2, 32});
	c.axis = 1;
	c.index = dense(ATOM_DTYPE_I64, 1024, {2, 4});
	c.out = dense(ATOM_DTYPE_F16, 4096, {2, 4});
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_QUANT);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gather, data.quant.axis));
	/* No part of a block is an element. */
	c.mode = ATOM_GATHER_ELEMENTS;
	c.batch_dims = 0;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_DTYPE);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gather, data.dtype));
}

TEST(Fields, GatherElements)
{
	auto c = gather_command();
	c.mode = ATOM_GATHER_ELEMENTS;
	c.batch_dims = 0;
	c.data = dense(ATOM_DTYPE_I16, 0, {3, 5});
	c.index = dense(ATOM_DTYPE_I32, 1024, {2, 7});
	c.out = dense(ATOM_DTYPE_I16, 4096, {2, 7});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_gather, batch_dims), 1u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_gather, axis), 2u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_gather, axis), 0u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_gather, index.dims[1]));
	w.expect(offsetof(atom_cmd_gather, index.dims[0]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gather, out.dims[0]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gather, out.dims[1]), std::uint64_t{5}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gather, out.dtype), std::uint8_t{ATOM_DTYPE_F16}, ATOM_FAULT_BAD_DTYPE);
	c.index = dense(ATOM_DTYPE_I32, 1024, {14});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gather, index.rank));
}

TEST(Fields, GatherNd)
{
	auto c = gather_command();
	c.mode = ATOM_GATHER_ND;
	c.axis = 0;
	c.data = dense(ATOM_DTYPE_F32, 0, {2, 5, 3, 2});
	c.index = dense(ATOM_DTYPE_I64, 1024, {2, 4, 2});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 4, 2});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_gather, axis), 1u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_gather, batch_dims), 3u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_gather, index.dims[2]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gather, index.dims[2]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE,
		 offsetof(atom_cmd_gather, out.rank));
	w.expect(offsetof(atom_cmd_gather, index.dims[0]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gather, out.dims[2]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	/* Each element costs its coordinates. */
	EXPECT_EQ(decode_fault(bytes_of(c), 5).code, ATOM_FAULT_NONE);
	EXPECT_EQ(decode_fault(bytes_of(c), 4).code, ATOM_FAULT_TOO_LARGE);
	c.index = dense(ATOM_DTYPE_I64, 1024, {});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gather, index.rank));
}

TEST(Fields, Scatter)
{
	const wrong_field w(scatter_command());
	header_fields(w, 2);
	for (const unsigned mode : {3u, 1u << 31})
		w.expect(offsetof(atom_cmd_scatter, mode), mode, ATOM_FAULT_BAD_FIELD);
	for (const unsigned axis : {3u, UINT32_MAX})
		w.expect(offsetof(atom_cmd_scatter, axis), axis, ATOM_FAULT_BAD_FIELD);
	for (const unsigned reduction : {5u, 1u << 31})
		w.expect(offsetof(atom_cmd_scatter, reduction), reduction, ATOM_FAULT_BAD_FIELD);
	for (const unsigned batch_dims : {2u, UINT32_MAX})
		w.expect(offsetof(atom_cmd_scatter, batch_dims), batch_dims, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_scatter, updates), false);
	tensor_fields(w, offsetof(atom_cmd_scatter, index), false);
	tensor_fields(w, offsetof(atom_cmd_scatter, out), true);
	shapes_of_rows(w, offsetof(atom_cmd_scatter, out), offsetof(atom_cmd_scatter, index),
		       offsetof(atom_cmd_scatter, updates));
	w.expect(offsetof(atom_cmd_scatter, updates.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_scatter, out.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_scatter, updates.dtype));
	for (const std::uint64_t input : {0, 1024})
		w.expect(offsetof(atom_cmd_scatter, out.offset), input, ATOM_FAULT_OVERLAP);
	EXPECT_EQ(decode_fault(bytes_of(scatter_command()), 4).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(scatter_command()), 4).field, offsetof(atom_cmd_scatter, updates.dims));
}

TEST(Fields, ScatterOfQuantisedIntegersOnlyMovesThem)
{
	auto c = scatter_command();
	c.updates = quantised(dense(ATOM_DTYPE_I8, 0, {2, 4, 3}), 0.5f, 1);
	c.out = dense(ATOM_DTYPE_I8, 4096, {2, 5, 3});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_scatter, reduction), unsigned{ATOM_SCATTER_MAX}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_scatter, updates.quant.kind));
	c.updates = dense(ATOM_DTYPE_I8, 0, {2, 4, 3});
	c.out = quantised(c.out, 0.5f, 1);
	c.reduction = ATOM_SCATTER_ADD;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_scatter, out.quant.kind));
}

} // namespace
} // namespace atom::engine::test
