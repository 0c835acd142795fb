// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

namespace atom::sys {

/**
 * A flag behind a file descriptor: poll() finds it readable while it is set. The kernel sets it
 * too (eventfd). Thread-safe.
 */
class event {
public:
	virtual ~event() = default;

	[[nodiscard]] virtual int fd() const = 0;
	virtual void set() = 0;
	virtual void clear() = 0;
	/** 1: it is set; 0: @p until_ns of CLOCK_MONOTONIC has passed; or a negative errno value.
	 */
	virtual int wait(std::int64_t until_ns) = 0;
};

/** An eventfd of the process. 0 or a negative errno value. */
int make_eventfd(std::unique_ptr<event> &out);

} // namespace atom::sys
