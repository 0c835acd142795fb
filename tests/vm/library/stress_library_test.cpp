// SPDX-License-Identifier: MIT
// Sixteen threads of one process use a device through libatom while it is reset, loses its driver, and is pulled out.
#include "context.hpp"
#include "machine.hpp"
#include "session.hpp"
#include "stress.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

using namespace vmtest;
using library::copied_words, library::session;

namespace {

/** What two threads share. */
class shared_session {
public:
	/** The one that is in use, or a new one. */
	std::shared_ptr<session> get()
	{
		const std::lock_guard lock(mutex_);
		if (!session_)
			session_ = std::make_shared<session>();
		return session_;
	}
	/** It has no device any more. */
	void drop(const std::shared_ptr<session> &lost)
	{
		const std::lock_guard lock(mutex_);
		if (session_ == lost)
			session_.reset();
	}

private:
	std::mutex mutex_;
	std::shared_ptr<session> session_;
};

/** A thread that submits, waits and looks at what it has mapped, without end. */
class worker {
public:
	worker(shared_session &shared, std::uint32_t number)
		: shared_(shared), number_(number), thread_([this] { work(); })
	{
	}
	~worker()
	{
		end_ = true;
		thread_.join();
	}

	std::uint64_t good() const { return good_; }
	/** How often it was told that its jobs, or its device, are lost. */
	std::uint64_t told() const { return told_; }
	std::string wrong() const
	{
		const std::lock_guard lock(mutex_);
		return wrong_;
	}

private:
	void work()
	{
		while (!end_) {
			try {
				const auto s = shared_.get();
				copied_words words(*s);
				while (!end_ && one_job(*s, words)) {
				}
				shared_.drop(s);
			} catch (const atom::system_error &e) {
				if (e.code() != atom::errc::device_lost && e.code() != atom::errc::no_device)
					complain(e.what());
				++told_;
				pause_ms(20);
			}
		}
	}

	/** @return whether the session is still of use */
	bool one_job(session &s, copied_words &words)
	{
		const std::uint32_t word = number_ << 24 | (++round_ & 0xffffff);
		const std::error_code ec = words.copy(s, word);
		if (!ec) {
			if (words.holds(word) || loses_its_device(s))
				++good_;
			else
				complain("a job that succeeded has copied something else");
			return true;
		}
		++told_;
		if (ec == atom::errc::device_reset)
			return true;
		if (ec != atom::errc::device_lost && ec != atom::errc::canceled && ec != atom::errc::queue_banned)
			complain("job: " + ec.message());
		return false;
	}

	/** Whether the device went between the fence and the look at the words, which takes the driver a moment to see. */
	static bool loses_its_device(const session &s)
	{
		return eventually([&] {
			std::error_code ec;
			return s.q.state(ec).device_lost || ec == atom::errc::device_lost;
		});
	}

	void complain(const std::string &what)
	{
		const std::lock_guard lock(mutex_);
		wrong_ += what + "; ";
	}

	shared_session &shared_;
	const std::uint32_t number_;
	std::uint32_t round_ = 0;
	std::atomic<std::uint64_t> good_{0}, told_{0};
	std::atomic<bool> end_{false};
	mutable std::mutex mutex_;
	std::string wrong_;
	std::thread thread_; // last: it uses the others
};

class stress_library : public troubled {
protected:
	static constexpr unsigned threads = 16;

	stress_library()
	{
		for (unsigned i = 0; i < threads; ++i)
			workers_.push_back(std::make_unique<worker>(sessions_[i / 2], i));
	}

	/** Waits until each has had a few more right results. @return "" or what is wrong */
	std::string await_progress() const
	{
		std::string wrong;
		std::vector<std::uint64_t> goals;
		for (const auto &w : workers_)
			goals.push_back(w->good() + 3);
		for (unsigned i = 0; i < threads; ++i) {
			if (!eventually([&] { return workers_[i]->good() >= goals[i]; }, 120))
				wrong += "thread " + std::to_string(i) + " has no more results; ";
			wrong += workers_[i]->wrong();
		}
		return wrong;
	}

	/** Takes the device away; waits until each thread was told and goes on with it when it is back. */
	void lose_and_regain(const std::function<void()> &take, const std::function<void()> &give_back)
	{
		std::vector<std::uint64_t> before;
		for (const auto &w : workers_)
			before.push_back(w->told());
		ASSERT_NO_THROW(take());
		for (unsigned i = 0; i < threads; ++i)
			EXPECT_TRUE(eventually([&] { return workers_[i]->told() > before[i]; }, 120))
				<< "thread " << i << " was not told";
		ASSERT_NO_THROW(give_back());
		EXPECT_EQ(news_until_added(), "removed added");
		EXPECT_EQ(await_progress(), "");
	}

private:
	std::string news_until_added()
	{
		std::string news;
		pollfd readable{monitor_.fd(), POLLIN, 0};
		while (poll(&readable, 1, 60'000) == 1)
			while (const auto change = monitor_.next()) {
				if (change->what == atom::device_change_kind::removed)
					news += "removed ";
				if (change->what == atom::device_change_kind::added)
					return news + "added";
			}
		return news + "and nothing more";
	}

	atom::device_monitor monitor_;
	shared_session sessions_[threads / 2];
	std::vector<std::unique_ptr<worker>> workers_; // last: they use the sessions
};

} // namespace

TEST_F(stress_library, sixteen_threads_go_on_after_a_reset)
{
	const std::uint32_t resets = device_generation();
	ASSERT_EQ(await_progress(), "");
	for (unsigned i = 0; i < rounds(2, 20); ++i) {
		ASSERT_NO_THROW(reset_by_sysfs());
		ASSERT_EQ(await_progress(), "");
	}
	EXPECT_GE(device_generation(), resets + rounds(2, 20));
}

TEST_F(stress_library, sixteen_threads_lose_the_driver_and_find_it_again)
{
	ASSERT_EQ(await_progress(), "");
	std::string address;
	for (unsigned i = 0; i < rounds(1, 20); ++i)
		lose_and_regain([&] { address = unbind_driver(); }, [&] { bind_driver(address); });
}

TEST_F(stress_library, the_module_stays_while_sixteen_threads_use_it_and_can_go_when_they_have_lost_the_device)
{
	ASSERT_EQ(await_progress(), "");
	EXPECT_THROW(unload_driver(), std::runtime_error) << "in use";
	ASSERT_EQ(await_progress(), "");
	lose_and_regain(
		[] {
			unbind_driver();
			ASSERT_TRUE(eventually([] { return run_program({"modprobe", "-r", "atom_npu"}) == 0; }));
		},
		[] { load_driver(1); });
}

TEST_F(stress_library, a_device_that_is_pulled_out_under_sixteen_threads_works_for_them_when_it_is_back)
{
	ASSERT_EQ(await_progress(), "");
	for (unsigned i = 0; i < rounds(1, 20); ++i)
		lose_and_regain(pull_device, plug_back);
}
