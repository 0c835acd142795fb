// SPDX-License-Identifier: MIT
#include "core/logger.hpp"

#include <utility>

namespace atom::core {
namespace {

// What a sink does is not told: it would be told to the sink.
thread_local bool inside_sink = false;

} // namespace

bool logger::telling() noexcept { return inside_sink; }

void logger::set(log_sink sink, log_level up_to)
{
	auto made = sink ? std::make_shared<const log_sink>(std::move(sink)) : nullptr;
	const std::lock_guard lock(mutex_);
	up_to_ = made ? static_cast<int>(up_to) : 0;
	sink_.swap(made);
	// The old one, in made, is destroyed behind the lock: that may call anything, too.
}

void logger::tell(log_level level, const std::string &sentence) const noexcept
{
	if (inside_sink)
		return;
	inside_sink = true;
	try {
		std::shared_ptr<const log_sink> sink;
		{
			const std::lock_guard lock(mutex_);
			sink = sink_;
		}
		if (sink)
			(*sink)(level, sentence);
	} catch (...) { // NOLINT(bugprone-empty-catch): a sink must not change what a call does
	}
	inside_sink = false;
}

} // namespace atom::core
