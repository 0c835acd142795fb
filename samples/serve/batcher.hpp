// SPDX-License-Identifier: MIT
// Requests of many sessions become batches of the device.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "atom/asio.hpp"
#include "network.hpp"

namespace serve {

/** A request on its way. Its session owns it and waits for it. */
struct request {
	explicit request(const boost::asio::any_io_executor &executor)
		: answered(executor, boost::asio::steady_timer::time_point::max())
	{
	}

	serve::input input{};
	serve::output output{};
	verdict answer = verdict::failed;
	boost::asio::steady_timer answered; ///< never runs out; cancelled when there is an answer
};

struct batch_statistics {
	std::uint64_t requests = 0;
	std::uint64_t batches = 0;
	std::uint64_t failed_batches = 0;
	std::uint64_t devices = 0; ///< opened
};

/**
 * Two batches are in flight at most: while the device computes one, the next gathers what comes. So a
 * request that comes alone does not wait, and under load batches grow by themselves. For one thread.
 */
class batcher {
public:
	explicit batcher(boost::asio::io_context &loop);

	/** Serves until the loop stops. Throws atom::system_error if there is no device at first. */
	boost::asio::awaitable<void> run();

	/** Has @p r answered. */
	boost::asio::awaitable<void> answer(request &r);

	[[nodiscard]] const batch_statistics &statistics() const { return statistics_; }

private:
	/** All that is lost with a device. */
	struct station;
	using batch = std::deque<request *>;

	boost::asio::awaitable<void> work(std::shared_ptr<station> at);
	boost::asio::awaitable<batch> next_batch(const station &at);
	boost::asio::awaitable<verdict> compute(station &at, batch_memory &memory, const batch &requests);
	boost::asio::awaitable<void> wait_for_device();
	void finish(const batch &requests, verdict answer);

	boost::asio::io_context &loop_;
	atom::async_device_monitor monitor_;
	bool available_ = false;
	batch waiting_;
	boost::asio::steady_timer news_; // never runs out; cancelled when somebody may have something to do
	batch_statistics statistics_;
};

} // namespace serve
