/* SPDX-License-Identifier: MIT */
#include "reference/indexed.h"

#include "reference/element.h"

namespace atom::engine::reference {

bool locate(memory &mem, const indexed_plan &p, const index5 &i, index5 &at)
{
	const index_map &map = p.map;
	index5 from{};
	at = {};
	for (std::size_t d = 0; d < at.size(); ++d) {
		if (map.table_from[d] != index_map::none)
			at[d] = i[map.table_from[d]];
		if (map.index_from[d] != index_map::none)
			from[d] = i[map.index_from[d]];
	}
	for (unsigned k = 0; k < map.components; ++k) {
		if (map.tuples)
			from.back() = k;
		std::int64_t coordinate;
		if (!read_integer(mem, map.index, from, coordinate))
			return false;
		const std::uint8_t d = map.addressed[k];
		if (!into_table(coordinate, p.table.dims[d], map.wrap_negative)) {
			mem.fail(index_range(map, offset_of(from, map.index.strides)));
			return false;
		}
		at[d] = coordinate;
	}
	return true;
}

bool move_element(memory &mem, bool convert, const tensor &source, const index5 &from, const tensor &target,
		  const index5 &to)
{
	if (convert) {
		float value;
		return read_real(mem, source, from, value) && write_real(mem, target, to, value);
	}
	std::byte bytes[8];
	return mem.read(source.operand, offset_of(from, source.strides), bytes, source.element_bytes) &&
	       mem.write(target.operand, offset_of(to, target.strides), bytes, target.element_bytes);
}

} // namespace atom::engine::reference
