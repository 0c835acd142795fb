/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include <cstring>

namespace atom::engine::reference {

/* out[i] = in[i], or fill: bytes as they are, whatever the dtype. */
void copy(const copy_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	std::byte element[sizeof(atom_block_q8_0)];
	std::memcpy(element, &p.fill_bits, sizeof p.fill_bits);
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		if (!p.fill && !mem.read(p.in.operand, offset_of(i, p.in.strides), element, p.in.element_bytes))
			return;
		if (!mem.write(p.out.operand, offset_of(i, p.out.strides), element, p.out.element_bytes))
			return;
	}
}

} // namespace atom::engine::reference
