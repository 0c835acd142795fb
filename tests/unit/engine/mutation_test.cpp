/* SPDX-License-Identifier: MIT */
/*
 * Commands with random damage: whatever decodes must run inside its operands,
 * on both engines. (Under the sanitizers this is the test that finds most.)
 */
#include <gtest/gtest.h>

#include "harness.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t memory_bytes = 1 << 20;

std::vector<std::vector<std::byte>> seeds()
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
	return all;
}

void damage(std::vector<std::byte> &c, std::mt19937 &random)
{
	static constexpr std::uint64_t values[] = {0, 1, 2, 3, 4, 8, 16, 31, 32, 33, 64, 1024, 1 << 19, 1 << 20,
						   1ull << 31, 1ull << 32, 1ull << 47, 1ull << 48, 1ull << 63,
						   UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 3, UINT64_MAX - 31};
	for (unsigned n = 1 + random() % 3; n; --n) {
		const std::size_t words = c.size() / 8;
		const std::size_t at = 16 + random() % (c.size() - 16);
		switch (random() % 3) {
		case 0:
			c[at] = static_cast<std::byte>(random());
			break;
		case 1:
			c[at] ^= std::byte{1} << random() % 8;
			break;
		default:
			std::memcpy(c.data() + 8 * (2 + random() % (words - 2)), &values[random() % std::size(values)], 8);
		}
	}
}

TEST(Mutation, DamagedCommandsFaultOrRunInsideTheirOperands)
{
	std::mt19937 random(11);
	const auto all = seeds();
	unsigned decoded = 0;
	for (unsigned i = 0; i < 60000; ++i) {
		auto c = all[i % all.size()];
		damage(c, random);
		arena mem(memory_bytes >> 6);
		const atom_arg args[] = {{memory_va, mem.bytes().size()}};
		for (const bool reference : {false, true}) {
			/* Small limits, or one command would take the whole test's time. */
			fault why;
			const auto op = decode(c, args, {.reference = reference, .macs_log2_max = 16}, why);
			ASSERT_EQ(op == nullptr, static_cast<bool>(why));
			if (!op) {
				ASSERT_LT(why.field, c.size()) << i;
				continue;
			}
			++decoded;
			const auto how = static_cast<fake_memory::mapping>(i % 3);
			fake_memory m(mem.bytes(), op->operands(), how);
			scratch work;
			for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile)
				op->run(tile, m, work);
			ASSERT_EQ(m.breach(), "") << i;
		}
	}
	EXPECT_GT(decoded, 5000u) << "the damage is too great to test anything";
}

} // namespace
} // namespace atom::engine::test
