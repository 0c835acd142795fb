// SPDX-License-Identifier: MIT
// Waits, jobs and their handlers. Built for each version of Boost and each standard of C++.
#include "asio_fixture.hpp"

#include <array>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

namespace atom::test {
namespace {

class an_async_wait : public on_an_event_loop {};

TEST_F(an_async_wait, calls_its_handler_with_the_completion_of_the_job)
{
	submission job(nop);
	job.cookie = 42;
	async_wait(news, q.submit(job), note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_FALSE(calls[0].error);
	EXPECT_EQ(calls[0].result.sequence, 1U);
	EXPECT_EQ(calls[0].result.cookie, 42U);
	EXPECT_TRUE(calls[0].result.has_times);
}

TEST_F(an_async_wait, never_calls_its_handler_before_it_returns)
{
	line.signal(1);
	boost::asio::post(loop, [&] {
		async_wait(news, line.at(1), note_in(calls));
		async_wait(news, fence(), note_in(calls));
		EXPECT_TRUE(calls.empty());
	});
	run();
	EXPECT_EQ(calls.size(), 2U);
}

TEST_F(an_async_wait, lasts_until_its_moment_has_come)
{
	async_wait(news, line.at(2), note_in(calls));
	async_wait(news, line.at(1), note_in(calls));
	loop.poll();
	EXPECT_TRUE(calls.empty());
	line.signal(1);
	loop.run_one();
	EXPECT_EQ(calls.size(), 1U);
	loop.poll();
	EXPECT_EQ(calls.size(), 1U);
	line.signal(2);
	run();
	EXPECT_EQ(calls.size(), 2U);
}

TEST_F(an_async_wait, tells_why_there_is_nothing_to_wait_for)
{
	async_wait(news, fence(), note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_EQ(calls[0].error, errc::invalid_argument);
	EXPECT_EQ(calls[0].result.error, errc::invalid_argument);
}

TEST_F(an_async_wait, tells_that_the_job_failed)
{
	const args bad = odd();
	async_wait(news, q.submit({fill, bad}), note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_EQ(calls[0].error, errc::job_fault);
	ASSERT_TRUE(calls[0].result.fault);
	EXPECT_EQ(calls[0].error.message(), "the job faulted");
	EXPECT_EQ(calls[0].error, boost::system::errc::io_error);
}

TEST_F(an_async_wait, gives_its_result_to_a_future)
{
	auto good = async_wait(news, q.submit(nop), boost::asio::use_future);
	const args bad = odd();
	auto faulted = async_submit(news, q, {fill, bad}, boost::asio::use_future);
	run();
	EXPECT_EQ(good.get().sequence, 1U);
	try {
		faulted.get();
		ADD_FAILURE() << "nothing was thrown";
	} catch (const boost::system::system_error &e) {
		EXPECT_EQ(e.code(), errc::job_fault) << e.what();
	}
}

TEST_F(an_async_wait, ends_with_many_others_in_one_wake_up)
{
	constexpr std::uint64_t waits = 64;
	for (std::uint64_t point = waits; point > 0; --point)
		async_wait(news, line.at(point), note_in(calls));
	EXPECT_EQ(loop.poll(), 0U);
	line.signal(waits);
	EXPECT_EQ(loop.run_one(), 1U);
	EXPECT_EQ(calls.size(), waits);
	EXPECT_EQ(loop.run(), 0U);
}

TEST_F(an_async_wait, takes_no_wake_up_for_what_is_ready_when_it_starts)
{
	constexpr std::uint64_t ready = 32;
	constexpr std::uint64_t waits = 64;
	line.signal(ready);
	EXPECT_EQ(line.value(), ready); // what the library has not been told it asks the kernel for
	for (std::uint64_t point = 1; point <= waits; ++point)
		async_wait(news, line.at(point), note_in(calls));
	EXPECT_EQ(loop.poll(), ready) << "handlers alone, and none of the reactor";
	EXPECT_EQ(calls.size(), ready);
	line.signal(waits);
	EXPECT_EQ(loop.run_one(), 1U);
	EXPECT_EQ(calls.size(), waits) << "one wake-up for all others";
	EXPECT_EQ(loop.run(), 0U);
}

TEST_F(an_async_wait, ends_before_those_for_later_points)
{
	std::vector<std::uint64_t> order;
	for (const std::uint64_t point : {3U, 1U, 2U, 1U})
		async_wait(news, line.at(point),
		           [&order, point](const boost_error &, const completion &) {
				   order.push_back(point);
			   });
	line.signal(3);
	run();
	EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 1, 2, 3}));
}

TEST_F(an_async_wait, may_be_for_any_queue_and_timeline)
{
	queue other(ctx);
	const timeline never(dev);
	async_wait(news, never.at(1), note_in(calls));
	async_wait(news, other.submit(nop), note_in(calls));
	async_wait(news, q.submit(nop), note_in(calls));
	while (calls.size() < 2)
		ASSERT_EQ(loop.run_one_for(std::chrono::minutes(1)), 1U);
	news.cancel();
	run();
	ASSERT_EQ(calls.size(), 3U);
	EXPECT_EQ(calls[2].error, boost::asio::error::operation_aborted);
}

TEST_F(an_async_wait, can_start_from_a_handler)
{
	int left = 100;
	std::function<void()> next = [&] {
		async_submit(news, q, nop, [&](const boost_error &error, const completion &) {
			ASSERT_FALSE(error);
			if (--left > 0)
				next();
		});
	};
	next();
	run();
	EXPECT_EQ(left, 0);
}

TEST_F(an_async_wait, is_not_lost_when_the_handler_of_another_throws)
{
	async_wait(news, line.at(1), [](const boost_error &, const completion &) {
		throw std::runtime_error("a handler");
	});
	async_wait(news, line.at(1), note_in(calls));
	line.signal(1);
	EXPECT_THROW(loop.run(), std::runtime_error);
	run();
	EXPECT_EQ(calls.size(), 1U);
}

TEST_F(an_async_wait, calls_its_handler_by_the_handlers_executor)
{
	boost::asio::thread_pool pool(1);
	std::promise<std::thread::id> where;
	async_wait(news, line.at(1),
	           boost::asio::bind_executor(pool, [&](const boost_error &, const completion &) {
			   where.set_value(std::this_thread::get_id());
		   }));
	line.signal(1);
	run();
	const auto caller = where.get_future().get();
	EXPECT_NE(caller, std::this_thread::get_id());
	pool.join();
}

TEST_F(an_async_wait, keeps_the_loop_of_its_handler_running)
{
	boost::asio::io_context other;
	async_wait(news, line.at(1), boost::asio::bind_executor(other, note_in(calls)));
	EXPECT_EQ(other.poll(), 0U);
	EXPECT_FALSE(other.stopped()) << "it has no work left";
	line.signal(1);
	run();
	EXPECT_TRUE(calls.empty());
	other.restart();
	other.run();
	EXPECT_EQ(calls.size(), 1U);
}

/** An allocator that counts. */
template <class T>
struct counting_allocator {
	using value_type = T;

	int *used;

	explicit counting_allocator(int *u) : used(u) {}
	template <class U>
	counting_allocator(const counting_allocator<U> &other) : used(other.used)
	{
	}
	T *allocate(std::size_t n)
	{
		++*used;
		return std::allocator<T>().allocate(n);
	}
	void deallocate(T *p, std::size_t n)
	{
		--*used;
		std::allocator<T>().deallocate(p, n);
	}
	bool operator==(const counting_allocator &o) const { return used == o.used; }
	bool operator!=(const counting_allocator &o) const { return used != o.used; }
};

struct allocating_handler {
	using allocator_type = counting_allocator<char>;

	int *used;
	int *left;

	[[nodiscard]] allocator_type get_allocator() const { return allocator_type(used); }
	void operator()(const boost_error &, const completion &) const { *left = *used; }
};

TEST_F(an_async_wait, has_its_memory_from_the_handlers_allocator_and_frees_it_first)
{
	int used = 0;
	int left = -1;
	async_wait(news, line.at(1), allocating_handler{&used, &left});
	EXPECT_EQ(used, 1);
	line.signal(1);
	run();
	EXPECT_EQ(left, 0);
	EXPECT_EQ(used, 0);
}

TEST_F(an_async_wait, of_a_strand_is_one_of_its_handlers)
{
	auto strand = boost::asio::make_strand(loop);
	bool inside = false;
	async_wait(news, line.at(1),
	           boost::asio::bind_executor(strand, [&](const boost_error &, const completion &) {
			   inside = strand.running_in_this_thread();
		   }));
	line.signal(1);
	run();
	EXPECT_TRUE(inside);
}

class an_async_submit : public on_an_event_loop {};

TEST_F(an_async_submit, of_several_jobs_ends_with_the_last)
{
	const std::array<submission, 5> jobs{nop, nop, nop, nop, nop};
	async_submit(news, q, jobs, note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_EQ(calls[0].result.sequence, 5U);
}

TEST_F(an_async_submit, tells_why_nothing_was_submitted)
{
	async_submit(news, q, span<const submission>(), note_in(calls));
	async_submit(news, q, fill, note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 2U);
	EXPECT_EQ(calls[0].error, errc::invalid_argument);
	EXPECT_EQ(calls[1].error, errc::invalid_argument) << "an argument is missing";
	EXPECT_FALSE(q.last());
}

class an_async_drain : public on_an_event_loop {};

TEST_F(an_async_drain, ends_when_all_jobs_are_done)
{
	async_drain(news, q, note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 1U) << "of no jobs";
	EXPECT_FALSE(calls[0].error);
	EXPECT_EQ(calls[0].result.sequence, 0U);
	for (int i = 0; i < 10; ++i)
		q.submit(nop);
	async_drain(news, q, note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 2U);
	EXPECT_EQ(calls[1].result.sequence, 10U);
}

TEST_F(an_async_drain, tells_that_a_job_before_the_last_failed)
{
	const args bad = odd();
	const args good{memory.slice(0, 64)};
	const std::array<submission, 2> jobs{submission(fill, bad), submission(fill, good)};
	q.submit(jobs);
	async_drain(news, q, note_in(calls));
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_EQ(calls[0].error, errc::canceled);
	EXPECT_EQ(calls[0].result.first_failed, 1U);
}

TEST(an_error_of_libatom, is_the_same_for_boost)
{
	const boost_error late = to_boost(make_error_code(errc::timed_out));
	EXPECT_EQ(late, errc::timed_out);
	EXPECT_NE(late, errc::canceled);
	EXPECT_EQ(late, boost::system::errc::timed_out);
	EXPECT_TRUE(errc::timed_out == late && errc::canceled != late);
	EXPECT_EQ(late.message(), "timed out");
	EXPECT_FALSE(to_boost(std::error_code()));
	EXPECT_EQ(to_boost(std::make_error_code(std::errc::io_error)),
	          boost::system::errc::io_error);
	const boost_error files = to_boost(std::error_code(EMFILE, std::system_category()));
	EXPECT_EQ(files.category(), boost::system::system_category());
}

static_assert(std::is_nothrow_move_constructible_v<async_notifier> &&
              !std::is_copy_constructible_v<async_notifier>);

} // namespace
} // namespace atom::test
