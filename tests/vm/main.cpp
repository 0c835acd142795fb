// SPDX-License-Identifier: MIT
// Runs the tests with a watchdog: a test that hangs ends the program, so that the runner can name it and go on. So does a
// test that left no working device behind it.
#include "trouble.hpp"
#include "uapi.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

// Statuses that tests/vm/run knows.
constexpr int exit_hang = 3;
constexpr int exit_no_device = 4;

/** Whether there is a device that answers. */
bool has_device()
{
	try {
		const vmtest::device dev;
		return true;
	} catch (const std::exception &) {
		return false;
	}
}

class watchdog : public testing::EmptyTestEventListener {
public:
	explicit watchdog(std::chrono::seconds patience) : patience_(patience), thread_([this] { watch(); }) {}
	~watchdog() override
	{
		{
			const std::lock_guard lock(mutex_);
			end_ = true;
		}
		changed_.notify_one();
		thread_.join();
	}

private:
	void OnTestStart(const testing::TestInfo &test) override
	{
		if (!has_device()) {
			std::printf("NO DEVICE: %s.%s cannot run\n", test.test_suite_name(), test.name());
			std::fflush(stdout);
			_exit(exit_no_device);
		}
		set(std::string(test.test_suite_name()) + "." + test.name());
	}
	void OnTestEnd(const testing::TestInfo &) override { set(""); }

	void set(std::string test)
	{
		const std::lock_guard lock(mutex_);
		test_ = std::move(test);
		deadline_ = std::chrono::steady_clock::now() + patience_;
	}

	void watch()
	{
		std::unique_lock lock(mutex_);
		while (!end_) {
			changed_.wait_for(lock, std::chrono::seconds(1));
			if (!end_ && !test_.empty() && std::chrono::steady_clock::now() > deadline_) {
				std::printf("HANG: %s has not ended within %lld s\n", test_.c_str(),
					    static_cast<long long>(patience_.count()));
				std::fflush(stdout);
				_exit(exit_hang);
			}
		}
	}

	const std::chrono::seconds patience_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::string test_;
	std::chrono::steady_clock::time_point deadline_;
	bool end_ = false;
	std::thread thread_; // last: it uses the others
};

} // namespace

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	if (testing::GTEST_FLAG(list_tests))
		return RUN_ALL_TESTS();
	const char *patience = std::getenv("ATOM_TEST_SECONDS");
	// The unit test owns its listeners and deletes them at exit.
	testing::UnitTest::GetInstance()->listeners().Append(
		new watchdog(std::chrono::seconds(patience ? std::atoi(patience) : 180)));
	const int status = RUN_ALL_TESTS();
	vmtest::leave_word(status);
	return status;
}
