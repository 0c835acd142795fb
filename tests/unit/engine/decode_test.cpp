/* SPDX-License-Identifier: MIT */
#include <cstddef>

#include <gtest/gtest.h>

#include "harness.h"

namespace atom::engine::test {
namespace {

struct decoded {
	std::unique_ptr<operation> op;
	fault why;
};

decoded decode_with(std::span<const std::byte> c, std::span<const atom_arg> args)
{
	decoded d;
	d.op = decode(c, args, {}, d.why);
	return d;
}

atom_cmd_copy copy_command()
{
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3});
	return c;
}

constexpr atom_arg one_mib[] = {{memory_va, 1 << 20}};

TEST(Decode, ExactlyTheOpcodesInTheMapAreKnown)
{
	for (unsigned opcode = 0; opcode < 0x400; ++opcode) {
		/* Zeros are BAD_something else for an opcode that is known, or good. */
		std::vector<std::byte> c(1024);
		atom_cmd_header h{};
		h.opcode = static_cast<std::uint16_t>(opcode);
		h.bytes = 1024;
		std::memcpy(c.data(), &h, sizeof h);
		const decoded d = decode_with(c, {});
		const bool in_map = opcode < 256 && (opcodes()[opcode / 64] >> opcode % 64 & 1);
		EXPECT_EQ(d.why.code != ATOM_FAULT_BAD_OPCODE, in_map) << opcode;
		if (!in_map) {
			EXPECT_EQ(d.why.field, offsetof(atom_cmd_header, opcode));
		}
	}
	for (const unsigned opcode : {ATOM_OP_NOP, ATOM_OP_FENCE, ATOM_OP_TIMESTAMP, ATOM_OP_COPY, ATOM_OP_CAST,
				      ATOM_OP_GEMM, ATOM_OP_BINARY, ATOM_OP_UNARY})
		EXPECT_TRUE(opcodes()[opcode / 64] >> opcode % 64 & 1) << opcode;
	EXPECT_EQ(dtypes(), 0x701feu);
}

TEST(Decode, AnOperandSaysHowManyBytesItsElementsAre)
{
	auto c = copy_command();
	c.in.dims[1] = c.out.dims[1] = 5; /* with gaps: 2 rows of 5 elements, 64 bytes apart */
	c.in.strides[0] = c.out.strides[0] = 64;
	const decoded gaps = decode_with(bytes_of(c), one_mib);
	ASSERT_TRUE(gaps.op);
	EXPECT_EQ(gaps.op->operands()[0].bytes, 2u * 5 * 4);
	EXPECT_EQ(gaps.op->operands()[0].high, 64 + 5 * 4);
	c.in.strides[0] = 0; /* broadcast: one row */
	const decoded row = decode_with(bytes_of(c), one_mib);
	ASSERT_TRUE(row.op);
	EXPECT_EQ(row.op->operands()[0].bytes, 5u * 4);
	EXPECT_EQ(row.op->operands()[1].bytes, 2u * 5 * 4);
}

TEST(Decode, ALongerCommandIsGoodIfTheSurplusIsZero)
{
	auto c = copy_command();
	std::vector<std::byte> bytes(sizeof c + 64);
	c.header.bytes = static_cast<std::uint32_t>(bytes.size());
	std::memcpy(bytes.data(), &c, sizeof c);
	EXPECT_TRUE(decode_with(bytes, one_mib).op);
	for (std::size_t i = sizeof c; i < bytes.size(); ++i) {
		auto bad = bytes;
		bad[i] = std::byte{1};
		const decoded d = decode_with(bad, one_mib);
		EXPECT_EQ(d.why.code, ATOM_FAULT_BAD_SIZE);
		EXPECT_EQ(d.why.field, offsetof(atom_cmd_header, bytes));
	}
}

TEST(Decode, EveryShorterCommandIsBadSize)
{
	auto c = copy_command();
	for (std::uint32_t bytes = 16; bytes < sizeof c; bytes += 8) {
		c.header.bytes = bytes;
		const decoded d = decode_with(bytes_of(c).first(bytes), one_mib);
		EXPECT_EQ(d.why.code, ATOM_FAULT_BAD_SIZE) << bytes;
		EXPECT_EQ(d.why.field, offsetof(atom_cmd_header, bytes));
	}
	/* What the header says and what there is differ; or there is not even a header. */
	c.header.bytes = sizeof c;
	EXPECT_EQ(decode_with(bytes_of(c).first(sizeof c - 8), one_mib).why.code, ATOM_FAULT_BAD_SIZE);
	EXPECT_EQ(decode_with(bytes_of(c).first(8), one_mib).why.code, ATOM_FAULT_BAD_SIZE);
	EXPECT_EQ(decode_with({}, one_mib).why.code, ATOM_FAULT_BAD_SIZE);
}

TEST(Decode, ACommandNeedNotBeAligned)
{
	const auto c = copy_command();
	std::vector<std::byte> bytes(sizeof c + 1);
	std::memcpy(bytes.data() + 1, &c, sizeof c);
	EXPECT_TRUE(decode_with(std::span(bytes).subspan(1), one_mib).op);
}

TEST(Decode, OperandsSayWhatIsTouched)
{
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.a = dense(ATOM_DTYPE_F32, 256, {4, 8});
	c.a.strides[0] = -32ull; /* upwards from the last row */
	c.b = dense(ATOM_DTYPE_F32, 512, {4, 8});
	c.b.strides[0] = 0;
	c.b.strides[1] = 0;
	c.out = dense(ATOM_DTYPE_F16, 4096, {4, 8});
	c.out.strides[0] = 100;
	const decoded d = decode_with(bytes_of(c), one_mib);
	ASSERT_TRUE(d.op);
	ASSERT_EQ(d.op->operands().size(), 3u);
	const operand &a = d.op->operands()[0], &b = d.op->operands()[1], &out = d.op->operands()[2];
	EXPECT_EQ(a.va, memory_va + 256);
	EXPECT_EQ(a.low, -96);
	EXPECT_EQ(a.high, 32);
	EXPECT_EQ(a.access, unsigned{ATOM_ACCESS_READ});
	EXPECT_EQ(a.field, offsetof(atom_cmd_binary, a));
	EXPECT_EQ(b.low, 0);
	EXPECT_EQ(b.high, 4);
	EXPECT_EQ(out.high, 316);
	EXPECT_EQ(out.access, unsigned{ATOM_ACCESS_WRITE});
	EXPECT_EQ(d.op->work().elements, 32u);
}

TEST(Decode, AnExtentEndsWhereTheArgumentEnds)
{
	auto c = copy_command();
	for (const std::uint64_t bytes : {4096 + 24, 4096 + 23}) {
		const atom_arg args[] = {{memory_va, bytes}};
		EXPECT_EQ(decode_with(bytes_of(c), args).op != nullptr, bytes == 4096 + 24);
	}
	/* Below the base of the argument. */
	c.in.strides[0] = -12ull;
	const decoded d = decode_with(bytes_of(c), one_mib);
	EXPECT_EQ(d.why.code, ATOM_FAULT_ARG_RANGE);
	EXPECT_EQ(d.why.field, offsetof(atom_cmd_copy, in.offset));
	c.in.offset = 12;
	EXPECT_TRUE(decode_with(bytes_of(c), one_mib).op);
}

TEST(Decode, AddressesHave48Bits)
{
	auto c = copy_command();
	c.out.slot = 0;
	c.out.offset = (std::uint64_t{1} << 48) - 24;
	EXPECT_TRUE(decode_with(bytes_of(c), one_mib).op);
	for (const std::uint64_t va : {(std::uint64_t{1} << 48) - 20, std::uint64_t{1} << 48, UINT64_MAX - 23,
				       ~std::uint64_t{3}}) {
		c.out.offset = va;
		const decoded d = decode_with(bytes_of(c), one_mib);
		EXPECT_EQ(d.why.code, ATOM_FAULT_VA_RANGE) << va;
		EXPECT_EQ(d.why.field, offsetof(atom_cmd_copy, out.offset));
	}
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3});
	for (const atom_arg arg : {atom_arg{(1ull << 48) - 4096, 1 << 20}, atom_arg{UINT64_MAX - 4095, 1 << 20},
				   atom_arg{UINT64_MAX - 7, UINT64_MAX}}) {
		const atom_arg args[] = {arg};
		c.in.slot = 0;
		c.in.offset = 0;
		EXPECT_EQ(decode_with(bytes_of(c), args).why.code, ATOM_FAULT_VA_RANGE);
	}
	/* Below zero. */
	c.in.strides[0] = -12ull;
	EXPECT_EQ(decode_with(bytes_of(c), one_mib).why.code, ATOM_FAULT_VA_RANGE);
}

TEST(Decode, SlotsReachAsFarAsTheTable)
{
	auto c = copy_command();
	EXPECT_EQ(decode_with(bytes_of(c), {}).why.code, ATOM_FAULT_BAD_SLOT);
	c.in.slot = 0xffff;
	EXPECT_EQ(decode_with(bytes_of(c), one_mib).why.code, ATOM_FAULT_BAD_SLOT);
}

TEST(Decode, ElementsOfAnOutputMayNotShareBytes)
{
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY, ATOM_COPY_FILL);
	const auto bad_stride = [&](std::vector<std::uint64_t> dims, std::vector<std::uint64_t> strides) {
		c.out = dense(ATOM_DTYPE_I16, 0, dims);
		std::copy(strides.begin(), strides.end(), c.out.strides);
		const decoded d = decode_with(bytes_of(c), one_mib);
		return d.op ? -1 : static_cast<int>((d.why.field - offsetof(atom_cmd_copy, out.strides)) / 8);
	};
	EXPECT_EQ(bad_stride({4, 8}, {16, 2}), -1);
	EXPECT_EQ(bad_stride({4, 8}, {14, 2}), 0);
	EXPECT_EQ(bad_stride({8, 4}, {2, 16}), -1); /* transposed */
	EXPECT_EQ(bad_stride({8, 4}, {2, 14}), 1);
	EXPECT_EQ(bad_stride({2, 2, 2}, {8, 2, 4}), -1);
	EXPECT_EQ(bad_stride({3, 2, 2}, {8, 2, 4}), -1);
	EXPECT_EQ(bad_stride({2, 2, 3}, {8, 2, 4}), 0);
	EXPECT_EQ(bad_stride({1, 5}, {0, 2}), -1); /* one element may stay where it is */
	EXPECT_EQ(bad_stride({1, 5}, {2, 2}), -1);
}

TEST(Decode, InPlaceIsAllowedForElementwiseCommandsOnly)
{
	auto u = command<atom_cmd_unary>(ATOM_OP_UNARY);
	u.in = u.out = dense(ATOM_DTYPE_F32, 64, {4, 8});
	EXPECT_TRUE(decode_with(bytes_of(u), one_mib).op);
	u.out.dtype = ATOM_DTYPE_F16; /* other size */
	for (auto &s : u.out.strides)
		s /= 2;
	EXPECT_EQ(decode_with(bytes_of(u), one_mib).why.code, ATOM_FAULT_OVERLAP);
	u.out = u.in;
	std::swap(u.out.strides[0], u.out.strides[1]); /* other order */
	u.out.strides[0] = 4;
	u.out.strides[1] = 16;
	EXPECT_EQ(decode_with(bytes_of(u), one_mib).why.code, ATOM_FAULT_OVERLAP);

	auto b = command<atom_cmd_binary>(ATOM_OP_BINARY);
	b.a = b.b = b.out = dense(ATOM_DTYPE_F32, 64, {4, 8});
	EXPECT_TRUE(decode_with(bytes_of(b), one_mib).op);
	b.b.strides[0] = 0; /* the row that is being written */
	EXPECT_EQ(decode_with(bytes_of(b), one_mib).why.code, ATOM_FAULT_OVERLAP);

	auto c = copy_command();
	c.out = c.in;
	EXPECT_EQ(decode_with(bytes_of(c), one_mib).why.code, ATOM_FAULT_OVERLAP);
	c.out.offset = 24; /* just behind */
	EXPECT_TRUE(decode_with(bytes_of(c), one_mib).op);
	c.out.offset = 20;
	EXPECT_EQ(decode_with(bytes_of(c), one_mib).why.code, ATOM_FAULT_OVERLAP);
	/* The same address by another slot is the same address. */
	const atom_arg args[] = {one_mib[0], {memory_va + 4096, 4096}};
	c.out.slot = 2;
	c.out.offset = 0;
	EXPECT_TRUE(decode_with(bytes_of(c), args).op);
	c.in.offset = 4096 + 8;
	EXPECT_EQ(decode_with(bytes_of(c), args).why.code, ATOM_FAULT_OVERLAP);
}

TEST(Decode, CostIsToldForTheTimingModel)
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = dense(ATOM_DTYPE_BF16, 0, {3, 64, 32});
	c.b = dense(ATOM_DTYPE_BF16, 65536, {3, 32, 48});
	c.out = dense(ATOM_DTYPE_F32, 131072, {3, 64, 48});
	const decoded d = decode_with(bytes_of(c), one_mib);
	ASSERT_TRUE(d.op);
	const cost &w = d.op->work();
	EXPECT_EQ(w.where, cost::unit::matrix);
	EXPECT_EQ(w.dtype, ATOM_DTYPE_BF16);
	EXPECT_EQ(w.macs, 3u * 64 * 32 * 48);
	EXPECT_EQ(w.m, 64u);
	EXPECT_EQ(w.n, 48u);
	EXPECT_EQ(w.k, 32u);
	EXPECT_EQ(decode_with(bytes_of(copy_command()), one_mib).op->work().where, cost::unit::dma);
}

} // namespace
} // namespace atom::engine::test
