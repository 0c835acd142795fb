// SPDX-License-Identifier: MIT
// Memory and movement of the emitter.
#include <algorithm>
#include <cstring>

#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {
namespace {

bool is_integer(atom::dtype type)
{
	return type == atom::dtype::i8 || type == atom::dtype::u8 || type == atom::dtype::i16 ||
	       type == atom::dtype::i32 || type == atom::dtype::i64;
}

} // namespace

view emitter::allocate(atom::dtype type, const shape &dims, const std::vector<unsigned> &order)
{
	view v;
	v.type = type;
	v.dims = dims;
	v.strides = dense_strides(type, dims, order);
	// What has no elements has a storage all the same: commands on it are left out.
	const std::int64_t bytes = std::max<std::int64_t>(count_of(dims), 1) * block_bytes(type);
	v.storage = recorder_.add_storage(storage::kind::scratch, bytes);
	return v;
}

view emitter::allocate(atom::dtype type, const shape &dims)
{
	std::vector<unsigned> order(dims.size());
	for (unsigned i = 0; i < order.size(); ++i)
		order[i] = i;
	return allocate(type, dims, order);
}

view emitter::allocate_like(atom::dtype type, const shape &dims, const view &like)
{
	if (like.dims != dims)
		return allocate(type, dims);
	for (unsigned i = 0; i < like.rank(); ++i)
		if (like.dims[i] > 1 && like.strides[i] <= 0)
			return allocate(type, dims);
	return allocate(type, dims, memory_order(like));
}

view emitter::constant(const host_tensor &data)
{
	const auto type = device_type(data.type());
	if (!type)
		throw unsupported(reason::dtype, "a constant of " + name_of(data.type()));
	view v;
	v.type = *type;
	v.dims = data.dims();
	v.strides = row_major_strides(*type, v.dims);
	std::vector<std::byte> bytes = data.bytes();
	bytes.resize(std::max<std::size_t>(bytes.size(), block_bytes(*type)));
	v.storage = recorder_.add_constant(std::move(bytes));
	return v;
}

view emitter::constant(atom::dtype type, const shape &dims, const std::vector<double> &values)
{
	return constant(host_tensor::of(element_of(type), dims, values));
}

view emitter::scalar(atom::dtype type, double value) { return constant(type, {}, {value}); }

void emitter::copy(const view &in, const view &out)
{
	view from = in;
	view to = out;
	from.quant = to.quant = {}; // bytes are copied as they are
	in_device_rank({from, to}, [&](const std::vector<view> &v) {
		recorder_.add([in = v[0], out = v[1]](
				      atom::command_builder &b,
				      const placement_map &at) { b.copy(at(in), at(out)); },
		              {v[0]}, {v[1]});
	});
}

void emitter::fill(const view &out, double value)
{
	// fill() converts as cast does; i64 has no cast, so that its bits are given.
	in_device_rank({out}, [&](const std::vector<view> &v) {
		recorder_.add(
			[out = v[0], value](atom::command_builder &b, const placement_map &at) {
				if (out.type == atom::dtype::i64)
					b.fill_bits(at(out), static_cast<std::uint64_t>(
								     static_cast<std::int64_t>(value)));
				else
					b.fill(at(out), value);
			},
			{}, {v[0]});
	});
}

view emitter::filled(atom::dtype type, const shape &dims, double value)
{
	const view out = allocate(type, dims);
	fill(out, value);
	return out;
}

view emitter::contiguous(const view &v)
{
	if (is_row_major(v))
		return v;
	if (const auto known = constant_row_major(v))
		return *known;
	view out = allocate(v.type, v.dims);
	out.quant = v.quant;
	copy(v, out);
	return out;
}

std::optional<view> emitter::constant_row_major(const view &v)
{
	const storage &from = recorder_.storages()[static_cast<std::size_t>(v.storage)];
	if (from.of != storage::kind::constant || count_of(v.dims) == 0)
		return std::nullopt;
	const auto size = static_cast<std::size_t>(block_bytes(v.type));
	const std::size_t bytes = static_cast<std::size_t>(count_of(v.dims)) * size;
	if (bytes > from.data.size())
		return std::nullopt; // repeated elements: the device repeats them
	std::vector<std::byte> data(bytes);
	shape at(v.rank(), 0);
	std::int64_t offset = v.offset;
	for (std::size_t to = 0; to < data.size(); to += size) {
		std::memcpy(&data[to], from.data.data() + offset, size);
		for (unsigned d = v.rank(); d-- > 0;) {
			offset += v.strides[d];
			if (++at[d] < v.dims[d])
				break;
			offset -= v.strides[d] * v.dims[d];
			at[d] = 0;
		}
	}
	view out = v;
	out.offset = 0;
	out.strides = row_major_strides(v.type, v.dims);
	out.storage = recorder_.add_constant(std::move(data));
	return out;
}

view emitter::reshape(const view &v, const shape &dims)
{
	if (const auto same = atom_onnx::reshape(v, dims))
		return *same;
	const bool cut_channels = v.quant.of == view_quantisation::kind::per_channel;
	return *atom_onnx::reshape(contiguous(cut_channels ? real(v) : v), dims);
}

view emitter::concat(const std::vector<view> &parts, unsigned axis)
{
	shape dims = parts.front().dims;
	dims[axis] = 0;
	for (const view &p : parts)
		dims[axis] += p.dims[axis];
	const bool dense = std::none_of(
		parts.front().strides.begin(), parts.front().strides.end(),
		[](std::int64_t stride) { return stride <= 0; });
	view out = dense ? allocate(parts.front().type, dims, memory_order(parts.front()))
	                 : allocate(parts.front().type, dims);
	out.quant = parts.front().quant;
	const independent parts_do_not_touch(recorder_);
	std::int64_t start = 0;
	for (const view &p : parts) {
		view to = out;
		to.quant = {};
		copy(p, slice(to, axis, start, p.dims[axis]));
		start += p.dims[axis];
	}
	return out;
}

view emitter::pad_constant(const view &v, const shape &before, const shape &after, double value)
{
	shape dims = v.dims;
	for (unsigned i = 0; i < v.rank(); ++i)
		dims[i] += before[i] + after[i];
	view out = allocate(v.type, dims, memory_order(v));
	out.quant = v.quant;
	const independent parts_do_not_touch(recorder_);
	// The rim first, dimension by dimension: what is left in the middle is the copy.
	view middle = out;
	middle.quant = {};
	for (unsigned i = 0; i < v.rank(); ++i) {
		if (before[i] > 0)
			fill(slice(middle, i, 0, before[i]), value);
		if (after[i] > 0)
			fill(slice(middle, i, before[i] + v.dims[i], after[i]), value);
		middle = slice(middle, i, before[i], v.dims[i]);
	}
	copy(v, middle);
	return out;
}

view emitter::cast(const view &v, atom::dtype type)
{
	if (v.type == type && !v.quantised())
		return v;
	// i64 converts to and from i32 alone.
	if ((v.type == atom::dtype::i64 && type != atom::dtype::i32) ||
	    (type == atom::dtype::i64 && v.type != atom::dtype::i32))
		return cast(cast(v, atom::dtype::i32), type);
	const view out = allocate_like(type, v.dims, v);
	atom::cast_options options;
	options.toward_zero = is_integer(type) && v.is_real();
	options.wrap = is_integer(type) && !v.is_real() && v.type != atom::dtype::i64;
	in_device_rank({v, out}, [&](const std::vector<view> &part) {
		recorder_.add([in = part[0], out = part[1], options](atom::command_builder &b,
		                                                     const placement_map &at) {
			b.cast(at(in), at(out), options);
		}, {part[0]}, {part[1]});
	});
	return out;
}

view emitter::quantise(const view &v, atom::dtype type, const view_quantisation &quant)
{
	view out = allocate_like(type, v.dims, v);
	out.quant = quant;
	in_device_rank({v, out}, [&](const std::vector<view> &part) {
		recorder_.add([in = part[0], out = part[1]](
				      atom::command_builder &b,
				      const placement_map &at) { b.cast(at(in), at(out)); },
		              {part[0]}, {part[1]});
	});
	return out;
}

view emitter::real(const view &v) { return v.quantised() ? cast(v, atom::dtype::f32) : v; }

} // namespace atom_onnx
