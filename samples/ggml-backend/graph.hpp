// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "emitter.hpp"
#include "ggml-impl.h"
#include "npu.hpp"

namespace ggml_atom {

/** The commands of a graph, with the buffers of its tensors left to each submission. */
struct plan {
	std::string key;
	atom::command_buffer commands;
};

/** A graph and what its tensors lie in. */
struct job {
	const plan *what = nullptr;
	std::vector<atom::buffer_view> arguments; ///< element n - 1 is for slot n
};

/**
 * Makes graphs into commands, once for each shape: graphs that differ only in the buffers of their
 * tensors share them. Not thread-safe.
 */
class planner {
public:
	explicit planner(npu &on) : npu_(on) {}

	/**
	 * What to submit for @p graph; nothing if there is nothing to do. Valid until the next
	 * call.
	 * @throws atom::system_error, also for a node that supports() would refuse
	 */
	job prepare(const ggml_cgraph *graph);

private:
	/** @p where has met all tensors already, in the order that the key tells. */
	atom::command_buffer build(const ggml_cgraph *graph, places &where);

	npu &npu_;
	std::list<plan> plans_; // the one used last comes first
	std::unordered_map<std::string_view, std::list<plan>::iterator> by_key_;
};

} // namespace ggml_atom
