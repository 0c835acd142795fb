/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include "reference/element.h"

namespace atom::engine::reference {

/* out[i] = cond[i] != 0 ? a[i] : b[i]: bytes as they are, whatever the dtype. */
void select(const select_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		std::int64_t cond;
		if (!read_integer(mem, p.cond, i, cond))
			return;
		const tensor &from = cond ? p.a : p.b;
		std::byte element[8];
		if (!mem.read(from.operand, offset_of(i, from.strides), element, from.element_bytes) ||
		    !mem.write(p.out.operand, offset_of(i, p.out.strides), element, p.out.element_bytes))
			return;
	}
}

} // namespace atom::engine::reference
