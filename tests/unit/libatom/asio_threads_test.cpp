// SPDX-License-Identifier: MIT
// A notifier that many threads use at once.
#include "asio_fixture.hpp"

#include <atomic>
#include <thread>

namespace atom::test {
namespace {

class many_threads : public on_an_event_loop {
protected:
	/** Runs the loop on some threads while others do @p work(number). */
	template <class F>
	void together(const F &work)
	{
		auto busy = boost::asio::make_work_guard(loop);
		std::vector<std::thread> runners, workers;
		for (int i = 0; i < 2; ++i)
			runners.emplace_back([this] { loop.run(); });
		for (int i = 0; i < 4; ++i)
			workers.emplace_back([&work, i] { work(i); });
		for (std::thread &t : workers)
			t.join();
		busy.reset();
		for (std::thread &t : runners)
			t.join();
	}
};

TEST_F(many_threads, get_each_completion_once)
{
	constexpr int jobs = 500; // of each thread
	std::vector<std::atomic<int>> told(4 * jobs + 1);
	together([&](int) {
		for (int i = 0; i < jobs; ++i)
			async_submit(news, q, nop,
			             [&](const boost_error &error, const completion &c) {
					     EXPECT_FALSE(error);
					     ++told.at(c.sequence);
				     });
	});
	for (std::size_t i = 1; i < told.size(); ++i)
		EXPECT_EQ(told[i], 1) << "job " << i;
}

TEST_F(many_threads, may_cancel_what_others_start)
{
	constexpr int waits = 500;
	std::atomic<int> ended{0}, aborted{0};
	together([&](int number) {
		for (int i = 0; i < waits; ++i) {
			async_wait(news, line.at(1),
			           [&](const boost_error &error, const completion &) {
					   aborted +=
						   error == boost::asio::error::operation_aborted;
					   ++ended;
				   });
			if (number == 0)
				news.cancel();
		}
		if (number == 0)
			news.cancel(line.at(1));
		if (number == 1)
			line.signal(1);
	});
	EXPECT_EQ(ended, 4 * waits);
	EXPECT_GT(aborted, 0);
}

} // namespace
} // namespace atom::test
