/* SPDX-License-Identifier: MIT */
/**
 * @file rewriting_guest.h
 * @brief A processor of the guest that writes what a command is reading.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>

namespace atom::test {

class rewriting_guest {
public:
	/** Calls @p step again and again, from a thread of its own, until the end of its life. */
	explicit rewriting_guest(std::function<void(std::minstd_rand &)> step)
		: step_(std::move(step)), thread_([this] {
			  for (std::minstd_rand random(3); !stop_.load(std::memory_order_relaxed);)
				  step_(random);
		  })
	{
	}
	~rewriting_guest()
	{
		stop_.store(true, std::memory_order_relaxed);
		thread_.join();
	}
	rewriting_guest(const rewriting_guest &) = delete;
	rewriting_guest &operator=(const rewriting_guest &) = delete;

	/** As a store of another machine's: neither the compiler nor a sanitizer knows of it. */
	__attribute__((no_sanitize("address", "thread"))) static void poke(void *to, std::uint32_t value)
	{
		*static_cast<volatile std::uint32_t *>(to) = value;
	}

private:
	std::function<void(std::minstd_rand &)> step_;
	std::atomic<bool> stop_ = false;
	std::thread thread_;
};

} // namespace atom::test
