// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/fence_source.hpp"
#include "sys/event.hpp"

namespace atom::core {

/** A file that becomes readable when points are reached. Thread-safe. */
class notifier {
public:
	explicit notifier(const std::shared_ptr<core::device> &dev);

	[[nodiscard]] sys::event &event() const { return *event_; }
	/** False, and nothing is done, if it is known to be ready. Throws. */
	bool watch_unless_ready(const std::shared_ptr<fence_source> &source, std::uint64_t point);
	/** Throws. */
	void watch(const std::shared_ptr<fence_source> &source, std::uint64_t point);
	void clear();

private:
	using moment = std::pair<std::shared_ptr<fence_source>, std::uint64_t>;

	std::unique_ptr<sys::event> event_;
	std::mutex mutex_; // protects watched_
	/** What the kernel has been asked to tell and was not known to have come; sorted. */
	std::vector<moment> watched_;
};

} // namespace atom::core
