// SPDX-License-Identifier: MIT
// The calls that fail_nth_test.cpp makes, one for each entry point of the driver.
#pragma once

#include "context.hpp"
#include "host_memory.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace vmtest {

/** A client with one of everything, so that each call has something to work on. */
struct fail_nth_bench {
	fail_nth_bench();
	template <class Args> int call(unsigned long request, Args args) { return c.dev.try_call(request, &args); }

	context c;
	buffer small, large;
	vmtest::memory memory, local;
	address_space spare_space;
	queue spare_queue;
	std::uint64_t memory_offset, large_va, hole_va;
	drm_atom_job job;
	syncobj done;
	host_memory own{kib64};
	// What some calls need besides.
	buffer local_neighbour;
	unique_fd file;
	std::uint32_t handle = 0;
	int next_file = -1; ///< number that the next file will have
	std::filesystem::path path;
	std::optional<syncobj> finished; ///< its fence is that of a job
};

struct fail_nth_call {
	const char *name;
	/** The driver's ioctl that it makes; 0: another entry. */
	unsigned long request;
	/** @return 0 or errno */
	std::function<int(fail_nth_bench &)> make;
	/** Whether a failed call may leave page tables in reserve, which go with their address space. */
	bool keeps_tables = false;
	/** What comes before, and does not fail. */
	void (*prepare)(fail_nth_bench &) = nullptr;
	/** What DRM says instead of ENOMEM. */
	int also = 0;
};

const std::vector<fail_nth_call> &fail_nth_calls();

} // namespace vmtest
