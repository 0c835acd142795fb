// SPDX-License-Identifier: MIT
// How waits end before their time: cancellation, ends of notifiers and of loops, lost devices; and
// devices that change.
#include "asio_fixture.hpp"

#include <memory>
#include <optional>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102000
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include "core/access.hpp"
#include "core/device.hpp"
#include "core/device_monitor.hpp"
#include "fake_kernel.hpp"

namespace atom::test {
namespace {

using boost::asio::error::operation_aborted;

class a_cancelled_wait : public on_an_event_loop {};

TEST_F(a_cancelled_wait, ends_with_operation_aborted_and_leaves_the_job_alone)
{
	const fence moment = line.at(1);
	submission job(nop);
	job.waits = {&moment, 1};
	async_wait(news, moment, note_in(calls));
	loop.poll();
	news.cancel();
	EXPECT_TRUE(calls.empty()) << "cancel() calls nobody itself";
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_EQ(calls[0].error, operation_aborted);
	line.signal(1);
	EXPECT_TRUE(moment.ready());
	async_wait(news, moment, note_in(calls));
	run();
	EXPECT_FALSE(calls[1].error) << "the notifier goes on";
}

TEST_F(a_cancelled_wait, is_one_for_the_fence_that_was_named)
{
	std::vector<outcome> others;
	async_wait(news, line.at(1), note_in(others));
	async_wait(news, line.at(2), note_in(calls));
	async_wait(news, line.at(3), note_in(others));
	async_wait(news, line.at(2), note_in(calls));
	news.cancel(line.at(2));
	loop.poll();
	ASSERT_EQ(calls.size(), 2U);
	EXPECT_EQ(calls[1].error, operation_aborted);
	line.signal(3);
	run();
	ASSERT_EQ(others.size(), 2U);
	EXPECT_FALSE(others[0].error);
	EXPECT_FALSE(others[1].error);
}

TEST_F(a_cancelled_wait, does_not_take_a_later_one_with_it)
{
	async_wait(news, line.at(1), note_in(calls));
	loop.poll();
	news.cancel(); // the reactor has not told of it yet
	async_wait(news, line.at(1), note_in(calls));
	loop.poll();
	ASSERT_EQ(calls.size(), 1U);
	line.signal(1);
	run();
	ASSERT_EQ(calls.size(), 2U);
	EXPECT_FALSE(calls[1].error);
}

TEST_F(a_cancelled_wait, is_what_the_end_of_its_notifier_leaves)
{
	{
		async_notifier gone(loop, dev);
		async_wait(gone, line.at(1), note_in(calls));
		async_notifier other(std::move(gone));
		async_wait(other, line.at(1), note_in(calls));
		loop.poll();
		EXPECT_TRUE(calls.empty());
		news = std::move(other);
		loop.poll();
		EXPECT_TRUE(calls.empty()) << "it has moved";
		news = async_notifier(loop, dev);
	}
	run();
	ASSERT_EQ(calls.size(), 2U);
	EXPECT_EQ(calls[1].error, operation_aborted);
}

TEST_F(a_cancelled_wait, is_not_told_of_when_the_loop_itself_ends)
{
	const auto alive = std::make_shared<int>();
	auto own = std::make_unique<boost::asio::io_context>();
	auto its_notifier = std::make_shared<async_notifier>(*own, dev);
	// The handler owns what holds it.
	async_wait(*its_notifier, line.at(1),
	           [&, alive, its_notifier](const boost_error &, const completion &) {
			   calls.emplace_back();
		   });
	its_notifier.reset();
	own->poll();
	EXPECT_EQ(alive.use_count(), 2);
	own.reset();
	EXPECT_EQ(alive.use_count(), 1) << "the handler is still there";
	EXPECT_TRUE(calls.empty());
}

#if BOOST_ASIO_VERSION >= 102000
TEST_F(a_cancelled_wait, is_that_of_the_signal_only)
{
	using boost::asio::cancellation_type;
	boost::asio::cancellation_signal signal;
	std::vector<outcome> others;
	async_wait(news, line.at(1), note_in(others));
	for (const auto type :
	     {cancellation_type::total, cancellation_type::partial, cancellation_type::terminal}) {
		calls.clear();
		async_wait(news, line.at(1),
		           boost::asio::bind_cancellation_slot(signal.slot(), note_in(calls)));
		loop.poll();
		EXPECT_TRUE(calls.empty());
		signal.emit(type);
		loop.poll();
		ASSERT_EQ(calls.size(), 1U);
		EXPECT_EQ(calls[0].error, operation_aborted);
	}
	signal.emit(cancellation_type::terminal); // nothing waits
	EXPECT_TRUE(others.empty());
	line.signal(1);
	run();
	EXPECT_FALSE(others.at(0).error);
}

TEST_F(a_cancelled_wait, for_a_job_that_it_submitted_cannot_be_without_effects)
{
	using boost::asio::cancellation_type;
	boost::asio::cancellation_signal signal;
	const fence moment = line.at(1);
	queue first(ctx);
	submission signaller; // so that the job may wait for the moment
	signaller.signals = {&moment, 1};
	submission job(nop);
	job.waits = {&moment, 1};
	first.submit(signaller).wait();
	async_submit(news, q, job,
	             boost::asio::bind_cancellation_slot(signal.slot(), note_in(calls)));
	signal.emit(cancellation_type::total);
	run();
	ASSERT_EQ(calls.size(), 1U);
	EXPECT_FALSE(calls[0].error);
	signal.emit(cancellation_type::total); // it has ended
}
#endif

/** What cannot happen to the device inside of the process. */
class a_loop_on_a_fake_kernel : public testing::Test {
protected:
	std::shared_ptr<fake_kernel> kernel = std::make_shared<fake_kernel>();
	device dev{core::access::wrap(core::device::open(kernel, "0"))};
	boost::asio::io_context loop;
	std::vector<outcome> calls;
};

TEST_F(a_loop_on_a_fake_kernel, ends_its_waits_when_the_device_is_lost)
{
	async_notifier news(loop, dev);
	const context ctx(dev);
	queue q(ctx);
	timeline line(dev);
	kernel->auto_run = false;
	const command_buffer nop = command_builder(ctx).nop().finish();
	async_wait(news, q.submit(nop), note_in(calls));
	async_wait(news, line.at(1), note_in(calls));
	async_wait(news, line.at(2), note_in(calls));
	loop.poll();
	EXPECT_TRUE(calls.empty());
	kernel->unplug();
	loop.run();
	ASSERT_EQ(calls.size(), 3U);
	for (const outcome &o : calls)
		EXPECT_EQ(o.error, errc::device_lost);
	async_wait(news, line.at(3), note_in(calls));
	loop.restart();
	loop.run();
	ASSERT_EQ(calls.size(), 4U);
	EXPECT_EQ(calls[3].error, errc::device_lost);
}

TEST_F(a_loop_on_a_fake_kernel, tells_each_change_of_a_device_once)
{
	async_device_monitor monitor(
		loop, core::access::wrap(std::make_unique<core::device_monitor>(kernel)));
	ASSERT_EQ(monitor.devices().size(), 1U);
	std::vector<device_change> changes;
	std::vector<boost_error> errors;
	const auto note = [&](const boost_error &error, const device_change &change) {
		errors.push_back(error);
		changes.push_back(change);
	};
	kernel->tell({sys::node_event::kind::removed, {"/dev/accel/accel0", "", -1}, ""});
	async_next_event(monitor, note);
	async_next_event(monitor, note);
	EXPECT_TRUE(changes.empty());
	loop.poll();
	ASSERT_EQ(changes.size(), 1U);
	EXPECT_EQ(changes[0].what, device_change_kind::removed);
	kernel->tell({sys::node_event::kind::added, {"/dev/accel/accel7", "", -1}, ""});
	loop.run();
	ASSERT_EQ(changes.size(), 2U);
	EXPECT_EQ(changes[1].device.path, "/dev/accel/accel7");
	EXPECT_FALSE(errors[1]);

	async_next_event(monitor, note);
	monitor.cancel();
	loop.restart();
	loop.run();
	ASSERT_EQ(errors.size(), 3U);
	EXPECT_EQ(errors[2], operation_aborted);
	{
		const async_device_monitor gone(std::move(monitor));
		async_next_event(gone, note);
	}
	loop.restart();
	loop.run();
	ASSERT_EQ(errors.size(), 4U);
	EXPECT_EQ(errors[3], operation_aborted);
}

#if BOOST_ASIO_VERSION >= 102000
TEST_F(a_loop_on_a_fake_kernel, loses_no_change_when_a_wait_is_cancelled)
{
	async_device_monitor monitor(
		loop, core::access::wrap(std::make_unique<core::device_monitor>(kernel)));
	boost::asio::cancellation_signal signal;
	std::optional<boost_error> error;
	async_next_event(monitor,
	                 boost::asio::bind_cancellation_slot(
				 signal.slot(),
				 [&](const boost_error &e, const device_change &) { error = e; }));
	loop.poll();
	signal.emit(boost::asio::cancellation_type::total);
	kernel->tell({sys::node_event::kind::removed, {"/dev/accel/accel0", "", -1}, ""});
	loop.run();
	ASSERT_TRUE(error);
	EXPECT_EQ(*error, operation_aborted);
	std::optional<device_change> change;
	async_next_event(monitor, [&](const boost_error &, const device_change &c) { change = c; });
	loop.restart();
	loop.run();
	ASSERT_TRUE(change);
	EXPECT_EQ(change->what, device_change_kind::removed);
}
#endif

class an_event_of_a_device : public on_an_event_loop {
protected:
	/** Makes a queue whose job fails. */
	std::uint32_t fail_a_queue()
	{
		queue bad(ctx);
		const args wrong = odd();
		std::error_code ec;
		bad.run({fill, wrong}, no_deadline, ec);
		EXPECT_EQ(ec, errc::job_fault);
		failed.push_back(std::move(bad));
		return failed.back().id();
	}
	std::vector<queue> failed;
};

TEST_F(an_event_of_a_device, ends_one_wait)
{
	async_device_events events(loop, dev);
	std::vector<device_event> told;
	std::vector<boost_error> errors;
	const auto note = [&](const boost_error &error, const device_event &event) {
		errors.push_back(error);
		told.push_back(event);
	};
	async_next_event(events, note);
	async_next_event(events, note);
	loop.poll();
	EXPECT_TRUE(told.empty());
	const std::uint32_t first = fail_a_queue();
	const std::uint32_t second = fail_a_queue();
	run();
	ASSERT_EQ(told.size(), 2U);
	EXPECT_FALSE(errors[0] || errors[1]);
	EXPECT_EQ(told[0].queue_id, first);
	EXPECT_EQ(told[1].queue_id, second);
	EXPECT_TRUE(told[1].faulted);
	async_next_event(events, note);
	loop.restart();
	loop.poll();
	EXPECT_EQ(told.size(), 2U) << "one is told twice";
	events.cancel();
	run();
	ASSERT_EQ(errors.size(), 3U);
	EXPECT_EQ(errors[2], operation_aborted);
	// What came while nobody waited is there for who waits next.
	const std::uint32_t third = fail_a_queue();
	async_next_event(events, note);
	run();
	ASSERT_EQ(told.size(), 4U);
	EXPECT_EQ(told[3].queue_id, third);
}

TEST_F(an_event_of_a_device, is_not_waited_for_beyond_the_end_of_what_waits)
{
	std::optional<boost_error> error;
	{
		const async_device_events gone(loop, dev);
		async_next_event(gone, [&](const boost_error &e, const device_event &) { error = e; });
	}
	run();
	ASSERT_TRUE(error);
	EXPECT_EQ(*error, operation_aborted);
	EXPECT_THROW(async_device_events(loop, device()), system_error);
}

TEST_F(a_loop_on_a_fake_kernel, is_told_when_changes_cannot_be_followed)
{
	async_device_monitor monitor(
		loop, core::access::wrap(std::make_unique<core::device_monitor>(kernel)));
	std::optional<boost_error> error;
	async_next_event(monitor, [&](const boost_error &e, const device_change &) { error = e; });
	kernel->follow_error = ENOBUFS;
	kernel->tell({});
	loop.run();
	ASSERT_TRUE(error);
	EXPECT_EQ(*error, boost_error(ENOBUFS, boost::system::system_category()));
}

} // namespace
} // namespace atom::test
