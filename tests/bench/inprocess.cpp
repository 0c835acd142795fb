// SPDX-License-Identifier: MIT
// inprocess.*: a job of the in-process device, from submit() to the end of wait(), against the least that two threads
// need to tell each other something and hear back: an eventfd each way. They take turns.
#include "figures.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <sys/eventfd.h>
#include <unistd.h>

#include "atom/atom.hpp"

namespace {

constexpr int rounds = 200;
constexpr int in_a_row = 20; // of each kind, in each round

/** A thread that answers. */
class echo {
public:
	echo() : there_(eventfd(0, EFD_CLOEXEC)), back_(eventfd(0, EFD_CLOEXEC)), thread_([this] { answer(); })
	{
		if (there_ < 0 || back_ < 0)
			throw std::runtime_error("no eventfd");
	}
	~echo()
	{
		send(there_, last);
		thread_.join();
		close(there_);
		close(back_);
	}
	echo(const echo &) = delete;
	echo &operator=(const echo &) = delete;

	void round_trip()
	{
		send(there_, 1);
		receive(back_);
	}

private:
	static constexpr std::uint64_t last = 1000;

	static void send(int fd, std::uint64_t value)
	{
		if (write(fd, &value, sizeof(value)) != sizeof(value))
			std::abort();
	}
	static std::uint64_t receive(int fd)
	{
		std::uint64_t value = 0;
		if (read(fd, &value, sizeof(value)) != sizeof(value))
			std::abort();
		return value;
	}
	void answer()
	{
		while (receive(there_) < last)
			send(back_, 1);
	}

	int there_;
	int back_;
	std::thread thread_;
};

/** Adds the microseconds of one call of @p what to @p times. */
template <class F>
void time(std::vector<double> &times, const F &what)
{
	const double start = bench::now();
	what();
	times.push_back(1e6 * (bench::now() - start));
}

void measure()
{
	const atom::context context(atom::device::open());
	atom::queue queue(context);
	const atom::buffer data(context, 4096);
	const atom::command_buffer nothing = atom::command_builder(context).nop().finish();
	const atom::command_buffer fill = atom::command_builder(context)
						  .fill(atom::tensor(atom::slot(1), atom::dtype::i8, {4096}), 1)
						  .finish();
	const atom::args memory{data};
	echo other;
	std::vector<double> empty, small, echoes;
	for (int round = 0; round < rounds; ++round) {
		for (int i = 0; i < in_a_row; ++i)
			time(empty, [&] { queue.run(nothing); });
		for (int i = 0; i < in_a_row; ++i)
			time(small, [&] { queue.run({fill, memory}); });
		for (int i = 0; i < in_a_row; ++i)
			time(echoes, [&] { other.round_trip(); });
	}
	const double reference = bench::quantile(echoes);
	bench::tell("inprocess.empty_job", bench::quantile(empty));
	bench::tell("inprocess.empty_job.reference", reference);
	bench::tell("inprocess.small_job", bench::quantile(small));
	bench::tell("inprocess.small_job.reference", reference);
}

} // namespace

int main()
{
	try {
		if (std::getenv("ATOM_DEVICE") == nullptr)
			setenv("ATOM_DEVICE", "model", 1);
		measure();
		return 0;
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_inprocess: %s\n", error.what());
		return 1;
	}
}
