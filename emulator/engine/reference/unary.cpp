/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include "numeric/function.h"
#include "reference/element.h"

namespace atom::engine::reference {

/* out[i] = function(in[i]): exact modulo 2^bits for integers without quantisation, else in f32. */
void unary(const unary_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		if (p.integer) {
			std::int64_t x;
			if (!read_integer(mem, p.in, i, x) ||
			    !write_integer(mem, p.out, i, apply_function(p.function, x, p.p0, p.p1, p.in.dtype)))
				return;
			continue;
		}
		float x;
		if (!read_real(mem, p.in, i, x) ||
		    !write_real(mem, p.out, i, apply_function(p.function, x, p.p0, p.p1)))
			return;
	}
}

} // namespace atom::engine::reference
