// SPDX-License-Identifier: MIT
// Each command that is added through the C interface is, byte for byte, the one that C++ adds.
#include "c_fixture.hpp"

namespace atom::test {
namespace {

class commands_from_c : public on_fake_kernel {
protected:
	atom_context context{ctx};
	atom_buffer memory{buffer(ctx, 1U << 16), {}, {}};

	/** Bytes of what @p in_c and @p in_cpp add; those of the latter must be the same. */
	template <class C, class Cpp>
	void same(C &&in_c, Cpp &&in_cpp)
	{
		atom_builder *builder = nullptr;
		ASSERT_EQ(atom_builder_create(&context, &builder), ATOM_OK);
		ASSERT_EQ(in_c(builder), ATOM_OK) << atom_last_error();
		const command_buffer from_c = builder->value.finish();
		atom_builder_destroy(builder);
		command_builder expected(ctx);
		in_cpp(expected);
		const command_buffer from_cpp = expected.finish();
		ASSERT_EQ(from_c.bytes().size(), from_cpp.bytes().size());
		EXPECT_TRUE(std::equal(from_c.bytes().begin(), from_c.bytes().end(),
		                       from_cpp.bytes().begin()));
	}

	/** The same operand for both. */
	struct both {
		atom_operand c{};
		tensor cpp;
		operator const atom_operand *() const { return &c; }
	};

	static both in_slot(std::uint16_t number, std::initializer_list<std::uint64_t> dims,
	                    std::uint32_t type = ATOM_DTYPE_F32)
	{
		both b{{}, tensor(slot(number), static_cast<dtype>(type), dims)};
		b.c.size = sizeof(b.c);
		b.c.dtype = type;
		b.c.where.slot = number;
		b.c.rank = static_cast<std::uint32_t>(dims.size());
		std::copy(dims.begin(), dims.end(), b.c.dims);
		return b;
	}
};

TEST_F(commands_from_c, name_places_strides_and_quantisation)
{
	both in = in_slot(1, {2, 8}, ATOM_DTYPE_I8), out = in;
	// In a buffer, backwards from its middle.
	in.c.where = {&memory, 0, 0, 1024};
	in.c.has_strides = 1;
	in.c.strides[0] = -16;
	in.c.strides[1] = 2;
	in.c.quantisation = ATOM_QUANT_PER_TENSOR;
	in.c.scale = 0.5F;
	in.c.zero_point = 3;
	in.cpp = tensor(memory.value, dtype::i8, {2, 8});
	in.cpp.strides(std::vector<std::int64_t>{-16, 2}).advance(1024).quantise(0.5F, 3);
	out.c.where.offset = 64;
	out.c.quantisation = ATOM_QUANT_PER_CHANNEL;
	out.c.axis = 1;
	out.c.scales.slot = out.c.zero_points.slot = 2;
	out.c.zero_points.offset = 32;
	out.cpp = tensor(location(slot(1), 64), dtype::i8, {2, 8});
	out.cpp.quantise(1, slot(2), {slot(2), 32});
	same([&](auto *b) { return atom_builder_cast(b, in, out, 3); },
	     [&](auto &b) { b.cast(in.cpp, out.cpp, {true, true}); });
}

TEST_F(commands_from_c, order_and_move)
{
	const both in = in_slot(1, {4, 4}), out = in_slot(2, {4, 4});
	const atom_place at{nullptr, 3, 0, 8};
	same(
		[&](auto *b) {
			return atom_builder_tag(b, 7) | atom_builder_nop(b) |
		               atom_builder_barrier(b) | atom_builder_timestamp(b, &at) |
		               atom_builder_copy(b, in, out) | atom_builder_fill(b, out, 2.5) |
		               atom_builder_fill_bits(b, out, 0x3f80);
		},
		[&](auto &b) {
			b.tag(7).nop().barrier().timestamp({slot(3), 8}).copy(in.cpp, out.cpp);
			b.fill(out.cpp, 2.5).fill_bits(out.cpp, 0x3f80);
		});
}

TEST_F(commands_from_c, multiply_with_everything_behind_it)
{
	const both a = in_slot(1, {2, 32}), w = in_slot(2, {32, 4}), out = in_slot(3, {2, 4});
	auto after = sized<atom_epilogue_options>();
	after.activation = ATOM_FN_CLIP;
	after.p0 = -1;
	after.p1 = 6;
	after.bias = after.residual = out;
	auto o = sized<atom_gemm_options>();
	o.alpha = 0.25F;
	o.constant_b = 1;
	o.epilogue = &after;
	const epilogue expected{out.cpp, out.cpp, function::clip, -1, 6};
	same([&](auto *b) { return atom_builder_gemm(b, a, w, out, &o); },
	     [&](auto &b) { b.gemm(a.cpp, w.cpp, out.cpp, {0.25F, false, true, expected}); });
	same([&](auto *b) { return atom_builder_gemm(b, a, w, out, nullptr); },
	     [&](auto &b) { b.gemm(a.cpp, w.cpp, out.cpp); });
}

TEST_F(commands_from_c, multiply_with_weights_whose_blocks_lie_along_the_rows)
{
	const both a = in_slot(1, {2, 64}), out = in_slot(3, {2, 4});
	both weights = in_slot(2, {4, 64}, ATOM_DTYPE_Q8_0);
	weights.cpp.transpose(0, 1);
	std::swap(weights.c.dims[0], weights.c.dims[1]);
	weights.c.quantisation = ATOM_QUANT_BLOCK;
	weights.c.axis = 0;
	auto o = sized<atom_gemm_options>();
	o.quantise_activations = 1;
	same([&](auto *b) { return atom_builder_gemm(b, a, weights, out, &o); },
	     [&](auto &b) { b.gemm(a.cpp, weights.cpp, out.cpp, {1, true}); });
	weights.c.has_strides = 1;
	weights.c.strides[0] = 34;
	weights.c.strides[1] = 340;
	weights.cpp.strides(std::vector<std::int64_t>{34, 340});
	same([&](auto *b) { return atom_builder_gemm(b, a, weights, out, nullptr); },
	     [&](auto &b) { b.gemm(a.cpp, weights.cpp, out.cpp); });
	both last = in_slot(2, {4, 64}, ATOM_DTYPE_Q4_0);
	const both wide = in_slot(3, {4, 64});
	same([&](auto *b) { return atom_builder_cast(b, last, wide, 0); },
	     [&](auto &b) { b.cast(last.cpp, wide.cpp); });
}

TEST_F(commands_from_c, look_at_images_through_windows)
{
	const both in = in_slot(1, {1, 8, 8, 4}), weight = in_slot(2, {4, 3, 3, 2});
	auto o = sized<atom_conv2d_options>();
	o.groups = 2;
	o.window = {{2, 1}, {1, 2}, {1, 2, 1, 2}};
	const window2d window{{2, 1}, {1, 2}, {1, 2, 1, 2}};
	const both out = in_slot(3, {1, 4, 8, 4});
	same([&](auto *b) { return atom_builder_conv2d(b, in, weight, out, &o); },
	     [&](auto &b) { b.conv2d(in.cpp, weight.cpp, out.cpp, {window, 2, {}}); });
	const both up = in_slot(3, {1, 15, 8, 4});
	same([&](auto *b) { return atom_builder_conv_transpose2d(b, in, weight, up, &o); },
	     [&](auto &b) { b.conv_transpose2d(in.cpp, weight.cpp, up.cpp, {window, 2, {}}); });
	o.constant_weight = 1;
	const conv2d_options constant{window, 2, {}, true};
	same([&](auto *b) { return atom_builder_conv2d(b, in, weight, out, &o); },
	     [&](auto &b) { b.conv2d(in.cpp, weight.cpp, out.cpp, constant); });
	same([&](auto *b) { return atom_builder_conv_transpose2d(b, in, weight, up, &o); },
	     [&](auto &b) { b.conv_transpose2d(in.cpp, weight.cpp, up.cpp, constant); });
	// As a program has it that was built before there was the promise.
	o.size = offsetof(atom_conv2d_options, constant_weight);
	same([&](auto *b) { return atom_builder_conv2d(b, in, weight, out, &o); },
	     [&](auto &b) { b.conv2d(in.cpp, weight.cpp, out.cpp, {window, 2, {}}); });

	const both pooled = in_slot(3, {1, 4, 4, 4}), index = in_slot(4, {1, 4, 4, 4}, ATOM_DTYPE_I64);
	auto p = sized<atom_pool2d_options>();
	p.kernel[0] = p.kernel[1] = 2;
	p.window.stride[0] = p.window.stride[1] = 2;
	p.index = index;
	auto after = sized<atom_epilogue_options>();
	after.activation = ATOM_FN_RELU;
	p.epilogue = &after;
	pool2d_options expected;
	expected.kernel = expected.window.stride = {2, 2};
	expected.index = index.cpp;
	expected.epilogue.activation = function::relu;
	same([&](auto *b) { return atom_builder_pool2d(b, ATOM_POOL_MAX, in, pooled, &p); },
	     [&](auto &b) { b.pool2d(pool_kind::max, in.cpp, pooled.cpp, expected); });
	p.index = nullptr;
	p.count_padding = 1;
	p.window.padding[0] = 1;
	const both taller = in_slot(3, {1, 4, 4, 4});
	expected.index.reset();
	expected.count_padding = true;
	expected.window.padding.top = 1;
	same([&](auto *b) { return atom_builder_pool2d(b, ATOM_POOL_AVERAGE, in, taller, &p); },
	     [&](auto &b) { b.pool2d(pool_kind::average, in.cpp, taller.cpp, expected); });

	const both large = in_slot(3, {1, 16, 12, 4});
	auto r = sized<atom_resize2d_options>();
	r.mode = ATOM_RESIZE_CUBIC;
	r.coordinate = ATOM_COORD_CROP_AND_RESIZE;
	r.cubic_coeff = -0.75F;
	r.roi[0] = 0.25F;
	r.roi[1] = 0.125F;
	r.roi[2] = 0.75F;
	r.roi[3] = 0.875F;
	r.extrapolation = 9;
	r.exclude_outside = 1;
	resize2d_options resized;
	resized.mode = resize_mode::cubic;
	resized.coordinate = resize_coordinate::crop_and_resize;
	resized.cubic_coeff = -0.75F;
	resized.roi = {0.25F, 0.125F, 0.75F, 0.875F};
	resized.extrapolation = 9;
	resized.exclude_outside = true;
	same([&](auto *b) { return atom_builder_resize2d(b, in, large, &r); },
	     [&](auto &b) { b.resize2d(in.cpp, large.cpp, resized); });
}

TEST_F(commands_from_c, go_element_by_element)
{
	const both a = in_slot(1, {4, 8}), c = in_slot(2, {4, 8}), out = in_slot(3, {4, 8});
	const both truth = in_slot(4, {4, 8}, ATOM_DTYPE_U8), packed = in_slot(1, {4, 16});
	auto after = sized<atom_epilogue_options>();
	after.activation = ATOM_FN_TANH;
	same([&](auto *b) { return atom_builder_binary(b, ATOM_BINARY_POW, a, c, out, &after); },
	     [&](auto &b) {
		     b.binary(binary_kind::pow, a.cpp, c.cpp, out.cpp,
	                      {{}, {}, function::tanh, 0, 0, {}});
	     });
	same([&](auto *b) { return atom_builder_unary(b, ATOM_FN_CLIP, a, out, -2, 2); },
	     [&](auto &b) { b.unary(function::clip, a.cpp, out.cpp, -2, 2); });
	same([&](auto *b) { return atom_builder_select(b, truth, a, c, out); },
	     [&](auto &b) { b.select(truth.cpp, a.cpp, c.cpp, out.cpp); });
	auto o = sized<atom_glu_options>();
	o.limit = 7;
	o.bias = 1;
	same([&](auto *b) { return atom_builder_glu(b, ATOM_FN_SILU, a, c, out, &o); },
	     [&](auto &b) { b.glu(function::silu, a.cpp, c.cpp, out.cpp, {1, 7, 1, false}); });
	o.swapped = 1;
	same([&](auto *b) { return atom_builder_glu(b, ATOM_FN_GELU_ERF, packed, nullptr, out, &o); },
	     [&](auto &b) { b.glu(function::gelu_erf, packed.cpp, out.cpp, {0, 7, 1, true}); });
}

TEST_F(commands_from_c, go_along_rows)
{
	const both in = in_slot(1, {1, 2, 4, 8}), out = in_slot(2, {1, 2, 4, 8});
	const both sums = in_slot(2, {1, 1, 4, 1}), last = in_slot(2, {1, 2, 4, 1}, ATOM_DTYPE_I32);
	const both heads = in_slot(3, {2}), one = in_slot(4, {1, 2, 4, 1});
	same([&](auto *b) { return atom_builder_reduce(b, ATOM_REDUCE_MEAN, in, sums, 10, 0); },
	     [&](auto &b) { b.reduce(reduce_kind::mean, in.cpp, sums.cpp, {1, 3}); });
	same([&](auto *b) { return atom_builder_reduce(b, ATOM_REDUCE_ARGMAX, in, last, 8, 1); },
	     [&](auto &b) { b.reduce(reduce_kind::argmax, in.cpp, last.cpp, {3}, {true}); });
	auto s = sized<atom_softmax_options>();
	s.scale = 0.5F;
	s.causal = 1;
	s.causal_offset = 4;
	s.max_bias = 8;
	s.mask = in;
	s.sinks = heads;
	softmax_options softmax;
	softmax.scale = 0.5F;
	softmax.causal = true;
	softmax.causal_offset = 4;
	softmax.max_bias = 8;
	softmax.mask = in.cpp;
	softmax.sinks = heads.cpp;
	same([&](auto *b) { return atom_builder_softmax(b, in, out, 3, &s); },
	     [&](auto &b) { b.softmax(in.cpp, out.cpp, 3, softmax); });
	s = sized<atom_softmax_options>();
	s.log = 1;
	same([&](auto *b) { return atom_builder_softmax(b, in, out, 3, &s); },
	     [&](auto &b) { b.softmax(in.cpp, out.cpp, 3, {1, true}); });
	auto n = sized<atom_norm_options>();
	n.eps = 1e-5F;
	n.gamma = n.beta = in;
	n.mean = n.inverse = one;
	norm_options norm;
	norm.eps = 1e-5F;
	norm.gamma = norm.beta = in.cpp;
	norm.mean = norm.inverse = one.cpp;
	same([&](auto *b) { return atom_builder_norm(b, ATOM_NORM_LAYER, in, out, 8, &n); },
	     [&](auto &b) { b.norm(norm_kind::layer, in.cpp, out.cpp, {3}, norm); });
	n = sized<atom_norm_options>();
	n.lrn_alpha = 1e-4F;
	n.lrn_beta = 0.75F;
	n.lrn_bias = 1;
	n.lrn_size = 5;
	norm = {};
	norm.lrn = {1e-4F, 0.75F, 1, 5};
	same([&](auto *b) { return atom_builder_norm(b, ATOM_NORM_LRN, in, out, 8, &n); },
	     [&](auto &b) { b.norm(norm_kind::lrn, in.cpp, out.cpp, {3}, norm); });
	n = sized<atom_norm_options>();
	n.groups = 2;
	n.group_axis = 3;
	norm = {};
	norm.groups = 2;
	norm.group_axis = 3;
	same([&](auto *b) { return atom_builder_norm(b, ATOM_NORM_LAYER, in, out, 12, &n); },
	     [&](auto &b) { b.norm(norm_kind::layer, in.cpp, out.cpp, {2, 3}, norm); });
}

TEST_F(commands_from_c, turn_pairs)
{
	const both in = in_slot(1, {1, 2, 4, 8}), out = in_slot(2, {1, 2, 4, 8});
	const both at = in_slot(3, {4}, ATOM_DTYPE_I32), factors = in_slot(4, {4});
	auto o = sized<atom_rope_options>();
	o.interleaved = o.inverse = 1;
	o.position_axis = 2;
	o.frequency_scale = 0.5F;
	o.attention = 2;
	o.yarn_original_context = 4096;
	o.yarn_extrapolation = 1;
	o.yarn_beta_fast = 32;
	o.yarn_beta_slow = 1;
	o.positions = at;
	o.factors = factors;
	rope_options rope;
	rope.interleaved = rope.inverse = true;
	rope.position_axis = 2;
	rope.frequency_scale = 0.5F;
	rope.attention = 2;
	rope.yarn = {4096, 1, 32, 1};
	rope.positions = at.cpp;
	rope.factors = factors.cpp;
	same([&](auto *b) { return atom_builder_rope(b, in, out, &o); },
	     [&](auto &b) { b.rope(in.cpp, out.cpp, rope); });
	const both table = in_slot(5, {1, 2, 4, 4}), sines = in_slot(6, {1, 2, 4, 4});
	o = sized<atom_rope_options>();
	o.cosines = table;
	o.sines = sines;
	rope = {};
	rope.cos = table.cpp;
	rope.sin = sines.cpp;
	same([&](auto *b) { return atom_builder_rope(b, in, out, &o); },
	     [&](auto &b) { b.rope(in.cpp, out.cpp, rope); });
}

TEST_F(commands_from_c, follow_indices)
{
	const both data = in_slot(1, {2, 8, 4}), index = in_slot(2, {2, 3}, ATOM_DTYPE_I64);
	const both rows = in_slot(3, {2, 3, 4});
	auto o = sized<atom_index_options>();
	o.axis = o.batch_dims = o.wrap_negative = 1;
	same([&](auto *b) { return atom_builder_gather(b, ATOM_GATHER_ROWS, data, index, rows, &o); },
	     [&](auto &b) {
		     b.gather(index_mode::rows, data.cpp, index.cpp, rows.cpp, {1, 1, true});
	     });
	o.reduction = ATOM_SCATTER_ADD;
	same(
		[&](auto *b) {
			return atom_builder_scatter(b, ATOM_GATHER_ROWS, rows, index, data, &o);
		},
		[&](auto &b) {
			b.scatter(index_mode::rows, rows.cpp, index.cpp, data.cpp,
		                  {scatter_reduction::add, 1, 1, true});
		});
}

TEST_F(commands_from_c, are_refused_with_the_builder_left_as_it_was)
{
	atom_builder b{command_builder(ctx)};
	both in = in_slot(1, {4}), out = in_slot(2, {4});
	const auto refused = [&](int status) {
		EXPECT_EQ(status, ATOM_ERROR_INVALID_ARGUMENT) << atom_last_error();
		return std::string(atom_last_error());
	};
	EXPECT_EQ(refused(atom_builder_copy(&b, nullptr, out)), "in is null");
	EXPECT_EQ(refused(atom_builder_cast(&b, in, out, 4)), "cast: there is no such flag");
	in.c.rank = 6;
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)), "in: it has too many dimensions");
	in = in_slot(1, {4});
	in.c.dtype = 300;
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)), "dtype: there is no 300");
	in = in_slot(1, {4});
	in.c.quantisation = 9;
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)), "in: there is no such quantisation");
	in.c.quantisation = ATOM_QUANT_BLOCK;
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)), "in: its type has no blocks");
	in.c.axis = 1;
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)), "in: there is no such axis");
	in = in_slot(1, {4});
	in.c.where.buffer = &memory;
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)),
	          "in: it must be either in a buffer or in a slot");
	in.c.where = {nullptr, 5000, 0, 0};
	EXPECT_EQ(refused(atom_builder_copy(&b, in, out)), "in: there is no such slot");
	in.c.where = {&memory, 0, 0, 1U << 20};
	EXPECT_EQ(atom_builder_copy(&b, in, out), ATOM_ERROR_OUT_OF_RANGE);
	EXPECT_EQ(refused(atom_builder_unary(&b, 70000, out, out, 0, 0)),
	          "function: there is no 70000");
	EXPECT_EQ(atom_builder_nop(&b), ATOM_OK);
	EXPECT_EQ(b.value.finish().size(), 1U);
}

} // namespace
} // namespace atom::test
