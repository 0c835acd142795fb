/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include "numeric/convert.h"
#include "numeric/function.h"
#include "reference/element.h"

namespace atom::engine::reference {

/*
 * Integers without quantisation: exact, modulo 2^bits. Everything else: f32,
 * then the epilogue. Comparisons and logic write truth values of u8.
 */
void binary(const binary_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	const bool truth = p.kind >= ATOM_BINARY_EQ && p.kind <= ATOM_BINARY_LOGICAL_XOR;
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		if (p.integer) {
			std::int64_t a, b;
			if (!read_integer(mem, p.a, i, a) || !read_integer(mem, p.b, i, b))
				return;
			if (!write_integer(mem, p.out, i, apply_binary(p.kind, a, b, p.a.element_bytes * 8)))
				return;
			continue;
		}
		float a, b;
		if (!read_real(mem, p.a, i, a) || !read_real(mem, p.b, i, b))
			return;
		const float r = apply_binary(p.kind, a, b);
		if (!(truth ? write_integer(mem, p.out, i, r != 0) : finish(mem, p.tail, p.out, i, r)))
			return;
	}
}

} // namespace atom::engine::reference
