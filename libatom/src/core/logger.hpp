// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "atom/log.hpp"

namespace atom::core {

/** The sink of a device, if it has one. Thread-safe. */
class logger {
public:
	/** Whether a sentence of @p level goes anywhere. No lock. */
	[[nodiscard]] bool wants(log_level level) const noexcept
	{
		return up_to_.load(std::memory_order_relaxed) >= static_cast<int>(level);
	}
	/** Whether this thread is inside of a sink: what it tells is dropped. */
	[[nodiscard]] static bool telling() noexcept;
	/** An empty sink ends it. Calls that run go on with the old one, which lives so long. */
	void set(log_sink sink, log_level up_to);
	/** No lock may be held that a call of the library takes. */
	void tell(log_level level, const std::string &sentence) const noexcept;

private:
	std::atomic<int> up_to_{0};
	mutable std::mutex mutex_; // protects sink_
	std::shared_ptr<const log_sink> sink_;
};

} // namespace atom::core
