/* SPDX-License-Identifier: MIT */
#include "reference/indexed.h"

namespace atom::engine::reference {

/* out[i] = data[where the index says]. */
void gather(const indexed_plan &p, memory &mem, const box &b)
{
	for (box_walk walk(b, 1); walk.next();) {
		index5 at;
		if (!locate(mem, p, walk.index(), at) ||
		    !move_element(mem, p.convert, p.table, at, p.each, walk.index()))
			return;
	}
}

} // namespace atom::engine::reference
