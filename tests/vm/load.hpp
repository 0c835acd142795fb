// SPDX-License-Identifier: MIT
// Load from innocent processes, beside which a test breaks things: each is a client of its own, works without end and checks
// every result.
#pragma once

#include "context.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vmtest {

/** What may befall an innocent, provided that it is told. */
enum class losses {
	none,   ///< Nothing: only queues of others are reset.
	jobs,   ///< Jobs, by a reset of the device; fences and QUEUE_GET_STATE say which.
	device, ///< All it has: the device may die or go, and comes back.
};

struct load_options {
	unsigned processes = 8;
	std::size_t device = 0;
	losses allowed = losses::none;
};

class load {
public:
	/** Starts the processes and waits until each has had right results. Throws if one does not. */
	explicit load(const load_options &options = {});
	load(load &&) = delete;
	/** Kills what still runs. */
	~load();

	/** Jobs with right results so far. */
	std::uint64_t jobs() const;
	/** Jobs, or devices, that were lost so far, and told to be. */
	std::uint64_t told() const;
	/** Waits until each process has had @p more right results. @return "" or what is wrong */
	std::string await_progress(std::uint64_t more = 8, double seconds = 300) const;
	/** Lets the processes end. @return "" or what went wrong in them */
	std::string stop();

private:
	struct report;
	std::string failures() const;

	load_options options_;
	shared_flag end_;
	report *reports_; // one a process, shared with it
	std::vector<std::unique_ptr<child>> processes_;
};

} // namespace vmtest
