// SPDX-License-Identifier: MIT
// api.*: what libatom itself costs for each job that is submitted, on a kernel that takes jobs and does nothing else.
#include "counted_new.hpp"
#include "figures.hpp"

#include <cstdio>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "atom/atom.hpp"
#include "core/access.hpp"
#include "core/device.hpp"
#include "silent_kernel.hpp"

namespace {

constexpr int rounds = 200;
constexpr int jobs_in_a_round = 4096;

/** Nanoseconds of a job: the median of the rounds, each of submissions of @p batch jobs. */
double measure(atom::queue &queue, const atom::submission &job, std::size_t batch)
{
	const std::vector<atom::submission> jobs(batch, job);
	std::vector<double> times;
	for (int round = -rounds / 4; round < rounds; ++round) {
		const double start = bench::now();
		for (std::size_t i = 0; i < jobs_in_a_round; i += batch)
			queue.submit(jobs);
		if (round >= 0) // warm by then
			times.push_back(1e9 * (bench::now() - start) / jobs_in_a_round);
	}
	return bench::quantile(times);
}

void measure_all()
{
	std::thread([] {}).join(); // as in most programs: without a second thread reference counts are cheaper
	const auto kernel =
		std::make_shared<atom::test::silent_kernel>(std::make_shared<atom::test::fake_kernel>());
	const atom::context context(atom::core::access::wrap(atom::core::device::open(kernel, "0")));
	atom::queue queue(context);
	const atom::buffer data(context, 4096);
	const auto commands = atom::command_builder(context)
	                              .fill(atom::tensor(atom::slot(1), atom::dtype::i8, {64}), 0)
	                              .finish();
	const atom::args memory{data};
	const atom::submission job(commands, memory);
	bench::tell("api.overhead", measure(queue, job, 1));
	bench::tell("api.overhead.batched", measure(queue, job, 32));
	const std::size_t before = atom::test::allocations;
	for (int i = 0; i < 100'000; ++i)
		queue.submit(job);
	bench::tell("api.allocations", static_cast<double>(atom::test::allocations - before));
}

} // namespace

int main()
{
	try {
		measure_all();
		return 0;
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_api_overhead: %s\n", error.what());
		return 1;
	}
}
