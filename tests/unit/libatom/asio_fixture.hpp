// SPDX-License-Identifier: MIT
// <atom/asio.hpp> on an event loop and the device inside of the process.
#pragma once

#include "atom/asio.hpp"

#include <chrono>
#include <cstdlib>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "atom/atom.hpp"

namespace atom::test {

using boost_error = boost::system::error_code;

/** What a handler was called with. */
struct outcome {
	boost_error error;
	completion result;
};

/** A handler that notes its call. */
inline auto note_in(std::vector<outcome> &calls)
{
	return [&calls](const boost_error &error, const completion &result) {
		calls.push_back({error, result});
	};
}

class on_an_event_loop : public testing::Test {
protected:
	device dev = open();
	context ctx{dev};
	queue q{ctx};
	timeline line{dev};
	buffer memory{ctx, 4096};
	command_buffer nop = command_builder(ctx).nop().finish();
	command_buffer fill =
		command_builder(ctx).fill(tensor(slot(1), dtype::f32, {16}), 1).finish();
	boost::asio::io_context loop;
	async_notifier news{loop, dev};
	std::vector<outcome> calls;

	static device open()
	{
		setenv("ATOM_DEVICE", "model,dram=64M,threads=1", 0);
		return device::open();
	}
	/** Runs the loop, which must come to its end. */
	void run()
	{
		loop.restart();
		loop.run_for(std::chrono::minutes(1));
		EXPECT_TRUE(loop.stopped()) << "something goes on waiting";
	}
	/** Argument of fill, at an address where it fails. */
	[[nodiscard]] args odd() const { return {memory.slice(1, 64)}; }
};

} // namespace atom::test
