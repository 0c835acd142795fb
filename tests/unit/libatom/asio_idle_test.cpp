// SPDX-License-Identifier: MIT
// A loop that waits sleeps: it asks the kernel once for each time that it is woken. Replaces
// epoll_wait(), to count.
#include "asio_fixture.hpp"

#include <atomic>
#include <chrono>

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<int> questions{0};

} // namespace

extern "C" int epoll_wait(int fd, epoll_event *events, int room, int timeout)
{
	++questions;
	return static_cast<int>(syscall(SYS_epoll_pwait, fd, events, room, timeout, nullptr, 0));
}

namespace atom::test {
namespace {

class an_idle_loop : public on_an_event_loop {
protected:
	/** Of a loop that nothing happens to; one that spins asks thousands of times. */
	int questions_while_idle()
	{
		const int before = questions;
		loop.restart();
		loop.run_for(std::chrono::milliseconds(100));
		return questions - before;
	}
};

TEST_F(an_idle_loop, sleeps_until_a_fence_is_ready)
{
	async_wait(news, line.at(1), note_in(calls));
	EXPECT_GE(questions_while_idle(), 1) << "they are counted";
	EXPECT_LE(questions_while_idle(), 5);
	line.signal(1);
	run();
	EXPECT_EQ(calls.size(), 1U);
}

TEST_F(an_idle_loop, sleeps_on_when_another_fence_was_ready_or_its_wait_was_cancelled)
{
	queue other(ctx);
	async_wait(news, line.at(2), note_in(calls));
	async_wait(news, other.submit(nop), note_in(calls));
	while (calls.empty())
		ASSERT_EQ(loop.run_one_for(std::chrono::minutes(1)), 1U);
	EXPECT_LE(questions_while_idle(), 5);
	async_wait(news, line.at(1), note_in(calls));
	news.cancel(line.at(1));
	line.signal(1); // the kernel tells of it all the same
	EXPECT_LE(questions_while_idle(), 8);
	EXPECT_LE(questions_while_idle(), 5);
	line.signal(2);
	run();
	EXPECT_EQ(calls.size(), 3U);
}

} // namespace
} // namespace atom::test
