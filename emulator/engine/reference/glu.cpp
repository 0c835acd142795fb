/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include "numeric/function.h"
#include "reference/element.h"

namespace atom::engine::reference {

/* out = function(min(gate, limit)) * (clip(value, -limit, limit) + bias), limits only if limit > 0. */
void glu(const glu_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		float gate, value;
		if (!read_real(mem, p.gate, i, gate) || !read_real(mem, p.value, i, value))
			return;
		if (p.limit > 0) {
			gate = gate > p.limit ? p.limit : gate;
			value = apply_function(ATOM_FN_CLIP, value, -p.limit, p.limit);
		}
		if (!write_real(mem, p.out, i, apply_function(p.function, gate, p.p0, 0) * (value + p.bias)))
			return;
	}
}

} // namespace atom::engine::reference
