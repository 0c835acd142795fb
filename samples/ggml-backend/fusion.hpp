// SPDX-License-Identifier: MIT
#pragma once

#include "emitter.hpp"
#include "ggml-impl.h"

namespace ggml_atom {

/** A node, or two that the device does by one command: the first's result is used by the other
 * only. */
struct step {
	const ggml_tensor *first = nullptr;
	const ggml_tensor *second = nullptr; ///< nullptr: one node

	[[nodiscard]] const ggml_tensor *result() const
	{
		return second != nullptr ? second : first;
	}
	[[nodiscard]] int nodes() const { return second != nullptr ? 2 : 1; }
	/** What it reads of other nodes: @p f for each. */
	template <class F>
	void for_each_source(F &&f) const
	{
		for (const ggml_tensor *node : {first, second})
			for (int i = 0; node != nullptr && i < GGML_MAX_SRC; ++i)
				if (node->src[i] != nullptr &&
				    (node == first || node->src[i] != first))
					f(node->src[i]);
	}
};

/** What begins with node @p index of @p graph. */
step step_at(const ggml_cgraph *graph, int index);

/** As lower() of a node. */
bool lower(emitter &e, const step &s);

} // namespace ggml_atom
