/* SPDX-License-Identifier: MIT */
#include "fast/indexed.h"

#include <cstring>

namespace atom::engine::fast {

namespace {

/* An element that is fetched alone costs about this much, so a mapping may be that much larger than what is used. */
constexpr std::uint64_t bytes_per_element = 64;

/* Adds coordinate times @stride to each offset. @return the first that is outside, or @count */
template <class T>
std::size_t add_coordinates(const std::byte *raw, std::size_t count, std::int64_t dim, std::int64_t stride, bool wrap,
			    std::int64_t *at)
{
	for (std::size_t i = 0; i < count; ++i) {
		T value;
		std::memcpy(&value, raw + i * sizeof value, sizeof value);
		std::int64_t coordinate = value;
		if (!into_table(coordinate, dim, wrap))
			return i;
		at[i] += coordinate * stride;
	}
	return count;
}

std::size_t add_coordinates(std::uint8_t dtype, const std::byte *raw, std::size_t count, std::int64_t dim,
			    std::int64_t stride, bool wrap, std::int64_t *at)
{
	return dtype == ATOM_DTYPE_I32 ? add_coordinates<std::int32_t>(raw, count, dim, stride, wrap, at)
				       : add_coordinates<std::int64_t>(raw, count, dim, stride, wrap, at);
}

} // namespace

indexed prepare(const indexed_plan &p)
{
	indexed s{.p = p, .dims = p.each.dims, .each = make_stream(p.each), .table = make_stream(p.table),
		  .index = make_stream(p.map.index)};
	index5 table{}, index{}, last{};
	for (std::size_t d = 0; d < table.size(); ++d) {
		if (p.map.table_from[d] != index_map::none)
			table[p.map.table_from[d]] = p.table.strides[d];
		if (p.map.index_from[d] != index_map::none)
			index[p.map.index_from[d]] = p.map.index.strides[d];
		last[d] = p.table.dims[d] - 1;
	}
	s.table_range = range_of(p.table, {}, last);
	for (unsigned k = 0; k < p.map.components; ++k) {
		s.coordinate_dims[k] = p.table.dims[p.map.addressed[k]];
		s.coordinate_strides[k] = p.table.strides[p.map.addressed[k]];
	}
	s.coordinate_step = p.map.tuples ? p.map.index.strides.back() : 0;
	s.table.t.strides = table;
	s.index.t.strides = index;
	/* What quantisation there is means nothing to a move; blocks stay along the last dimension. */
	s.each.channels = s.table.channels = {};
	if (!is_block(p.table.dtype))
		s.dims = merge(s.dims, {&s.each, &s.table, &s.index});
	return s;
}

bool table_view::open(memory &mem, const indexed &s, const box &b, std::uint32_t access)
{
	mem_ = &mem;
	s_ = &s;
	const auto extent = static_cast<std::uint64_t>(s.table_range.high - s.table_range.low);
	if (is_block(s.p.table.dtype) || extent / bytes_per_element > elements(b.dims))
		return true;
	std::byte *p = mem.map(s.p.table.operand, s.table_range.low, s.table_range.high, access);
	base_ = p ? p - s.table_range.low : nullptr;
	return p || !mem.failed();
}

bool table_view::locate(const index5 &index, std::size_t count, indexed_buffers &buf) const
{
	const index_map &map = s_->p.map;
	const tensor &t = s_->index.t;
	const std::int64_t along = t.strides.back(), from = offset_of(index, t.strides);
	index5 place = index;
	if (is_block(s_->p.table.dtype))
		place.back() /= ATOM_BLOCK_ELEMENTS;
	buf.at[0] = offset_of(place, s_->table.t.strides);
	const std::size_t values = s_->scattered() ? count : 1;
	for (std::size_t i = 1; i < values; ++i)
		buf.at[i] = buf.at[i - 1] + s_->table.t.strides.back();
	for (unsigned k = 0; k < map.components; ++k) {
		const std::int64_t first = from + k * s_->coordinate_step;
		/* Copied before it is looked at: the guest may write it meanwhile. */
		if (!read_strided(*mem_, t, first, along, values, buf.index))
			return false;
		const std::size_t good = add_coordinates(t.dtype, buf.index, values, s_->coordinate_dims[k],
							 s_->coordinate_strides[k], map.wrap_negative, buf.at);
		if (good < values) {
			mem_->fail(index_range(map, first + static_cast<std::int64_t>(good) * along));
			return false;
		}
	}
	return true;
}

bool table_view::read(std::int64_t at, void *to) const
{
	const tensor &t = s_->p.table;
	if (!base_)
		return mem_->read(t.operand, at, to, t.element_bytes);
	std::memcpy(to, base_ + at, t.element_bytes);
	return true;
}

bool table_view::write(std::int64_t at, const void *from) const
{
	const tensor &t = s_->p.table;
	if (!base_)
		return mem_->write(t.operand, at, from, t.element_bytes);
	std::memcpy(base_ + at, from, t.element_bytes);
	return true;
}

} // namespace atom::engine::fast
