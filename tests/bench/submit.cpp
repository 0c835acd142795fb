// SPDX-License-Identifier: MIT
// submit.latency and submit.throughput: NOP jobs of the NPU against 512-byte reads of QEMU's NVMe device, taking turns.
#include "context.hpp"
#include "figures.hpp"
#include "nvme_reader.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>

using namespace vmtest;

namespace {

constexpr unsigned depth = 32;

/** Submit-to-wake of one job: SUBMIT, then a wait for its timeline point. */
double time_job(context &c, const drm_atom_job &job)
{
	const double start = bench::now();
	c.submit(job);
	if (const int error = c.timeline.try_wait(c.point, 10'000'000'000, 0))
		throw std::runtime_error("waiting for a job failed: errno " + std::to_string(error));
	return bench::now() - start;
}

double time_read(bench::nvme_reader &reader)
{
	const double start = bench::now();
	reader.submit_and_wait(1, 1);
	return bench::now() - start;
}

void measure_latency(context &c, const drm_atom_job &job, bench::nvme_reader &reader)
{
	for (int i = 0; i < 300; ++i) { // caches, translations of the emulator, frequency
		time_job(c, job);
		time_read(reader);
	}
	std::vector<double> jobs, reads;
	for (int round = 0; round < 40; ++round) {
		for (int i = 0; i < 50; ++i)
			jobs.push_back(time_job(c, job));
		for (int i = 0; i < 50; ++i)
			reads.push_back(time_read(reader));
	}
	std::printf("latency: job median %.1f us (10 %% %.1f, 90 %% %.1f), read median %.1f us (10 %% %.1f, 90 %% %.1f), %zu each\n",
		    bench::quantile(jobs) * 1e6, bench::quantile(jobs, 0.1) * 1e6, bench::quantile(jobs, 0.9) * 1e6,
		    bench::quantile(reads) * 1e6, bench::quantile(reads, 0.1) * 1e6, bench::quantile(reads, 0.9) * 1e6,
		    jobs.size());
	bench::tell("submit.latency", bench::quantile(jobs) * 1e6);
	bench::tell("submit.latency.reference", bench::quantile(reads) * 1e6);
}

void wait_for_batch(context &c, std::uint64_t point)
{
	if (const int error = c.timeline.try_wait(point, 10'000'000'000, 0))
		throw std::runtime_error("waiting for a batch failed: errno " + std::to_string(error));
}

/** Jobs per second: batches of 32, each submitted by one ioctl; at most @p batches of them under way at a time. */
double job_rate(context &c, const std::vector<drm_atom_job> &batch_jobs, double seconds, unsigned batches)
{
	auto batch = batch_jobs;
	const std::uint64_t first = c.point;
	const double start = bench::now();
	unsigned done = 0;
	while (bench::now() - start < seconds) {
		const drm_atom_sync sync = c.timeline.signal_at(++c.point);
		batch.back().syncs = {sizeof(sync), 1, reinterpret_cast<std::uintptr_t>(&sync)};
		c.q.submit(batch);
		done += depth;
		if (c.point >= first + batches)
			wait_for_batch(c, c.point + 1 - batches);
	}
	wait_for_batch(c, c.point);
	return done / (bench::now() - start);
}

/** Reads per second with 32 of them outstanding at any time. */
double read_rate(bench::nvme_reader &reader, double seconds)
{
	const double start = bench::now();
	unsigned done = 0, outstanding = 0;
	while (bench::now() - start < seconds) {
		const unsigned count = depth - outstanding;
		const unsigned ended = reader.submit_and_wait(count, 1);
		outstanding += count - ended;
		done += ended;
	}
	const double rate = done / (bench::now() - start);
	while (outstanding > 0)
		outstanding -= reader.submit_and_wait(0, outstanding);
	return rate;
}

/** The same in batches: the better of the two is the reference. */
double read_batch_rate(bench::nvme_reader &reader, double seconds)
{
	const double start = bench::now();
	unsigned done = 0;
	while (bench::now() - start < seconds) {
		unsigned left = depth;
		left -= reader.submit_and_wait(depth, depth);
		while (left > 0)
			left -= reader.submit_and_wait(0, left);
		done += depth;
	}
	return done / (bench::now() - start);
}

void measure_throughput(context &c, const drm_atom_job &job, bench::nvme_reader &reader)
{
	const std::vector<drm_atom_job> batch(depth, job);
	job_rate(c, batch, 0.3, 2);
	read_rate(reader, 0.3);
	std::vector<double> jobs, overlapped, reads, batches;
	for (int round = 0; round < 10; ++round) {
		jobs.push_back(job_rate(c, batch, 0.3, 1));
		overlapped.push_back(job_rate(c, batch, 0.3, 2));
		reads.push_back(read_rate(reader, 0.3));
		batches.push_back(read_batch_rate(reader, 0.3));
	}
	std::printf("throughput: jobs/s in batches of %u: %.0f one at a time, %.0f overlapped by one; reads/s at depth %u: "
		    "%.0f kept full, %.0f in batches\n",
		    depth, bench::quantile(jobs), bench::quantile(overlapped), depth, bench::quantile(reads), bench::quantile(batches));
	bench::tell("submit.throughput", bench::quantile(jobs));
	bench::tell("submit.throughput.reference", std::max(bench::quantile(reads), bench::quantile(batches)));
}

} // namespace

int main(int argc, char **argv)
{
	try {
		bench::nvme_reader reader(argc > 1 ? argv[1] : "/dev/ng0n1", depth);
		context c;
		const auto job = c.job(command_list(make_nop()));
		measure_latency(c, job, reader);
		measure_throughput(c, job, reader);
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_submit: %s\n", error.what());
		return 1;
	}
	return 0;
}
