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

void count_graph(std::size_t nodes, std::size_t on_npu)
{
	const std::lock_guard lock(mutex);
	counters.nodes += nodes;
	counters.nodes_on_npu += on_npu;
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
