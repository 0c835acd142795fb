// SPDX-License-Identifier: MIT
// async.*: completions through <atom/asio.hpp>, each with a handler of its own, against a loop of epoll that takes them from
// the queue. Both have the same batches on the same device, and take turns. Wake-ups are returns of epoll_wait().
#include "figures.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <vector>

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atom/asio.hpp"

#include <boost/asio/io_context.hpp>

#include "atom/atom.hpp"

namespace {

constexpr int rounds = 20;
constexpr int batches_in_a_round = 100;
constexpr std::size_t batch = 64;

std::uint64_t wake_ups = 0;

} // namespace

// In place of the C library's, for both.
extern "C" int epoll_wait(int fd, epoll_event *events, int room, int timeout)
{
	const auto ready = static_cast<int>(syscall(SYS_epoll_pwait, fd, events, room, timeout, nullptr, 0));
	wake_ups += ready > 0;
	return ready;
}

namespace {

/** Seconds and wake-ups of a round. */
struct spent {
	double seconds = 0;
	std::uint64_t wake_ups = 0;
};

template <class F>
spent time(const F &what)
{
	const std::uint64_t before = wake_ups;
	const double start = bench::now();
	what();
	return {bench::now() - start, wake_ups - before};
}

void check(bool good)
{
	if (!good)
		throw std::runtime_error("a job failed, or its completion was lost");
}

/** What both do is: give a batch, and another as soon as its completions have been told. */
class contender {
public:
	explicit contender(const atom::context &context)
		: queue(context), nothing(atom::command_builder(context).nop().finish()),
		  jobs(batch, atom::submission(nothing))
	{
	}

protected:
	atom::queue queue;
	atom::command_buffer nothing;
	std::vector<atom::submission> jobs;
};

class with_epoll : public contender {
public:
	explicit with_epoll(const atom::context &context)
		: contender(context), news_(context.device()), epoll_(epoll_create1(EPOLL_CLOEXEC))
	{
		epoll_event readable{};
		readable.events = EPOLLIN;
		check(epoll_ctl(epoll_, EPOLL_CTL_ADD, news_.fd(), &readable) == 0);
	}
	~with_epoll() { close(epoll_); }
	with_epoll(const with_epoll &) = delete;
	with_epoll &operator=(const with_epoll &) = delete;

	void run()
	{
		for (int i = 0; i < batches_in_a_round; ++i) {
			news_.watch(queue.submit(jobs));
			for (std::size_t taken = 0; taken < batch;)
				taken += take();
		}
	}

private:
	std::size_t take()
	{
		epoll_event ready;
		check(epoll_wait(epoll_, &ready, 1, -1) == 1);
		news_.clear();
		std::size_t taken = 0;
		while (const std::size_t some = queue.reap(done_)) {
			for (std::size_t i = 0; i < some; ++i)
				check(!done_[i].error);
			taken += some;
		}
		return taken;
	}

	atom::notifier news_;
	int epoll_;
	std::array<atom::completion, batch> done_;
};

class with_asio : public contender {
public:
	explicit with_asio(const atom::context &context) : contender(context), news_(loop_, context.device()) {}

	void run()
	{
		left_ = batches_in_a_round;
		give();
		loop_.restart();
		loop_.run();
		check(left_ == 0 && told_ == 0);
	}

private:
	void give()
	{
		told_ = batch;
		const std::uint64_t last = queue.submit(jobs).point();
		for (std::uint64_t job = last - batch + 1; job <= last; ++job)
			atom::async_wait(news_, queue.fence_of(job),
			                 [this](const boost::system::error_code &error, const atom::completion &) {
				check(!error);
				if (--told_ == 0 && --left_ > 0)
					give();
			});
	}

	boost::asio::io_context loop_{1};
	atom::async_notifier news_;
	std::size_t told_ = 0;
	int left_ = 0;
};

void measure()
{
	const atom::context context(atom::device::open());
	with_epoll plain(context);
	with_asio asio(context);
	std::vector<double> plain_times, asio_times;
	std::uint64_t asio_wake_ups = 0;
	plain.run();
	asio.run();
	for (int round = 0; round < rounds; ++round) {
		plain_times.push_back(time([&] { plain.run(); }).seconds);
		const spent s = time([&] { asio.run(); });
		asio_times.push_back(s.seconds);
		asio_wake_ups += s.wake_ups;
	}
	constexpr double completions = static_cast<double>(batch) * batches_in_a_round;
	bench::tell("async.completions", completions / bench::quantile(asio_times));
	bench::tell("async.completions.reference", completions / bench::quantile(plain_times));
	bench::tell("async.wake_ups", static_cast<double>(asio_wake_ups) / (rounds * completions));
}

} // namespace

int main()
{
	try {
		if (std::getenv("ATOM_DEVICE") == nullptr)
			setenv("ATOM_DEVICE", "model,threads=1", 1);
		measure();
		return 0;
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_async_completions: %s\n", error.what());
		return 1;
	}
}
