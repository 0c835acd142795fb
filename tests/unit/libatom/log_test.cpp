// SPDX-License-Identifier: MIT
// What the library tells to whom a program names.
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <drm/atom_accel.h>

#include "atom/hw/fault.h"
#include "c_fixture.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

using lines = std::vector<std::string>;

/** Takes what it is told, from many threads. */
class listener {
public:
	log_sink sink()
	{
		return [this](log_level level, std::string_view text) {
			const std::lock_guard lock(mutex_);
			heard_.push_back(std::to_string(static_cast<int>(level)) + " " +
			                 std::string(text));
		};
	}
	/** Since the last time. */
	lines heard()
	{
		const std::lock_guard lock(mutex_);
		return std::exchange(heard_, {});
	}

private:
	std::mutex mutex_;
	lines heard_;
};

class the_log : public on_fake_kernel {
protected:
	listener ear;

	static submission nothing() { return {}; }
	void fail_jobs()
	{
		kernel->policy = [](const fake_job &) {
			return faulting(ATOM_FAULT_OVERLAP, ATOM_WHERE_COMMAND, ATOM_OP_GEMM, 24);
		};
	}
};

TEST_F(the_log, is_silent_until_somebody_is_named_and_after_he_is_not)
{
	queue q(ctx);
	dev.set_log_sink(ear.sink(), log_level::debug);
	q = queue(ctx);
	EXPECT_EQ(ear.heard().size(), 2U);
	dev.set_log_sink({}, log_level::debug);
	q = queue(ctx);
	EXPECT_EQ(ear.heard(), lines());
}

TEST_F(the_log, tells_what_comes_and_goes)
{
	dev.set_log_sink(ear.sink(), log_level::debug);
	const context own(dev);
	const std::string c = std::to_string(core::access::ctx(own)->id());
	EXPECT_EQ(ear.heard(), lines{"4 context " + c + ": created"});
	const buffer b(own, 100);
	EXPECT_EQ(ear.heard(), lines{"4 buffer of 100 bytes created in context " + c});
	{
		queue_options options;
		options.name = "decoder";
		queue q(own, options);
		const std::string name = "queue " + std::to_string(q.id()) + " \"decoder\"";
		EXPECT_EQ(ear.heard(), lines{"4 " + name + ": created in context " + c + ", with " +
		                             std::to_string(q.ring_entries()) + " entries"});
		q.run(nothing());
		EXPECT_EQ(ear.heard(), lines()) << "what goes well is not told";
		const std::string ended = "4 " + name + ": ended, after 1 jobs";
		q = {};
		EXPECT_EQ(ear.heard(), lines{ended});
	}
	EXPECT_EQ(ear.heard(), lines());
}

TEST_F(the_log, tells_once_why_a_queue_takes_no_more_jobs)
{
	dev.set_log_sink(ear.sink());
	queue q(ctx);
	const std::string name = "queue " + std::to_string(q.id());
	fail_jobs();
	std::error_code ec;
	q.run(nothing(), no_deadline, ec);
	EXPECT_EQ(ec, errc::job_fault);
	const lines heard = ear.heard();
	ASSERT_EQ(heard.size(), 1U);
	EXPECT_EQ(heard[0].rfind(
			  "1 " + name + ": it takes no more jobs, because job 1 failed: GEMM", 0),
	          0U)
		<< heard[0];
	q.submit(nothing(), ec);
	EXPECT_EQ(ec, errc::queue_banned);
	(void)q.state();
	EXPECT_EQ(ear.heard(), lines());
}

TEST_F(the_log, tells_it_by_whatever_call_finds_it_out)
{
	dev.set_log_sink(ear.sink());
	fail_jobs();
	const std::vector<std::function<void(queue &, const fence &)>> calls{
		[](queue &q, const fence &) { (void)q.state(); },
		[](queue &q, const fence &) {
			completion c;
			(void)q.reap({&c, 1});
		},
		[](queue &q, const fence &) {
			std::error_code ec;
			q.submit(nothing(), ec);
		},
		[](queue &, const fence &f) { (void)f.status(); },
		[](queue &, const fence &f) {
			std::error_code ec;
			wait_all({&f, 1}, no_deadline, ec);
		},
		[](queue &q, const fence &) { q = {}; },
	};
	for (std::size_t i = 0; i < calls.size(); ++i) {
		queue q(ctx);
		const fence f = q.submit(nothing());
		EXPECT_EQ(ear.heard(), lines()) << i;
		calls[i](q, f);
		EXPECT_EQ(ear.heard().size(), 1U) << i;
	}
}

TEST_F(the_log, tells_of_jobs_that_a_reset_took_and_of_a_device_that_is_gone)
{
	dev.set_log_sink(ear.sink());
	kernel->auto_run = false;
	queue q(ctx);
	const std::string name = "queue " + std::to_string(q.id());
	q.submit(nothing());
	const fence second = q.submit(nothing());
	kernel->reset_device(1);
	std::error_code ec;
	second.wait(no_deadline, ec);
	EXPECT_EQ(ec, errc::device_reset);
	EXPECT_EQ(ear.heard(),
	          lines{"2 " + name +
	                ": a reset of the device that another queue caused took its jobs up to 2"});
	const fence third = q.submit(nothing());
	kernel->unplug();
	third.wait(no_deadline, ec);
	EXPECT_EQ(ec, errc::device_lost);
	EXPECT_EQ(ear.heard(), lines{"1 " + name + ": its device is lost"});
}

TEST_F(the_log, has_the_sentences_that_codes_cannot_tell)
{
	dev.set_log_sink(ear.sink(), log_level::info);
	std::error_code ec;
	const buffer plain(ctx, 4096);
	(void)plain.export_dmabuf(ec);
	EXPECT_EQ(ear.heard(), lines{"3 export buffer: it was created without shareable = true"});
	kernel->fail(number(DRM_IOCTL_ATOM_DEV_QUERY), EACCES);
	(void)dev.memory(ec);
	EXPECT_EQ(ear.heard(),
	          lines{"3 read device memory: permission denied (Permission denied)"});
	EXPECT_FALSE(buffer::create(ctx, 0, {}, ec));
	EXPECT_FALSE(queue::create(ctx, {priority::normal, std::chrono::hours(1000)}, ec));
	EXPECT_FALSE(timeline::import_fd(dev, 12345, ec));
	EXPECT_FALSE(command_builder(ctx).finish(ec));
	EXPECT_EQ(ear.heard().size(), 4U);
	error_of(errc::invalid_argument, [&] { (void)buffer(ctx, 0); });
	EXPECT_EQ(ear.heard(), lines()) << "the exception has the sentence";
	timeline t(dev);
	t.at(1).wait(deadline(), ec);
	EXPECT_EQ(ec, errc::timed_out);
	EXPECT_EQ(ear.heard(), lines()) << "a wait that ends at its time has not failed";
}

TEST_F(the_log, lets_a_sink_call_the_library_and_tells_nothing_of_that)
{
	queue q(ctx);
	const fence first = q.submit(nothing());
	fail_jobs();
	int told = 0;
	dev.set_log_sink(
		[&](log_level, std::string_view) {
			++told;
			std::error_code ec;
			q.submit(nothing(), ec); // takes each lock that there is
			completion c;
			q.reap({&c, 1}, ec);
			(void)q.state(ec);
			first.wait(no_deadline, ec);
			notifier(dev).watch(first);
			(void)queue(ctx);
			dev.set_log_sink({});
		},
		log_level::debug);
	std::error_code ec;
	q.run(nothing(), no_deadline, ec);
	EXPECT_EQ(ec, errc::job_fault);
	EXPECT_EQ(told, 1);
}

TEST_F(the_log, is_told_later_of_what_a_sink_found_out)
{
	queue first(ctx);
	queue second(ctx);
	fail_jobs();
	second.submit(nothing());
	lines heard;
	dev.set_log_sink([&](log_level, std::string_view text) {
		heard.emplace_back(text);
		(void)second.state();
	});
	std::error_code ec;
	first.run(nothing(), no_deadline, ec);
	ASSERT_EQ(heard.size(), 1U);
	(void)second.state();
	ASSERT_EQ(heard.size(), 2U);
	const std::string name = "queue " + std::to_string(second.id()) + ": ";
	EXPECT_EQ(heard[1].rfind(name + "it takes no more jobs", 0), 0U) << heard[1];
}

TEST_F(the_log, says_by_a_code_that_a_sink_cannot_be_named)
{
	std::error_code ec = errc::timed_out;
	dev.set_log_sink(ear.sink(), log_level::debug, ec);
	EXPECT_FALSE(ec);
	(void)queue(ctx);
	EXPECT_EQ(ear.heard().size(), 2U);
	device().set_log_sink(ear.sink(), log_level::debug, ec);
	EXPECT_EQ(ec, errc::invalid_argument);
}

TEST_F(the_log, is_not_what_a_call_fails_by)
{
	int told = 0;
	dev.set_log_sink(
		[&](log_level, std::string_view) {
			++told;
			throw std::runtime_error("the disk is full");
		},
		log_level::debug);
	const queue q(ctx);
	std::error_code ec;
	EXPECT_FALSE(buffer::create(ctx, 0, {}, ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_EQ(told, 2);
}

TEST_F(the_log, is_not_told_by_a_forked_child)
{
	queue q(ctx);
	dev.set_log_sink(ear.sink(), log_level::debug);
	kernel->pid = 101;
	std::error_code ec;
	q.submit(nothing(), ec);
	EXPECT_EQ(ec, errc::forked_child);
	error_of(errc::forked_child, [&] { dev.set_log_sink({}); });
	EXPECT_EQ(ear.heard(), lines());
	kernel->pid = 100;
}

TEST_F(the_log, can_be_changed_while_many_threads_tell)
{
	std::atomic<int> alive{0};
	std::atomic<int> told{0};
	struct counted {
		std::atomic<int> &alive;
		explicit counted(std::atomic<int> &n) : alive(n) { ++alive; }
		~counted() { --alive; }
	};
	std::atomic<bool> stop{false};
	std::vector<std::thread> threads;
	for (int t = 0; t < 4; ++t)
		threads.emplace_back([&] {
			while (!stop) {
				std::error_code ec;
				(void)buffer::create(ctx, 0, {}, ec);
			}
		});
	for (int i = 0; i < 500 || told == 0; ++i) {
		auto state = std::make_shared<counted>(alive);
		dev.set_log_sink(
			[state, &told](log_level, std::string_view) {
				EXPECT_GT(state->alive, 0);
				++told;
			},
			log_level::info);
	}
	stop = true;
	for (std::thread &t : threads)
		t.join();
	EXPECT_EQ(alive, 1);
	dev.set_log_sink({});
	EXPECT_EQ(alive, 0) << "the last one is destroyed when it is replaced";
}

struct c_listener {
	lines heard;
	int released = 0;
};

atom_log_sink sink_of(c_listener &to, std::uint32_t level)
{
	auto sink = sized<atom_log_sink>();
	sink.level = level;
	sink.user = &to;
	sink.function = [](void *user, std::uint32_t l, const char *text) {
		static_cast<c_listener *>(user)->heard.push_back(std::to_string(l) + " " + text);
	};
	sink.release = [](void *user) { ++static_cast<c_listener *>(user)->released; };
	return sink;
}

TEST_F(the_log, tells_a_function_of_c)
{
	auto *device = new atom_device{dev};
	c_listener ear;
	atom_log_sink sink = sink_of(ear, 0);
	ASSERT_EQ(atom_device_set_log_sink(device, &sink), ATOM_OK) << atom_last_error();
	fail_jobs();
	{
		queue q(ctx);
		std::error_code ec;
		q.run(nothing(), no_deadline, ec);
	}
	ASSERT_EQ(ear.heard.size(), 1U) << "level 0 stands for warnings and errors";
	EXPECT_EQ(ear.heard[0].rfind("1 queue", 0), 0U);

	sink.level = ATOM_LOG_DEBUG + 1;
	EXPECT_EQ(atom_device_set_log_sink(device, &sink), ATOM_ERROR_INVALID_ARGUMENT);
	sink.size = 0;
	EXPECT_EQ(atom_device_set_log_sink(device, &sink), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_device_set_log_sink(nullptr, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(ear.released, 0) << "calls that fail take nothing and change nothing";
	c_listener other;
	const atom_log_sink second = sink_of(other, ATOM_LOG_DEBUG);
	ASSERT_EQ(atom_device_set_log_sink(device, &second), ATOM_OK);
	EXPECT_EQ(ear.released, 1);
	ASSERT_EQ(atom_device_set_log_sink(device, nullptr), ATOM_OK);
	EXPECT_EQ(other.released, 1);
	ASSERT_EQ(atom_device_set_log_sink(device, &second), ATOM_OK);
	atom_device_destroy(device);
	ctx = {};
	dev = {};
	EXPECT_EQ(other.released, 2) << "at the latest with the device";
	EXPECT_EQ(ear.heard.size(), 1U);
	EXPECT_EQ(other.heard, lines());
}

} // namespace
} // namespace atom::test
