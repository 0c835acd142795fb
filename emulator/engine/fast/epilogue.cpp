/* SPDX-License-Identifier: MIT */
#include "fast/epilogue.h"

#include <algorithm>
#include <limits>

#include "numeric/convert.h"

namespace atom::engine::fast {

namespace {

/* The same for all rows. */
bool of_columns(const tensor &t)
{
	for (std::size_t i = 0; i < 4; ++i)
		if (t.dims[i] > 1 && t.strides[i] != 0)
			return false;
	return true;
}

struct bounds {
	float low, high;
};

/* RELU is a CLIP to [0, infinity], IDENTITY one to all. */
bounds bounds_of(const epilogue &tail)
{
	constexpr float infinity = std::numeric_limits<float>::infinity();
	if (tail.activation == ATOM_FN_CLIP)
		return {tail.p0, tail.p1};
	return {tail.activation == ATOM_FN_RELU ? 0 : -infinity, infinity};
}

} // namespace

finisher::finisher(const epilogue &tail, const tensor &out, bool exact, finish_buffers &buffers)
	: tail_(tail), out_tensor_(out), exact_(exact), buf_(buffers), out_stream_(make_stream(out)),
	  bias_stream_(make_stream(tail.bias)), residual_stream_(make_stream(tail.residual))
{
	const bool simple = tail.activation == ATOM_FN_IDENTITY || tail.activation == ATOM_FN_RELU ||
			    tail.activation == ATOM_FN_CLIP;
	const bool bytes = (out.dtype == ATOM_DTYPE_I8 || out.dtype == ATOM_DTYPE_U8) &&
			   out.quant.kind == ATOM_QUANT_PER_TENSOR;
	at_once_ = !exact && (simple ? bytes || is_float(out.dtype) : is_float(out.dtype) && tail.activation != ATOM_FN_LUT) &&
		   (!tail.bias || of_columns(tail.bias));
	activates_ = at_once_ && !simple;
}

bool finisher::open(memory &mem, const index5 &first, const index5 &last)
{
	mem_ = &mem;
	const index5 &dims = out_tensor_.dims;
	const std::uint64_t begin = linear(first), end = linear(last) + 1;
	const auto open_run = [&](auto &run, const stream &s, std::uint32_t access) {
		return run.open(mem, s, dims, begin, end, access);
	};
	return (!tail_.bias || (tail_.bias.dtype == ATOM_DTYPE_I32
					? open_run(integer_bias_, bias_stream_, ATOM_ACCESS_READ)
					: open_run(bias_, bias_stream_, ATOM_ACCESS_READ))) &&
	       (!tail_.residual || open_run(residual_, residual_stream_, ATOM_ACCESS_READ)) &&
	       (tail_.activation != ATOM_FN_LUT || mem.read(tail_.lut, 0, buf_.lut, sizeof buf_.lut)) &&
	       (exact_ ? open_run(exact_out_, out_stream_, ATOM_ACCESS_WRITE)
		       : open_run(out_, out_stream_, ATOM_ACCESS_WRITE));
}

bool finisher::finish(const index5 &first, const sums &of, std::int64_t step)
{
	if (at_once_ && out_.place(first))
		return finish_at_once(first, of, step);
	index5 index = first;
	for (std::size_t i = 0; i < of.rows; ++i, index[3] += step) {
		auto *sums = static_cast<std::byte *>(of.first) + i * of.stride * 4;
		if (!(of.scale ? row(index, of.columns, reinterpret_cast<std::int32_t *>(sums), of.scale)
			       : row(index, of.columns, reinterpret_cast<const float *>(sums))))
			return false;
	}
	return true;
}

const std::byte *finisher::residual_at(const index5 &first) const
{
	return tail_.residual.dtype == ATOM_DTYPE_F32 ? residual_.place(first) : nullptr;
}

bool finisher::load_bias(const index5 &first, std::size_t n)
{
	if (!tail_.bias || (bias_at_ == first[4] && bias_count_ == n))
		return true;
	bias_at_ = first[4];
	bias_count_ = n;
	return tail_.bias.dtype == ATOM_DTYPE_I32 ? integer_bias_.load(first, n, buf_.integer_bias, buf_.run)
						  : bias_.load(first, n, buf_.bias, buf_.run);
}

bool finisher::finish_at_once(const index5 &first, const sums &of, std::int64_t step)
{
	if (!load_bias(first, of.columns))
		return false;
	finish_args args;
	args.sums = of.first;
	args.rows = of.rows;
	args.columns = of.columns;
	args.stride = of.stride;
	args.scale = of.scale;
	args.integer_bias = tail_.bias.dtype == ATOM_DTYPE_I32 ? buf_.integer_bias : nullptr;
	args.bias = tail_.bias.dtype == ATOM_DTYPE_F32 ? buf_.bias : nullptr;
	const bounds held = bounds_of(tail_);
	args.low = held.low;
	args.high = held.high;
	args.dtype = out_tensor_.dtype;
	args.out_scale = out_tensor_.quant.scale;
	args.out_zero = static_cast<float>(out_tensor_.quant.zero_point);
	std::byte *out = out_.place(first);
	const std::int64_t out_stride = step * out_tensor_.strides[3];
	args.out = out;
	args.out_stride = out_stride;
	if (!activates_)
		return finish_rows(args, first, step);
	/* In place of the sums, which the activation turns into outputs. */
	args.dtype = ATOM_DTYPE_F32;
	args.out = static_cast<std::byte *>(of.first);
	args.out_stride = static_cast<std::ptrdiff_t>(of.stride * 4);
	if (!finish_rows(args, first, step))
		return false;
	activate(of, out, out_stride);
	return true;
}

bool finisher::finish_rows(finish_args args, const index5 &first, std::int64_t step)
{
	args.residual = reinterpret_cast<const float *>(residual_at(first));
	args.residual_stride = step * tail_.residual.strides[3];
	if (!tail_.residual || args.residual) {
		kernels_.finish(args);
		return true;
	}
	const std::size_t rows = args.rows;
	args.rows = 1;
	args.residual = buf_.s;
	index5 index = first;
	for (std::size_t i = 0; i < rows; ++i, index[3] += step) {
		if (!residual_.load(index, args.columns, buf_.s, buf_.run))
			return false;
		kernels_.finish(args);
		args.sums = static_cast<const float *>(args.sums) + args.stride;
		args.out += args.out_stride;
	}
	return true;
}

/* As many rows at a time as a buffer has room for, if they lie one behind the other. */
void finisher::activate(const sums &of, std::byte *out, std::int64_t out_stride)
{
	const std::size_t most = of.stride == of.columns ? std::max<std::size_t>(run_elements / of.columns, 1) : 1;
	const bool dense = out_stride == static_cast<std::int64_t>(of.columns * out_tensor_.element_bytes);
	const auto store = vectors().store[out_tensor_.dtype];
	for (std::size_t row = 0; row < of.rows; row += most) {
		const std::size_t rows = std::min(most, of.rows - row);
		apply(tail_.activation, static_cast<const float *>(of.first) + row * of.stride, buf_.t, rows * of.columns, tail_.p0,
		      tail_.p1);
		const std::size_t stores = dense ? 1 : rows, n = rows * of.columns / stores;
		for (std::size_t i = 0; i < stores; ++i)
			store(buf_.t + i * n, out + static_cast<std::int64_t>(row + i) * out_stride, n);
	}
}

bool finisher::direct(const index5 &first, std::size_t columns, std::int64_t step, const float *scale,
		      kernels::tile_output &to)
{
	to = {};
	to.type = static_cast<atom_dtype>(out_tensor_.dtype);
	to.stride = step * out_tensor_.strides[3];
	const bounds held = bounds_of(tail_);
	to.low = held.low;
	to.high = held.high;
	std::byte *out = at_once_ && !activates_ && is_float(out_tensor_.dtype) != (scale != nullptr) ? out_.place(first) : nullptr;
	if (!out || !(scale ? direct_bytes(first, columns, scale, to) : direct_floats(first, columns, step, to)))
		return !mem_->failed();
	to.to = out;
	return true;
}

/* False: not so, or a fault. */
bool finisher::direct_floats(const index5 &first, std::size_t columns, std::int64_t step, kernels::tile_output &to)
{
	to.residual = residual_at(first);
	to.residual_stride = step * tail_.residual.strides[3];
	if (tail_.residual && !to.residual)
		return false;
	if (!tail_.bias)
		return true;
	to.bias = buf_.direct_bias;
	return tail_.bias.dtype == ATOM_DTYPE_F32 && bias_.load(first, columns, buf_.direct_bias, buf_.run);
}

/* Where one factor is as good as a scale and a division; of what is seldom there, nothing. */
bool finisher::direct_bytes(const index5 &first, std::size_t columns, const float *scale, kernels::tile_output &to)
{
	const quantisation &q = out_tensor_.quant;
	if (tail_.residual || !(q.scale > 0x1p-60F && q.scale < 0x1p60F))
		return false;
	for (std::size_t i = 0; i < columns; ++i) {
		buf_.direct_factor[i] = scale[i] * (1 / q.scale);
		if (!(buf_.direct_factor[i] < 0.5F))
			return false;
	}
	to.scale = scale;
	to.factor = buf_.direct_factor;
	to.out_scale = q.scale;
	to.out_zero = static_cast<float>(q.zero_point);
	const auto byte = [&](float x) { return static_cast<std::int32_t>(quantise(x, q.scale, q.zero_point, out_tensor_.dtype)); };
	to.least = byte(to.low);
	to.most = byte(to.high);
	if (!tail_.bias)
		return true;
	to.integer_bias = buf_.direct_integer_bias;
	return tail_.bias.dtype == ATOM_DTYPE_I32 && integer_bias_.load(first, columns, buf_.direct_integer_bias, buf_.run);
}

bool finisher::row(const index5 &index, std::size_t n, std::int32_t *sums, const float *scale)
{
	if (tail_.bias.dtype == ATOM_DTYPE_I32) {
		if (!integer_bias_.load(index, n, buf_.i, buf_.run))
			return false;
		for (std::size_t i = 0; i < n; ++i)
			sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) +
							    static_cast<std::uint32_t>(buf_.i[i]));
	}
	if (exact_)
		return exact_out_.store(index, n, sums, buf_.run);
	for (std::size_t i = 0; i < n; ++i)
		buf_.r[i] = static_cast<float>(sums[i]) * scale[i];
	return row(index, n, buf_.r);
}

/* Bias, residual, activation; the values move from buffer to buffer. */
bool finisher::row(const index5 &index, std::size_t n, const float *r)
{
	const auto add = vectors().binary[ATOM_BINARY_ADD];
	if (tail_.bias.dtype == ATOM_DTYPE_F32) {
		if (!bias_.load(index, n, buf_.s, buf_.run))
			return false;
		add(r, buf_.s, buf_.t, n);
		r = buf_.t;
	}
	if (tail_.residual) {
		if (!residual_.load(index, n, buf_.s, buf_.run))
			return false;
		add(r, buf_.s, buf_.r, n);
		r = buf_.r;
	}
	const bool lut = tail_.activation == ATOM_FN_LUT;
	if (tail_.activation != ATOM_FN_IDENTITY && !lut) {
		apply(tail_.activation, r, buf_.s, n, tail_.p0, tail_.p1);
		r = buf_.s;
	}
	return out_.store(index, n, r, buf_.run, lut ? buf_.lut : nullptr);
}

std::uint64_t finisher::linear(const index5 &index) const
{
	std::uint64_t at = 0;
	for (std::size_t i = 0; i < index.size(); ++i)
		at = at * static_cast<std::uint64_t>(out_tensor_.dims[i]) + static_cast<std::uint64_t>(index[i]);
	return at;
}

} // namespace atom::engine::fast
