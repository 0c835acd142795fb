// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "atom/fence.hpp"
#include "statistics.hpp"

namespace atom_ort {

/** Says what work a failure met: which part of a model, which node, on which device. */
using explainer = std::function<std::string(const atom::completion &)>;

/** A job that was given to a device, and who still has to be told how it ended. Thread-safe. */
class job {
public:
	job(atom::fence done, const void *stream, explainer what)
		: done_(std::move(done)), stream_(stream), what_(std::move(what))
	{
	}

	[[nodiscard]] const atom::fence &fence() const { return done_; }
	/** The stream that it was submitted to; jobs of one stream run in order. */
	[[nodiscard]] const void *stream() const { return stream_; }
	[[nodiscard]] bool ready() const noexcept;
	/** Whether somebody was told that it failed. */
	[[nodiscard]] bool told() const { return told_; }

	/** Waits, and says whether it ended well; counts it once. */
	atom::completion wait_quietly() noexcept;
	/** @throws atom::system_error if it failed */
	void wait();

private:
	atom::fence done_;
	const void *stream_;
	explainer what_;
	std::atomic<bool> told_{false};
	std::atomic<bool> counted_{false};
};

using job_ptr = std::shared_ptr<job>;

} // namespace atom_ort
