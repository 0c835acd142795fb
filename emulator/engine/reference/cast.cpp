/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include "numeric/convert.h"
#include "reference/element.h"

namespace atom::engine::reference {

/*
 * Integers without quantisation go to such integers exactly, saturated or
 * wrapped. Everything else passes through f32: what the input stands for, then
 * rounded to what the output can say.
 */
void cast(const cast_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		if (is_plain_integer(p.in) && is_plain_integer(p.out)) {
			std::int64_t value;
			if (!read_integer(mem, p.in, i, value))
				return;
			value = p.wrap ? wrap(value, p.out.dtype) : saturate(value, p.out.dtype);
			if (!write_integer(mem, p.out, i, value))
				return;
			continue;
		}
		float value;
		if (!read_real(mem, p.in, i, value))
			return;
		const bool done = p.wrap ? write_integer(mem, p.out, i,
							 wrap(round_real(value, p.toward_zero), p.out.dtype))
					 : write_real(mem, p.out, i, value, p.toward_zero);
		if (!done)
			return;
	}
}

} // namespace atom::engine::reference
