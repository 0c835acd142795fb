// SPDX-License-Identifier: MIT
// A layer with bias and ReLU as the engine's command and as oneDNN's convolution.
#pragma once

#include <dnnl.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include "atom/hw/command.h"
#include "conv_layer.hpp"

namespace bench {

using dt = dnnl::memory::data_type;
using tag = dnnl::memory::format_tag;

struct kind {
	const char *name;
	atom_dtype in, weight, out, bias;
	std::size_t bytes;
	dt dnnl_in, dnnl_weight, dnnl_out, dnnl_bias;
};

inline const kind kinds[] = {
	{"f32", ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32, ATOM_DTYPE_F32, 4, dt::f32, dt::f32, dt::f32, dt::f32},
	{"bf16", ATOM_DTYPE_BF16, ATOM_DTYPE_BF16, ATOM_DTYPE_BF16, ATOM_DTYPE_F32, 2, dt::bf16, dt::bf16, dt::bf16, dt::f32},
	{"int8", ATOM_DTYPE_U8, ATOM_DTYPE_I8, ATOM_DTYPE_U8, ATOM_DTYPE_I32, 1, dt::u8, dt::s8, dt::u8, dt::s32},
};

inline atom_tensor dense(atom_dtype dtype, std::uint64_t offset, std::uint64_t bytes, const std::uint64_t (&dims)[4])
{
	atom_tensor t = {};
	t.dtype = dtype;
	t.rank = 4;
	t.offset = offset;
	std::uint64_t stride = bytes;
	for (unsigned i = 4; i-- > 0; stride *= dims[i]) {
		t.dims[i] = dims[i];
		t.strides[i] = stride;
	}
	return t;
}

/** Operands behind one another in one buffer. */
struct operands {
	std::size_t in, weight, bias, scales, out, end;
	std::size_t in_count, weight_count, out_count;

	operands(const kind &k, const conv_layer &l)
	{
		const auto product = [](auto... n) { return (std::size_t{1} * ... * static_cast<std::size_t>(n)); };
		const auto behind = [](std::size_t at, std::size_t bytes) { return (at + bytes + 4095) / 4096 * 4096; };
		in_count = product(l.size, l.size, l.in);
		weight_count = product(l.out, l.terms());
		out_count = product(l.out_size(), l.out_size(), l.out);
		in = 0;
		weight = behind(in, in_count * k.bytes);
		bias = behind(weight, weight_count * k.bytes);
		scales = behind(bias, product(l.out, 4));
		out = behind(scales, product(l.out, 4));
		end = behind(out, out_count * k.bytes);
	}
};

/** Sums of int8 lie within about this. */
inline float out_scale(const conv_layer &l)
{
	return std::sqrt(static_cast<float>(l.terms())) * 40;
}

inline void fill(std::byte *data, const kind &k, const conv_layer &l, const operands &at)
{
	std::mt19937 random(1);
	std::normal_distribution<float> normal;
	const auto put = [&](std::size_t to, std::size_t count) {
		for (std::size_t i = 0; i < count; ++i) {
			const float value = normal(random);
			if (k.bytes == 4)
				std::memcpy(data + to + 4 * i, &value, 4);
			else if (k.bytes == 2)
				std::memcpy(data + to + 2 * i, reinterpret_cast<const std::byte *>(&value) + 2, 2);
			else
				data[to + i] = static_cast<std::byte>(static_cast<int>(value * 40));
		}
	};
	put(at.in, at.in_count);
	put(at.weight, at.weight_count);
	for (int i = 0; i < l.out; ++i) {
		const float bias = normal(random), scale = 1 + 0.001f * static_cast<float>(i % 16);
		const auto integer = static_cast<std::int32_t>(bias * 1000);
		std::memcpy(data + at.bias + 4 * i, k.bias == ATOM_DTYPE_I32 ? static_cast<const void *>(&integer) : &bias, 4);
		std::memcpy(data + at.scales + 4 * i, &scale, 4);
	}
}

/** Everything lies from VA @p base on. @p constant: the weights, as oneDNN's, which it has packed before. */
inline atom_cmd_conv2d make_command(const kind &k, const conv_layer &l, const operands &at, std::uint64_t base,
				    bool constant = true)
{
	const auto n = [](int i) { return static_cast<std::uint64_t>(i); };
	const auto side = static_cast<std::uint32_t>(l.kernel), stride = static_cast<std::uint32_t>(l.stride),
		   pad = static_cast<std::uint32_t>(l.pad());
	atom_cmd_conv2d c = {};
	c.header.opcode = ATOM_OP_CONV2D;
	c.header.bytes = sizeof c;
	c.header.flags = constant ? ATOM_CONV_WEIGHT_CONSTANT : 0;
	c.window = {side, side, stride, stride, 1, 1, pad, pad, pad, pad};
	c.groups = static_cast<std::uint32_t>(l.groups);
	c.in = dense(k.in, base + at.in, k.bytes, {1, n(l.size), n(l.size), n(l.in)});
	c.weight = dense(k.weight, base + at.weight, k.bytes, {n(l.out), side, side, n(l.in / l.groups)});
	c.out = dense(k.out, base + at.out, k.bytes, {1, n(l.out_size()), n(l.out_size()), n(l.out)});
	c.epilogue.bias = dense(k.bias, base + at.bias, 4, {1, n(l.out_size()), n(l.out_size()), n(l.out)});
	for (unsigned i = 0; i < 3; ++i)
		c.epilogue.bias.strides[i] = 0;
	c.epilogue.activation = ATOM_FN_RELU;
	if (k.bytes == 1) {
		c.in.quant.kind = c.out.quant.kind = ATOM_QUANT_PER_TENSOR;
		c.in.quant.scale = 1;
		c.out.quant.scale = out_scale(l);
		c.weight.quant.kind = ATOM_QUANT_PER_CHANNEL;
		c.weight.quant.scale_offset = base + at.scales;
	}
	return c;
}

/** The same of oneDNN. */
class theirs {
public:
	theirs(dnnl::engine &engine, dnnl::stream &stream, const kind &k, const conv_layer &l, std::byte *data,
	       const operands &at)
	    : stream_(stream), lying_({weights_of(l), k.dnnl_weight, l.groups == 1 ? tag::ohwi : tag::gohwi}, engine, data + at.weight)
	{
		const dnnl::memory::dims in = {1, l.in, l.size, l.size}, weight = weights_of(l),
					 out = {1, l.out, l.out_size(), l.out_size()}, strides = {l.stride, l.stride},
					 pads = {l.pad(), l.pad()};
		using md = dnnl::memory::desc;
		const md bias({l.out}, k.dnnl_bias, tag::a);
		const dnnl::convolution_forward::desc desc(
			dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
			md(in, k.dnnl_in, tag::any), md(weight, k.dnnl_weight, tag::any), bias,
			md(out, k.dnnl_out, tag::any), strides, pads, pads);
		dnnl::primitive_attr attributes;
		dnnl::post_ops relu;
		relu.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
		attributes.set_post_ops(relu);
		if (k.bytes == 1) {
			std::vector<float> scales(static_cast<std::size_t>(l.out));
			std::memcpy(scales.data(), data + at.scales, scales.size() * 4);
			for (float &scale : scales)
				scale /= out_scale(l);
			attributes.set_output_scales(2, scales);
		}
		const dnnl::convolution_forward::primitive_desc pd(desc, attributes, engine);
		name_ = pd.impl_info_str();
		primitive_ = dnnl::convolution_forward(pd);
		const auto brought = [&](const dnnl::memory &from, const md &wanted) {
			if (from.get_desc() == wanted)
				return from;
			dnnl::memory to(wanted, engine);
			dnnl::reorder(from, to).execute(stream, const_cast<dnnl::memory &>(from), to);
			return to;
		};
		out_ = dnnl::memory(pd.dst_desc(), engine);
		memories_ = {{DNNL_ARG_SRC, brought({md(in, k.dnnl_in, tag::nhwc), engine, data + at.in}, pd.src_desc())},
			     {DNNL_ARG_WEIGHTS, brought(lying_, pd.weights_desc())},
			     {DNNL_ARG_BIAS, {bias, engine, data + at.bias}},
			     {DNNL_ARG_DST, out_}};
		result_ = dnnl::memory(md(out, k.dnnl_out, tag::nhwc), engine);
	}

	void execute() const { primitive_.execute(stream_, memories_); }
	/** From the weights as they lie, each time. */
	void pack_and_execute()
	{
		dnnl::memory &packed = memories_.at(DNNL_ARG_WEIGHTS);
		dnnl::reorder(lying_, packed).execute(stream_, lying_, packed);
		execute();
	}
	const std::string &name() const { return name_; }
	/** Pixels with their channels side by side. */
	const std::byte *result()
	{
		dnnl::reorder(out_, result_).execute(stream_, out_, result_);
		return static_cast<const std::byte *>(result_.get_data_handle());
	}

private:
	static dnnl::memory::dims weights_of(const conv_layer &l)
	{
		if (l.groups == 1)
			return {l.out, l.in, l.kernel, l.kernel};
		return {l.groups, l.out / l.groups, l.in / l.groups, l.kernel, l.kernel};
	}

	dnnl::stream &stream_;
	std::string name_;
	dnnl::convolution_forward primitive_;
	std::unordered_map<int, dnnl::memory> memories_;
	dnnl::memory lying_, out_, result_;
};

} // namespace bench
