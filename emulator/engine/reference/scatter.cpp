/* SPDX-License-Identifier: MIT */
#include "reference/indexed.h"

#include "numeric/function.h"
#include "reference/element.h"

namespace atom::engine::reference {

namespace {

constexpr std::int64_t elements_per_question = 1024;

/* out[at] = out[at] op updates[i]: integers modulo 2^bits, floats in f32. */
bool reduce(memory &mem, const indexed_plan &p, const index5 &i, const index5 &at)
{
	const std::uint32_t kind = binary_of(p.reduction);
	if (is_integer(p.table.dtype)) {
		std::int64_t old, update;
		return read_integer(mem, p.table, at, old) && read_integer(mem, p.each, i, update) &&
		       write_integer(mem, p.table, at, apply_binary(kind, old, update, p.table.element_bytes * 8));
	}
	float old, update;
	return read_real(mem, p.table, at, old) && read_real(mem, p.each, i, update) &&
	       write_real(mem, p.table, at, apply_binary(kind, old, update));
}

} // namespace

/*
 * out[where the index says] = updates[i], or is combined with it, one update
 * behind the other in row-major order.
 */
void scatter(const indexed_plan &p, memory &mem, const box &b)
{
	const std::int64_t start = mem.progress().k;
	for (box_walk walk(b, 1, start); walk.next();) {
		/* All that may go to one place is in one tile, however long that takes. */
		if (walk.ordinal() % elements_per_question == 0 && mem.interrupted()) {
			mem.progress().k = walk.ordinal();
			return;
		}
		index5 at;
		if (!locate(mem, p, walk.index(), at) ||
		    !(p.reduction == ATOM_SCATTER_ASSIGN
			      ? move_element(mem, p.convert, p.each, walk.index(), p.table, at)
			      : reduce(mem, p, walk.index(), at)))
			return;
	}
}

} // namespace atom::engine::reference
