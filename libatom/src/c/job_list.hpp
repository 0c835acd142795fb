// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "atom/atom.h"
#include "atom/queue.hpp"

namespace atom::c {

/** The jobs of a call as C++ has them. Keeps its memory for the next call. */
class job_list {
public:
	/** As long as neither it nor what @p jobs points to changes. Throws. */
	span<const submission> convert(const atom_submission *jobs, uint32_t count);
	/** Lets go of memory and fences that the jobs use. */
	void clear() noexcept;

private:
	submission add(const atom_submission &job);

	std::vector<atom_submission> given_;
	std::vector<submission> jobs_;
	std::vector<buffer_view> views_;
	std::vector<fence> fences_;
};

} // namespace atom::c
