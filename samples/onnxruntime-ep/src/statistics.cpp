// SPDX-License-Identifier: MIT
#include "statistics.hpp"

#include <mutex>

namespace atom_ort {
namespace {

std::mutex mutex;
atom_ort_ep_statistics counters {};

} // namespace

void count_job(const atom::completion &done) noexcept
{
	const std::lock_guard lock(mutex);
	++counters.jobs;
	if (done.error)
		++counters.failed;
	if (done.has_times) {
		counters.busy_ns += done.end_ns - done.start_ns;
		counters.modelled_ns += done.modelled_ns;
	}
}

void count_graph(const graph_share &graph)
{
	const std::lock_guard lock(mutex);
	counters.nodes += graph.nodes;
	counters.nodes_on_npu += graph.nodes_on_npu;
	counters.multiplications += graph.multiplications;
	counters.multiplications_on_npu += graph.multiplications_on_npu;
}

void count_part()
{
	const std::lock_guard lock(mutex);
	++counters.parts;
}

void count_program()
{
	const std::lock_guard lock(mutex);
	++counters.programs;
}

atom_ort_ep_statistics counted()
{
	const std::lock_guard lock(mutex);
	return counters;
}

} // namespace atom_ort
