/* SPDX-License-Identifier: MIT */
#include "fast/stream.h"

#include <algorithm>
#include <cstring>

namespace atom::engine::fast {

namespace {

/* An input's extent may be read anywhere: a strided run that is not mapped is read with its gaps, up to this. */
constexpr std::int64_t gather_bytes = 16384;

template <class T>
void gather(const std::byte *from, std::ptrdiff_t stride, std::size_t count, std::byte *to)
{
	for (std::size_t i = 0; i < count; ++i)
		std::memcpy(to + i * sizeof(T), from + static_cast<std::ptrdiff_t>(i) * stride, sizeof(T));
}

template <class T>
void scatter(const std::byte *from, std::ptrdiff_t stride, std::size_t count, std::byte *to)
{
	for (std::size_t i = 0; i < count; ++i)
		std::memcpy(to + static_cast<std::ptrdiff_t>(i) * stride, from + i * sizeof(T), sizeof(T));
}

/* Sizes with a loop of their own are those of dtypes; blocks go one memcpy each. */
void gather_any(const std::byte *from, std::ptrdiff_t stride, std::size_t count, std::uint32_t bytes, std::byte *to)
{
	switch (bytes) {
	case 1:
		return gather<std::uint8_t>(from, stride, count, to);
	case 2:
		return gather<std::uint16_t>(from, stride, count, to);
	case 4:
		return gather<std::uint32_t>(from, stride, count, to);
	case 8:
		return gather<std::uint64_t>(from, stride, count, to);
	default:
		for (std::size_t i = 0; i < count; ++i)
			std::memcpy(to + i * bytes, from + static_cast<std::ptrdiff_t>(i) * stride, bytes);
	}
}

void scatter_any(const std::byte *from, std::ptrdiff_t stride, std::size_t count, std::uint32_t bytes, std::byte *to)
{
	switch (bytes) {
	case 1:
		return scatter<std::uint8_t>(from, stride, count, to);
	case 2:
		return scatter<std::uint16_t>(from, stride, count, to);
	case 4:
		return scatter<std::uint32_t>(from, stride, count, to);
	case 8:
		return scatter<std::uint64_t>(from, stride, count, to);
	default:
		for (std::size_t i = 0; i < count; ++i)
			std::memcpy(to + static_cast<std::ptrdiff_t>(i) * stride, from + i * bytes, bytes);
	}
}

} // namespace

stream make_stream(const tensor &t)
{
	stream s;
	s.t = t;
	if (t && t.quant.kind == ATOM_QUANT_PER_CHANNEL)
		s.channels[t.quant.axis] = 4;
	return s;
}

index5 merge(index5 dims, std::initializer_list<stream *> streams)
{
	/* Dimension `to` collects; one that does not join becomes the next collector outwards. */
	std::size_t to = dims.size() - 1;
	const auto joins = [&](const index5 &strides, std::size_t i) {
		return strides[i] == strides[to] * dims[to];
	};
	for (std::size_t i = dims.size() - 1; i-- > 0;) {
		if (dims[i] == 1)
			continue;
		const bool join = dims[to] == 1 || std::all_of(streams.begin(), streams.end(), [&](stream *s) {
			return !s->t || (joins(s->t.strides, i) && joins(s->channels, i));
		});
		if (join && dims[to] != 1) {
			dims[to] *= dims[i];
		} else {
			if (dims[to] != 1)
				--to;
			dims[to] = dims[i];
			for (stream *s : streams) {
				s->t.strides[to] = s->t.strides[i];
				s->channels[to] = s->channels[i];
			}
		}
		if (to != i)
			dims[i] = 1;
	}
	for (std::size_t i = 0; i < dims.size(); ++i)
		if (dims[i] == 1)
			for (stream *s : streams)
				s->t.strides[i] = s->channels[i] = 0;
	for (stream *s : streams)
		s->t.dims = dims;
	return dims;
}

bool run_walk::next()
{
	if (left_ == 0)
		return false;
	at_ = index_;
	const std::size_t inner = dims_.size() - 1;
	const auto row = static_cast<std::uint64_t>(dims_[inner] - index_[inner]);
	count_ = static_cast<std::size_t>(std::min<std::uint64_t>({row, left_, run_elements}));
	left_ -= count_;
	index_[inner] += static_cast<std::int64_t>(count_);
	for (std::size_t i = inner; i > 0 && index_[i] == dims_[i]; --i) {
		index_[i] = 0;
		++index_[i - 1];
	}
	return true;
}

byte_range range_of(const tensor &t, const index5 &first, const index5 &last)
{
	byte_range r{0, t.element_bytes};
	for (std::size_t i = 0; i < first.size(); ++i) {
		const std::int64_t stride = t.strides[i];
		r.low += (stride < 0 ? last[i] : first[i]) * stride;
		r.high += (stride < 0 ? first[i] : last[i]) * stride;
	}
	return r;
}

bool read_strided(memory &mem, const tensor &t, std::int64_t at, std::int64_t stride, std::size_t count, std::byte *to)
{
	const std::int64_t bytes = t.element_bytes;
	if (stride == bytes)
		return mem.read(t.operand, at, to, count * t.element_bytes);
	const std::int64_t step = stride < 0 ? -stride : stride;
	const auto each = step == 0 ? count : static_cast<std::size_t>((gather_bytes - bytes) / step + 1);
	for (std::size_t done = 0; done < count; done += each) {
		const std::size_t some = std::min(each, count - done);
		const std::int64_t first = at + static_cast<std::int64_t>(done) * stride;
		const std::int64_t reach = static_cast<std::int64_t>(some - 1) * stride;
		std::byte span[gather_bytes];
		if (!mem.read(t.operand, std::min(first, first + reach), span,
			      static_cast<std::size_t>((reach < 0 ? -reach : reach) + bytes)))
			return false;
		gather_any(span + (reach < 0 ? -reach : 0), stride, some, t.element_bytes, to + done * t.element_bytes);
	}
	return true;
}

bool window::open(memory &mem, const stream &s, const index5 &dims, std::uint64_t first, std::uint64_t last,
		  std::uint32_t access)
{
	/* Below the first dimension in which the ends differ, the tile may reach everything. */
	index5 begin = index_at(first, dims), end = index_at(last - 1, dims);
	bool whole = false;
	for (std::size_t i = 0; i < dims.size(); ++i) {
		if (whole) {
			begin[i] = 0;
			end[i] = dims[i] - 1;
		}
		whole = whole || begin[i] != end[i];
	}
	return open(mem, s, range_of(s.t, begin, end), access);
}

bool window::open(memory &mem, const stream &s, const byte_range &bytes, std::uint32_t access)
{
	mem_ = &mem;
	stream_ = &s;
	std::byte *p = mem.map(s.t.operand, bytes.low, bytes.high, access);
	base_ = p ? p - bytes.low : nullptr;
	return p || !mem.failed();
}

const std::byte *window::read(const index5 &index, std::size_t count, std::byte *buffer) const
{
	const tensor &t = stream_->t;
	const std::int64_t at = offset_of(index, t.strides), stride = t.strides.back();
	const std::int64_t bytes = t.element_bytes;
	if (base_) {
		if (stride == bytes)
			return base_ + at;
		gather_any(base_ + at, stride, count, t.element_bytes, buffer);
		return buffer;
	}
	return read_strided(*mem_, t, at, stride, count, buffer) ? buffer : nullptr;
}

std::byte *window::place(const index5 &index) const
{
	const tensor &t = stream_->t;
	return base_ && t.strides.back() == t.element_bytes ? base_ + offset_of(index, t.strides) : nullptr;
}

bool window::write(const index5 &index, std::size_t count, const std::byte *from) const
{
	const tensor &t = stream_->t;
	const std::int64_t at = offset_of(index, t.strides), stride = t.strides.back();
	if (base_) {
		scatter_any(from, stride, count, t.element_bytes, base_ + at);
		return true;
	}
	if (stride == t.element_bytes)
		return mem_->write(t.operand, at, from, count * t.element_bytes);
	for (std::size_t i = 0; i < count; ++i)
		if (!mem_->write(t.operand, at + static_cast<std::int64_t>(i) * stride, from + i * t.element_bytes,
				 t.element_bytes))
			return false;
	return true;
}

} // namespace atom::engine::fast
