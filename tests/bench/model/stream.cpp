// SPDX-License-Identifier: MIT
#include "stream.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace bench {

namespace {

constexpr std::uint64_t alignment = 64;

std::uint64_t rounded(std::uint64_t bytes)
{
	return (bytes + alignment - 1) / alignment * alignment;
}

std::uint64_t element_bytes(std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8: return 1;
	case ATOM_DTYPE_F16: return 2;
	default: return 4;
	}
}

std::uint64_t count(const dims &d)
{
	std::uint64_t n = 1;
	for (const std::uint64_t x : d)
		n *= x;
	return n;
}

dims dims_of(const atom_tensor &t)
{
	return {t.dims, t.dims + t.rank};
}

} // namespace

std::uint64_t area::take(std::uint64_t bytes)
{
	bytes = rounded(bytes);
	for (auto it = free_.begin(); it != free_.end(); ++it) {
		if (it->second < bytes)
			continue;
		const std::uint64_t va = it->first, left = it->second - bytes;
		free_.erase(it);
		if (left)
			free_.emplace(va + bytes, left);
		taken_ += bytes;
		peak_ = std::max(peak_, taken_);
		return va;
	}
	return 0;
}

void area::give_back(std::uint64_t va, std::uint64_t bytes)
{
	bytes = rounded(bytes);
	taken_ -= bytes;
	auto it = free_.emplace(va, bytes).first;
	if (const auto after = std::next(it); after != free_.end() && va + bytes == after->first) {
		it->second += after->second;
		free_.erase(after);
	}
	if (it == free_.begin())
		return;
	if (const auto before = std::prev(it); before->first + before->second == va) {
		before->second += it->second;
		free_.erase(it);
	}
}

value value::view(std::uint64_t offset, const dims &d, const std::vector<std::int64_t> &strides_in_bytes) const
{
	value v = *this;
	v.tensor.offset += offset;
	v.tensor.rank = static_cast<std::uint8_t>(d.size());
	for (std::size_t i = 0; i < ATOM_RANK_MAX; ++i) {
		v.tensor.dims[i] = i < d.size() ? d[i] : 0;
		v.tensor.strides[i] = i < d.size() ? static_cast<std::uint64_t>(strides_in_bytes[i]) : 0;
	}
	return v;
}

void stream::layer(std::string name, std::string kind)
{
	labels_.push_back({std::move(name), std::move(kind)});
}

template <typename T> T stream::command(atom_opcode opcode) const
{
	T c{};
	c.header.opcode = opcode;
	c.header.tag = static_cast<std::uint32_t>(labels_.size() - 1);
	return c;
}

atom_tensor stream::tensor(std::uint8_t dtype, std::uint64_t va, const dims &d) const
{
	atom_tensor t{};
	t.dtype = dtype;
	t.rank = static_cast<std::uint8_t>(d.size());
	t.offset = va;
	std::uint64_t stride = element_bytes(dtype);
	for (std::size_t i = d.size(); i-- > 0; stride *= d[i]) {
		t.dims[i] = d[i];
		t.strides[i] = stride;
	}
	if (dtype == ATOM_DTYPE_I8) {
		t.quant.kind = ATOM_QUANT_PER_TENSOR;
		t.quant.scale = 0.05f;
	}
	return t;
}

value stream::make(std::uint8_t dtype, const dims &d)
{
	value v;
	v.bytes = count(d) * element_bytes(dtype);
	v.va = shm_.take(v.bytes);
	if (!v.va)
		v.va = local_.take(v.bytes);
	if (!v.va)
		throw std::runtime_error("the device's memory is too small for this network");
	v.tensor = tensor(dtype, v.va, d);
	return v;
}

void stream::done(const value &v)
{
	if (v.va >= shm_va)
		shm_.give_back(v.va, v.bytes);
	else if (v.va >= local_va)
		local_.give_back(v.va, v.bytes);
	else
		system_.give_back(v.va, v.bytes);
}

value stream::host(std::uint8_t dtype, const dims &d)
{
	value v;
	v.bytes = count(d) * element_bytes(dtype);
	v.va = system_.take(v.bytes);
	if (!v.va)
		throw std::runtime_error("the host's memory is too small for this network");
	v.tensor = tensor(dtype, v.va, d);
	return v;
}

std::uint64_t stream::constant(std::uint64_t bytes)
{
	const std::uint64_t va = constants_.take(bytes);
	if (!va)
		throw std::runtime_error("the device's memory is too small for the weights");
	return va;
}

atom_tensor stream::weight(const dims &d, std::uint8_t channel_axis)
{
	weights_ += count(d);
	atom_tensor t = tensor(dtype_, constant(count(d) * element_bytes(dtype_)), d);
	if (dtype_ == ATOM_DTYPE_I8) {
		t.quant = {};
		t.quant.kind = ATOM_QUANT_PER_CHANNEL;
		t.quant.axis = channel_axis;
		t.quant.scale_offset = constant(d[channel_axis] * sizeof(float));
	}
	return t;
}

// One for each channel, of the integers' accumulator or in f32.
atom_tensor stream::bias(const value &out)
{
	const dims d = dims_of(out.tensor);
	atom_tensor t = parameter(d.back(), out);
	if (dtype_ == ATOM_DTYPE_I8)
		t.dtype = ATOM_DTYPE_I32;
	return t;
}

// f32 [n], broadcast to the dimensions of `like`.
atom_tensor stream::parameter(std::uint64_t n, const value &like)
{
	atom_tensor t = tensor(ATOM_DTYPE_F32, constant(n * sizeof(float)), dims_of(like.tensor));
	for (std::size_t i = 0; i + 1 < t.rank; ++i)
		t.strides[i] = 0;
	return t;
}

void stream::fence()
{
	commands_.add(command<atom_cmd_fence>(ATOM_OP_FENCE));
}

value stream::load(const value &from)
{
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	const value out = make(from.tensor.dtype, dims_of(from.tensor));
	c.in = from.tensor;
	c.out = out.tensor;
	commands_.add(c);
	return out;
}

void stream::store(const value &from)
{
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = from.tensor;
	c.out = host(from.tensor.dtype, dims_of(from.tensor)).tensor;
	commands_.add(c);
}

value stream::cast(const value &from)
{
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	const value out = make(dtype_, dims_of(from.tensor));
	c.in = from.tensor;
	c.out = out.tensor;
	commands_.add(c);
	fence();
	return out;
}

value stream::conv(const value &in, const conv_shape &s, const value *residual)
{
	const dims d = dims_of(in.tensor);
	const auto extent = [&](std::uint64_t n) { return (n + 2 * s.pad - s.kernel) / s.stride + 1; };
	const value out = make(dtype_, {d[0], extent(d[1]), extent(d[2]), s.out_channels});
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.header.flags = ATOM_CONV_WEIGHT_CONSTANT;
	atom_window &w = c.window;
	w.kernel_h = w.kernel_w = static_cast<std::uint32_t>(s.kernel);
	w.stride_h = w.stride_w = static_cast<std::uint32_t>(s.stride);
	w.dilation_h = w.dilation_w = 1;
	w.pad_top = w.pad_left = w.pad_bottom = w.pad_right = static_cast<std::uint32_t>(s.pad);
	c.groups = 1;
	c.in = in.tensor;
	c.weight = weight({s.out_channels, s.kernel, s.kernel, d[3]}, 0);
	c.out = out.tensor;
	c.epilogue.activation = s.relu ? ATOM_FN_RELU : ATOM_FN_IDENTITY;
	c.epilogue.bias = bias(out);
	if (residual)
		c.epilogue.residual = residual->tensor;
	commands_.add(c);
	macs_ += count(dims_of(out.tensor)) * s.kernel * s.kernel * d[3];
	fence();
	return out;
}

value stream::max_pool(const value &in, std::uint64_t kernel, std::uint64_t stride, std::uint64_t pad)
{
	const dims d = dims_of(in.tensor);
	const auto extent = [&](std::uint64_t n) { return (n + 2 * pad - kernel) / stride + 1; };
	const value out = make(dtype_, {d[0], extent(d[1]), extent(d[2]), d[3]});
	auto c = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);
	c.window.kernel_h = c.window.kernel_w = static_cast<std::uint32_t>(kernel);
	c.window.stride_h = c.window.stride_w = static_cast<std::uint32_t>(stride);
	c.window.dilation_h = c.window.dilation_w = 1;
	c.window.pad_top = c.window.pad_left = c.window.pad_bottom = c.window.pad_right = static_cast<std::uint32_t>(pad);
	c.kind = ATOM_POOL_MAX;
	c.in = in.tensor;
	c.out = out.tensor;
	commands_.add(c);
	fence();
	return out;
}

value stream::average_pool(const value &in)
{
	const dims d = dims_of(in.tensor);
	const value out = make(dtype_, {d[0], 1, 1, d[3]});
	auto c = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);
	c.window.kernel_h = static_cast<std::uint32_t>(d[1]);
	c.window.kernel_w = static_cast<std::uint32_t>(d[2]);
	c.window.stride_h = c.window.stride_w = c.window.dilation_h = c.window.dilation_w = 1;
	c.kind = ATOM_POOL_AVERAGE;
	c.in = in.tensor;
	c.out = out.tensor;
	commands_.add(c);
	fence();
	return out;
}

value stream::linear(const value &in, std::uint64_t n, std::uint16_t activation, const value *residual,
		     std::uint8_t out_dtype)
{
	const dims d = dims_of(in.tensor);
	const value out = make(out_dtype == ATOM_DTYPE_NONE ? dtype_ : out_dtype, {d[0], n});
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.header.flags = ATOM_GEMM_B_CONSTANT;
	c.alpha = 1;
	c.a = in.tensor;
	c.b = weight({d[1], n}, 1);
	c.out = out.tensor;
	c.epilogue.activation = activation;
	c.epilogue.bias = bias(out);
	if (residual)
		c.epilogue.residual = residual->tensor;
	commands_.add(c);
	macs_ += d[0] * d[1] * n;
	fence();
	return out;
}

void stream::matmul(const value &a, const value &b, const value &out)
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = a.tensor;
	c.b = b.tensor;
	c.out = out.tensor;
	commands_.add(c);
	macs_ += count(dims_of(out.tensor)) * a.tensor.dims[a.tensor.rank - 1];
	fence();
}

value stream::softmax(const value &in, const value &mask, float scale)
{
	const value out = make(dtype_, dims_of(in.tensor));
	auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX);
	c.axis = in.tensor.rank - 1u;
	c.scale = scale;
	c.in = in.tensor;
	c.mask = mask.tensor;
	c.out = out.tensor;
	commands_.add(c);
	fence();
	return out;
}

value stream::norm(const value &in)
{
	const value out = make(dtype_, dims_of(in.tensor));
	const unsigned last = in.tensor.rank - 1u;
	auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
	c.kind = ATOM_NORM_LAYER;
	c.axes = 1u << last;
	c.eps = 1e-12f;
	c.in = in.tensor;
	c.gamma = parameter(in.tensor.dims[last], in);
	c.beta = parameter(in.tensor.dims[last], in);
	c.out = out.tensor;
	commands_.add(c);
	fence();
	return out;
}

value stream::gather(const value &index, std::uint64_t rows, std::uint64_t columns)
{
	const value out = make(dtype_, {index.tensor.dims[0], columns});
	auto c = command<atom_cmd_gather>(ATOM_OP_GATHER);
	c.mode = ATOM_GATHER_ROWS;
	c.data = tensor(dtype_, constant(rows * columns * element_bytes(dtype_)), {rows, columns});
	c.index = index.tensor;
	c.out = out.tensor;
	commands_.add(c);
	return out;
}

value stream::add_with_table(const value &a, const value &b)
{
	const dims d = dims_of(a.tensor);
	const value out = make(dtype_, d);
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.kind = ATOM_BINARY_ADD;
	c.a = a.tensor;
	c.b = b.tensor;
	c.out = out.tensor;
	c.epilogue.residual = tensor(dtype_, constant(count(d) * element_bytes(dtype_)), d);
	commands_.add(c);
	fence();
	return out;
}

} // namespace bench
