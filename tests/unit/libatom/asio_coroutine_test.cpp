// SPDX-License-Identifier: MIT
// Coroutines, of C++20.
#include "asio_fixture.hpp"

#ifdef __cpp_impl_coroutine

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102000
#include <boost/asio/experimental/awaitable_operators.hpp>
#endif

namespace atom::test {
namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;

class a_coroutine : public on_an_event_loop {
protected:
	/** Runs @p work to its end; what it throws is thrown on. */
	void run_all(awaitable<void> work)
	{
		std::exception_ptr failure;
		boost::asio::co_spawn(loop, std::move(work),
		                      [&](const std::exception_ptr &f) { failure = f; });
		run();
		if (failure)
			std::rethrow_exception(failure);
	}
};

TEST_F(a_coroutine, awaits_its_jobs)
{
	const auto work = [&]() -> awaitable<void> {
		const args good{memory.slice(0, 64)};
		for (std::uint64_t i = 1; i <= 100; ++i) {
			const completion done =
				co_await async_submit(news, q, {fill, good}, use_awaitable);
			EXPECT_EQ(done.sequence, i);
		}
		q.submit(nop);
		const completion last = co_await async_drain(news, q, use_awaitable);
		EXPECT_EQ(last.sequence, 101U);
	};
	run_all(work());
}

TEST_F(a_coroutine, catches_what_became_of_its_job)
{
	const auto work = [&]() -> awaitable<void> {
		const args bad = odd();
		co_await async_submit(news, q, {fill, bad}, use_awaitable);
	};
	try {
		run_all(work());
		ADD_FAILURE() << "nothing was thrown";
	} catch (const boost::system::system_error &e) {
		EXPECT_EQ(e.code(), errc::job_fault);
	}
}

TEST_F(a_coroutine, needs_no_token_where_it_is_the_default)
{
	using awaiting_executor =
		boost::asio::use_awaitable_t<>::executor_with_default<boost::asio::any_io_executor>;
	async_notifier::rebind_executor<awaiting_executor>::other own(
		awaiting_executor(loop.get_executor()), dev);
	const auto work = [&]() -> awaitable<void> {
		const completion done = co_await async_wait(own, q.submit(nop));
		EXPECT_EQ(done.sequence, 1U);
		co_await async_submit(own, q, nop);
		EXPECT_EQ((co_await async_drain(own, q)).sequence, 2U);
	};
	run_all(work());
}

TEST_F(a_coroutine, that_owns_its_notifier_ends_with_the_loop)
{
	const auto alive = std::make_shared<int>();
	const auto work = [&, alive](boost::asio::io_context &own) -> awaitable<void> {
		const auto held = alive;
		const async_notifier its_own(own, dev);
		co_await async_wait(its_own, line.at(1), use_awaitable);
		ADD_FAILURE() << "nobody signals";
	};
	auto own = std::make_unique<boost::asio::io_context>();
	boost::asio::co_spawn(*own, work(*own), boost::asio::detached);
	own->poll();
	EXPECT_EQ(alive.use_count(), 3);
	own.reset();
	EXPECT_EQ(alive.use_count(), 2) << "the coroutine is still there";
}

#if BOOST_ASIO_VERSION >= 102000
TEST_F(a_coroutine, waits_for_the_first_of_two_and_cancels_the_other)
{
	using namespace boost::asio::experimental::awaitable_operators;
	timeline never(dev);
	const auto work = [&]() -> awaitable<void> {
		line.signal(1);
		const auto first = co_await (async_wait(news, never.at(1), use_awaitable) ||
		                             async_wait(news, line.at(1), use_awaitable));
		EXPECT_EQ(first.index(), 1U);
	};
	run_all(work());
}
#endif

} // namespace
} // namespace atom::test

#endif
