// SPDX-License-Identifier: MIT
// PERF_OPEN: streams of the device's counters.
#include "context.hpp"
#include "machine.hpp"
#include "trouble.hpp"
#include "users.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

using namespace vmtest;

namespace {

constexpr std::size_t kept = 256, streams = 64;

int try_open_stream(const device &dev, drm_atom_perf_open args, unique_fd &fd)
{
	const int error = dev.try_call(DRM_IOCTL_ATOM_PERF_OPEN, &args);
	if (!error)
		fd = unique_fd(args.fd);
	return error;
}

drm_atom_perf_open every(std::uint64_t period_ns)
{
	drm_atom_perf_open args{};
	args.period_ns = period_ns;
	return args;
}

unique_fd open_stream(const device &dev, std::uint64_t period_ns = DRM_ATOM_PERF_PERIOD_MIN_NS)
{
	unique_fd fd;
	EXPECT_EQ(try_open_stream(dev, every(period_ns), fd), 0);
	return fd;
}

/** What poll() says within a minute. */
short events_of(const unique_fd &fd)
{
	pollfd p{fd.get(), POLLIN, 0};
	return ::poll(&p, 1, 60'000) == 1 ? p.revents : short{0};
}

/** Waits for one record at least and takes all, up to `most`; empty after an error, which errno tells. */
std::vector<drm_atom_perf_record> take(const unique_fd &fd, std::size_t most = 2 * kept)
{
	std::vector<drm_atom_perf_record> records(most);
	const ssize_t bytes = ::read(fd.get(), records.data(), records.size() * sizeof(records[0]));
	EXPECT_EQ(bytes > 0 ? static_cast<std::size_t>(bytes) % sizeof(records[0]) : 0, 0u);
	records.resize(bytes > 0 ? static_cast<std::size_t>(bytes) / sizeof(records[0]) : 0);
	return records;
}

} // namespace

TEST(perf, a_stream_shows_the_work_that_was_done)
{
	context c;
	ASSERT_TRUE(c.dev.info().kernel_caps & DRM_ATOM_CAP_PERF);
	const unique_fd stream = open_stream(c.dev);
	EXPECT_EQ(events_of(stream), POLLIN);
	const drm_atom_perf_record before = take(stream).at(0);
	EXPECT_EQ(before.sequence, 1u);
	const memory source = c.alloc(mib), local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	c.run(command_list(make_copy_bytes(source.va, local.va, mib)));
	const auto done_ns = static_cast<std::uint64_t>(now_ns());

	drm_atom_perf_record last = before;
	while (last.timestamp_ns < done_ns)
		for (const auto &record : take(stream)) {
			EXPECT_EQ(record.sequence, last.sequence + 1);
			EXPECT_GT(record.timestamp_ns, last.timestamp_ns);
			EXPECT_GE(record.jobs_done, last.jobs_done);
			last = record;
		}
	EXPECT_EQ(last.jobs_done - before.jobs_done, 1u);
	EXPECT_GE(last.dma_read - before.dma_read, mib);
	EXPECT_GE(last.dram_write - before.dram_write, mib);
	EXPECT_GT(last.busy_dma_ns, before.busy_dma_ns);
	EXPECT_GT(last.temperature_mc, 0);
	EXPECT_EQ(last.dropped, 0u);
}

TEST(perf, bad_arguments_and_small_buffers_are_refused)
{
	const device dev;
	unique_fd fd;
	drm_atom_perf_open flags = every(1'000'000'000), counters = flags, reserved = flags;
	flags.flags = 1;
	counters.counters = 1;
	reserved.reserved[3] = 1;
	for (const auto &args : {flags, counters, reserved, every(0), every(DRM_ATOM_PERF_PERIOD_MIN_NS - 1),
				 every(DRM_ATOM_PERF_PERIOD_MAX_NS + 1), every(~0ull)})
		EXPECT_EQ(try_open_stream(dev, args, fd), EINVAL);

	const unique_fd stream = open_stream(dev, DRM_ATOM_PERF_PERIOD_MAX_NS);
	drm_atom_perf_record record;
	EXPECT_EQ(::read(stream.get(), &record, sizeof(record) - 1), -1);
	EXPECT_EQ(errno, EINVAL);
	ASSERT_EQ(::fcntl(stream.get(), F_SETFL, O_NONBLOCK), 0);
	EXPECT_EQ(::read(stream.get(), &record, sizeof(record)), -1);
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(::write(stream.get(), &record, sizeof(record)), -1);
}

TEST(perf, a_slow_reader_loses_the_oldest_and_is_told_how_many)
{
	unique_fd stream;
	{
		// The stream outlives the file.
		const device dev;
		stream = open_stream(dev);
	}
	// A look now and then is slower than any sampler.
	std::size_t looks = 0;
	ASSERT_TRUE(eventually([&] {
		pause_ms(500);
		++looks;
		return take(stream, 1).at(0).dropped > 0;
	}, 300));
	// No more than were kept: the sampler goes on while they are read.
	const auto records = take(stream, kept);
	ASSERT_GE(records.size(), kept - 1);
	EXPECT_EQ(records.front().dropped + looks, records.front().sequence - 1);
	for (std::size_t i = 1; i < records.size(); ++i)
		EXPECT_EQ(records[i].sequence - records[i - 1].sequence, 1 + records[i].dropped - records[i - 1].dropped);
}

TEST(perf, there_are_only_so_many_streams_and_closing_gives_them_back)
{
	const device dev;
	for (int round = 0; round < 2; ++round) {
		std::vector<unique_fd> open;
		unique_fd more;
		int error = 0;
		while (!(error = try_open_stream(dev, every(DRM_ATOM_PERF_PERIOD_MIN_NS), more)) && open.size() <= streams)
			open.push_back(std::move(more));
		EXPECT_EQ(error, ENOSPC);
		EXPECT_EQ(open.size(), streams);
		for (const unique_fd &fd : open)
			EXPECT_EQ(events_of(fd), POLLIN);
	}
}

TEST(perf, a_user_leaves_streams_to_others)
{
	const auto all_that_one_gets = [] {
		const device dev;
		std::vector<unique_fd> open;
		unique_fd more;
		int error = 0;
		while (!(error = try_open_stream(dev, every(DRM_ATOM_PERF_PERIOD_MAX_NS), more)) && open.size() <= streams)
			open.push_back(std::move(more));
		if (error != ENOSPC || open.size() != streams / 4)
			throw std::runtime_error(std::to_string(open.size()) + " streams, then errno " + std::to_string(error));
		return open;
	};
	shared_flag full, looked;
	user_child first(alice, [&] {
		const auto open = all_that_one_gets();
		full.raise();
		looked.wait();
	});
	ASSERT_TRUE(full.wait());
	user_child second(bob, [&] { all_that_one_gets(); });
	EXPECT_EQ(second.wait(), 0);
	const device dev;
	unique_fd roots;
	EXPECT_EQ(try_open_stream(dev, every(DRM_ATOM_PERF_PERIOD_MAX_NS), roots), 0);
	looked.raise();
	EXPECT_EQ(first.wait(), 0);
}

/** In the machine where devices are taken away. */
class hotplug_perf : public troubled {};

TEST_F(hotplug_perf, a_stream_ends_with_its_device)
{
	unique_fd slow, fast;
	{
		const device dev;
		slow = open_stream(dev, DRM_ATOM_PERF_PERIOD_MAX_NS);
		fast = open_stream(dev);
	}
	const std::string address = unbind_driver();
	EXPECT_EQ(events_of(slow), POLLHUP);
	EXPECT_TRUE(take(slow).empty());
	EXPECT_EQ(errno, ENODEV);
	while (!take(fast).empty())
		;
	EXPECT_EQ(errno, ENODEV);
	EXPECT_EQ(events_of(fast), POLLHUP);
	ASSERT_NO_THROW(bind_driver(address));
}
