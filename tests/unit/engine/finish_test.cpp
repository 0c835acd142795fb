/* SPDX-License-Identifier: MIT */
/*
 * From sums to outputs, where rounding is in doubt: products of one term, so that each sum is known, against the reference.
 */
#include "random_commands.h"
#include "sums.h"

namespace atom::engine::test {
namespace {

class Finish : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, Finish, instruction_sets(), instruction_set_name);

constexpr std::uint64_t b_at = 4096, scales_at = 8192, bias_at = 12288, out_at = 16384, memory_bytes = 64 << 10;
constexpr std::uint64_t rows = 60, columns = 200; // three times 64 and some

template <class Command> void expect_same(const Command &c, const arena &start, const std::string &what)
{
	arena expected = start, mem = start;
	expect_good(run(c, expected, true));
	expect_good(run(c, mem, false));
	ASSERT_FALSE(expected == start);
	for (std::uint64_t i = out_at; i < memory_bytes; ++i)
		ASSERT_EQ(*mem.at<std::uint8_t>(i), *expected.at<std::uint8_t>(i)) << what << ", byte " << i - out_at;
}

atom_cmd_gemm products(unsigned a, unsigned b, unsigned out, std::uint64_t m)
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = dense(a, 0, {m, 1});
	c.b = dense(b, b_at, {1, columns});
	c.out = dense(out, out_at, {m, columns});
	return c;
}

/* The same as a convolution, whose tiles make the outputs if they can; so many pixels that two rows of tiles are not even. */
atom_cmd_conv2d windows(const atom_cmd_gemm &c, std::uint64_t pixels)
{
	constexpr std::uint64_t whole_panels = 192;
	auto w = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	w.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
	w.groups = 1;
	const auto with = [](atom_tensor t, const atom_quant &quant) {
		t.quant = quant;
		return t;
	};
	w.in = with(dense(c.a.dtype, c.a.offset, {1, 1, pixels, 1}), c.a.quant);
	w.weight = with(dense(c.b.dtype, c.b.offset, {whole_panels, 1, 1, 1}), c.b.quant);
	w.weight.quant.axis = 0;
	w.out = with(dense(c.out.dtype, c.out.offset, {1, 1, pixels, whole_panels}), c.out.quant);
	w.epilogue = c.epilogue;
	if (c.epilogue.bias.dtype != ATOM_DTYPE_NONE) {
		w.epilogue.bias = dense(c.epilogue.bias.dtype, c.epilogue.bias.offset, {1, 1, pixels, whole_panels});
		w.epilogue.bias.strides[2] = 0;
	}
	return w;
}

TEST_P(Finish, SumsOnOrNearAHalfRoundToTheSameBytes)
{
	arena start(memory_bytes);
	for (unsigned i = 0; i < rows; ++i)
		*start.at<std::uint8_t>(i) = static_cast<std::uint8_t>(i * 255 / (rows - 1));
	for (unsigned j = 0; j < columns; ++j)
		*start.at<std::int8_t>(b_at + j) = static_cast<std::int8_t>(j - 100);
	for (const float scale : {1.0f, 0.3f, 0.7500001f, 1e-30f, 3e5f})
		for (const float out_scale : {4.0f, 6.0f, 1024.0f, 1.99f, 0.6f, 2.9999998f})
			for (const unsigned out : {ATOM_DTYPE_I8, ATOM_DTYPE_U8})
				for (const unsigned activation : {ATOM_FN_IDENTITY, ATOM_FN_RELU, ATOM_FN_CLIP}) {
					auto c = products(ATOM_DTYPE_U8, ATOM_DTYPE_I8, out, rows);
					for (unsigned j = 0; j < columns; ++j) {
						start.at<float>(scales_at)[j] = scale * (1 + 0x1p-23f * static_cast<float>(j % 7));
						start.at<std::int32_t>(bias_at)[j] = static_cast<std::int32_t>(j % 5) - 2;
					}
					c.b.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0,
						     .zero_point = 0, .flags = 0, .scale_offset = scales_at,
						     .zero_point_offset = 0};
					c.a = quantised(c.a, 1, 0);
					c.out = quantised(c.out, out_scale, out == ATOM_DTYPE_U8 ? 255 : -3);
					c.epilogue.bias = dense(ATOM_DTYPE_I32, bias_at, {rows, columns});
					c.epilogue.bias.strides[0] = 0;
					c.epilogue.activation = static_cast<std::uint16_t>(activation);
					c.epilogue.p0 = activation == ATOM_FN_CLIP ? -30.5f * out_scale : 0;
					c.epilogue.p1 = activation == ATOM_FN_CLIP ? 21.5f * out_scale : 0;
					const std::string what = "scale " + std::to_string(scale) + " to " + std::to_string(out_scale) +
								 ", activation " + std::to_string(activation);
					expect_same(c, start, what);
					expect_same(windows(c, 59), start, "convolution, " + what);
				}
}

TEST_P(Finish, FloatsRoundToTheSameHalves)
{
	const std::uint32_t patterns[] = {0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f817fff, 0x7f7fffff, 0x7f7f8000,
					  0x00008000, 0x00018000, 0x807fffff, 0x477fefff, 0x477ff000, 0xff800000, 0x33000000};
	arena start(memory_bytes);
	*start.at<float>(0) = 1;
	*start.at<float>(4) = -1;
	for (const bool with_nan : {false, true}) {
		for (unsigned j = 0; j < columns; ++j)
			start.at<std::uint32_t>(b_at)[j] = with_nan && j % 37 == 5 ? 0x7fc00000 : patterns[j % std::size(patterns)];
		for (const unsigned out : {ATOM_DTYPE_BF16, ATOM_DTYPE_F16, ATOM_DTYPE_F32})
			expect_same(products(ATOM_DTYPE_F32, ATOM_DTYPE_F32, out, 2), start,
				    "type " + std::to_string(out) + (with_nan ? " with NaN" : ""));
	}
}

/* Sums that are 0 and a bias of any bits. */
TEST_P(Finish, FloatsThatTilesMakeRoundToTheSameHalves)
{
	const std::uint32_t patterns[] = {0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f817fff, 0x7f7fffff, 0x7f7f8000,
					  0x00008000, 0x00018000, 0x00008001, 0x807fffff, 0x477fefff, 0x477ff000, 0xff800000,
					  0x33000000, 0x00000001, 0x80800000, 0x38800001};
	constexpr std::uint64_t pixels = 15;
	for (const unsigned in : {ATOM_DTYPE_BF16, ATOM_DTYPE_F32})
		for (const unsigned special : {0U, 0x7fc00000U, 0xffc12345U}) {
			arena start(memory_bytes);
			std::memset(start.at<std::byte>(0), 0, bias_at);
			for (unsigned j = 0; j < columns; ++j)
				start.at<std::uint32_t>(bias_at)[j] = special && j % 37 == 5 ? special : patterns[j % std::size(patterns)];
			for (const unsigned out : {ATOM_DTYPE_BF16, ATOM_DTYPE_F16, ATOM_DTYPE_F32}) {
				auto c = products(in, in, out, pixels);
				c.epilogue.bias = dense(ATOM_DTYPE_F32, bias_at, {columns});
				expect_same(windows(c, pixels), start, "type " + std::to_string(out) + ", special " + std::to_string(special));
			}
		}
}

} // namespace
} // namespace atom::engine::test
