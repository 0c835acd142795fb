// SPDX-License-Identifier: MIT
// What the API promises whatever is behind it: the same tests on the fake kernel and the in-process device
// (api_on_host.cpp), and on the kernel's driver (tests/vm/library).
#include <atomic>
#include <thread>
#include <vector>

#include <poll.h>

#include "api_fixture.hpp"
#include "error_of.hpp"

namespace atom::test {
namespace {

TEST_P(the_api, gives_buffers_the_size_that_was_asked_for_and_zeros)
{
	for (const placement where : {placement::system, placement::local}) {
		const buffer b(ctx, 100, {where, true, ""});
		EXPECT_EQ(b.size(), 100U);
		const mapping m = b.map();
		ASSERT_EQ(m.size(), 100U);
		for (const std::byte x : m.bytes())
			EXPECT_EQ(x, std::byte{0});
	}
}

TEST_P(the_api, makes_queues_as_their_context_says)
{
	context_options options;
	options.priority = priority::low;
	options.job_timeout = std::chrono::milliseconds(500);
	options.name = "background";
	const context own(dev, options);
	EXPECT_EQ(own.options().priority, priority::low);
	EXPECT_EQ(own.options().job_timeout, options.job_timeout);
	EXPECT_EQ(own.options().name, "background");
	queue q(own);
	EXPECT_FALSE(q.run({}).error);
	options.job_timeout = dev.info().job_timeout_max;
	EXPECT_TRUE(context(dev, options));
	options.job_timeout += std::chrono::milliseconds(1);
	error_of(errc::invalid_argument, [&] { (void)context(dev, options); });
}

TEST_P(the_api, gives_buffers_of_a_pool_again_when_their_jobs_are_done)
{
	constexpr std::uint64_t n = 1024;
	const bool computes = GetParam().name != std::string_view("fake_kernel");
	buffer_pool pool(ctx);
	queue q(ctx);
	const command_buffer fill =
		command_builder(ctx).fill(tensor(slot(1), dtype::f32, {n}), 7).finish();
	for (int i = 0; i < 20; ++i) {
		buffer out = pool.take(n * sizeof(float));
		out.map().as<float>()[n - 1] = 0;
		const buffer_view arguments[] = {out};
		const fence done = q.submit(submission(fill, arguments));
		if (i % 2 == 0) {
			done.wait();
			EXPECT_EQ(out.map().as<float>()[n - 1], computes ? 7 : 0);
		}
		pool.give(std::move(out), done);
	}
	const pool_usage usage = pool.usage();
	EXPECT_EQ(usage.made + usage.reused, 20U);
	EXPECT_GE(usage.reused, 9U) << "after each wait there is one that is free";
}

TEST_P(the_api, puts_large_buffers_where_large_pages_can_be_used)
{
	const buffer small(ctx, 4096);
	const buffer large(ctx, 3U << 20);
	const buffer middle(ctx, 100000);
	EXPECT_EQ(large.device_address() % (2U << 20), 0U);
	EXPECT_EQ(middle.device_address() % 65536, 0U);
}

TEST_P(the_api, keeps_slices_inside_of_their_buffer)
{
	const buffer b(ctx, 100);
	EXPECT_EQ(b.slice(40, 60).size(), 60U);
	EXPECT_EQ(b.slice(40, 60).slice(10, 5).device_address(), b.device_address() + 50);
	EXPECT_EQ(b.slice(100, 0).size(), 0U);
	error_of(errc::out_of_range, [&] { (void)b.slice(41, 60); });
	error_of(errc::out_of_range, [&] { (void)b.slice(101, 0); });
	error_of(errc::out_of_range, [&] { (void)b.slice(1, ~0ULL); });
}

TEST_P(the_api, refuses_buffers_of_no_bytes_or_of_too_many)
{
	error_of(errc::invalid_argument, [&] { (void)buffer(ctx, 0); });
	error_of(errc::out_of_host_memory, [&] { (void)buffer(ctx, ~0ULL); });
	error_of(errc::out_of_host_memory, [&] { (void)buffer(ctx, 1ULL << 46); });
	EXPECT_EQ(error_of(errc::out_of_device_memory,
	                   [&] {
				   (void)buffer(ctx, 1ULL << 40, {placement::local, true, ""});
			   }),
	          "create buffer of 1099511627776 bytes in local memory: out of device memory "
	          "(No space left on device)");
}

TEST_P(the_api, does_not_map_what_the_cpu_cannot_reach)
{
	const buffer shm(ctx, 4096, {placement::shm, true, ""});
	error_of(errc::unsupported, [&] { (void)shm.map(); });
	const buffer hidden(ctx, 4096, {placement::local, false, ""});
	std::error_code ec;
	EXPECT_FALSE(hidden.map(ec));
	EXPECT_EQ(ec, errc::unsupported);
}

TEST_P(the_api, refuses_long_labels)
{
	error_of(errc::invalid_argument, [&] {
		(void)buffer(ctx, 1, {placement::system, true, std::string(64, 'x')});
	});
	EXPECT_TRUE(buffer(ctx, 1, {placement::system, true, std::string(63, 'x')}));
}

TEST_P(the_api, keeps_a_buffer_as_long_as_a_mapping_of_it)
{
	mapping m;
	{
		const buffer b(ctx, 4096);
		m = b.map();
	}
	m.bytes()[0] = std::byte{1};
	EXPECT_EQ(m.bytes()[0], std::byte{1});
}

TEST_P(the_api, keeps_what_a_job_uses_until_the_job_is_done)
{
	queue q(ctx);
	fence f;
	{
		const buffer b(ctx, 4096);
		f = q.submit({with_argument, {b}});
	}
	EXPECT_FALSE(f.wait().error) << "the device must have found everything mapped";
}

TEST_P(the_api, runs_a_job_and_tells_when)
{
	queue q(ctx);
	submission job(nop);
	job.cookie = 77;
	const completion c = q.run(job);
	EXPECT_FALSE(c.error);
	EXPECT_EQ(c.sequence, 1U);
	EXPECT_EQ(c.cookie, 77U);
	ASSERT_TRUE(c.has_times);
	EXPECT_GE(c.end_ns, c.start_ns);
	EXPECT_GT(c.modelled_ns, 0U);
}

TEST_P(the_api, knows_jobs_that_are_older_than_its_records)
{
	queue q(ctx);
	for (std::uint32_t i = 0; i < 2 * dev.info().ring_entries; ++i)
		q.run(nop);
	const completion c = q.fence_of(1).wait();
	EXPECT_FALSE(c.error);
	EXPECT_FALSE(c.has_times);
	EXPECT_TRUE(q.fence_of(2 * dev.info().ring_entries).wait().has_times);
}

TEST_P(the_api, takes_as_many_jobs_at_once_as_it_says)
{
	queue q(ctx);
	const std::uint32_t most = dev.info().submit_jobs_max;
	EXPECT_FALSE(q.submit(std::vector<submission>(most, nop)).wait().error);
	EXPECT_TRUE(q.fence_of(most / 2).ready());
	error_of(errc::too_large, [&] { q.submit(std::vector<submission>(most + 1, nop)); });
}

TEST_P(the_api, takes_a_job_without_commands)
{
	queue q(ctx);
	EXPECT_FALSE(q.run(submission()).error);
}

TEST_P(the_api, orders_jobs_of_two_queues_by_a_timeline)
{
	timeline t(dev);
	queue first(ctx);
	queue second(ctx);
	const fence start = t.at(5);
	const fence done = t.at(9);
	submission opens(nop);
	opens.signals = {&start, 1};
	first.submit(opens);
	submission follows(nop);
	follows.waits = {&start, 1};
	follows.signals = {&done, 1};
	const fence f = second.submit(follows);
	done.wait();
	EXPECT_EQ(t.value(), 9U);
	EXPECT_FALSE(f.wait().error);
}

TEST_P(the_api, refuses_to_wait_for_what_nobody_will_signal)
{
	queue q(ctx);
	timeline t(dev);
	t.signal(3);
	const fence never = t.at(5);
	submission job(nop);
	job.waits = {&never, 1};
	EXPECT_EQ(
		error_of(errc::invalid_argument, [&] { q.submit(job); }),
		"submit, job 0: it waits for point 5, which nobody will signal: no job was given a "
		"point beyond 3");
	t.signal(5);
	EXPECT_FALSE(q.run(job).error);
	error_of(errc::invalid_argument, [&] { t.signal(5); });
	error_of(errc::invalid_argument, [&] { (void)t.at(0); });
}

TEST_P(the_api, ends_a_wait_at_its_time)
{
	timeline t(dev);
	const fence never = t.at(1);
	EXPECT_FALSE(never.ready());
	error_of(errc::timed_out, [&] { never.wait_for(std::chrono::milliseconds(1)); });
	std::error_code ec;
	never.wait(deadline(), ec);
	EXPECT_EQ(ec, std::errc::timed_out);
	std::thread signaller([&] { t.signal(1); });
	never.wait();
	signaller.join();
}

TEST_P(the_api, refuses_jobs_that_cannot_be_right)
{
	queue q(ctx);
	EXPECT_EQ(error_of(errc::invalid_argument, [&] { q.submit(with_argument); }),
	          "submit, job 0: it has 0 arguments, the commands need 1");
	EXPECT_EQ(error_of(errc::out_of_range,
	                   [&] {
				   q.submit({with_argument, {data.slice(0, 63)}});
			   }),
	          "submit, job 0: argument of slot 1 has 63 bytes, the commands reach 64");
	error_of(errc::invalid_argument, [&] { q.submit({with_argument, {buffer_view()}}); });
	error_of(errc::invalid_argument, [&] { q.submit(span<const submission>()); });
	error_of(errc::invalid_argument, [&] { q.submit(command_buffer()); });
	const context other(dev);
	const buffer foreign(other, 64);
	error_of(errc::wrong_context, [&] { q.submit({with_argument, {foreign}}); });
	error_of(errc::wrong_context, [&] { q.submit(command_builder(other).nop().finish()); });
	submission job(nop);
	const fence empty;
	job.waits = {&empty, 1};
	error_of(errc::invalid_argument, [&] { q.submit(job); });
	const fence of_queue = q.submit(nop);
	job.waits = {};
	job.signals = {&of_queue, 1};
	error_of(errc::invalid_argument, [&] { q.submit(job); });
	timeline t(core::access::wrap(core::device::open(GetParam().make(), "0")));
	const fence far = t.at(1);
	job.signals = {&far, 1};
	error_of(errc::wrong_context, [&] { q.submit(job); });
}

TEST_P(the_api, takes_jobs_from_many_threads)
{
	queue q(ctx);
	std::vector<std::thread> threads;
	std::atomic<int> good{0};
	for (int t = 0; t < 4; ++t)
		threads.emplace_back([&] {
			for (int i = 0; i < 200; ++i)
				good += q.run({with_argument, {data}}).error ? 0 : 1;
		});
	for (std::thread &t : threads)
		t.join();
	EXPECT_EQ(good, 800);
	EXPECT_EQ(q.state().submitted, 800U);
	EXPECT_LE(q.state().completed, 800U) << "the driver may learn of the last ones later than we";
}

TEST_P(the_api, wakes_an_event_loop_once_for_many_jobs_and_loses_none)
{
	queue q(ctx);
	notifier news(dev);
	constexpr std::uint64_t jobs = 2000;
	constexpr std::size_t batch = 8;
	std::atomic<std::uint64_t> given{0};
	std::thread worker([&] {
		while (given < jobs)
			given = q.submit(std::vector<submission>(batch, nop)).point();
	});
	std::vector<completion> done(batch);
	std::uint64_t last = 0;
	while (last < jobs) {
		news.clear();
		while (const std::size_t n = q.reap(done))
			for (std::size_t i = 0; i < n; ++i) {
				EXPECT_EQ(done[i].sequence, ++last);
				EXPECT_FALSE(done[i].error);
			}
		if (last >= given)
			continue;
		news.watch(q.fence_of(last + 1));
		pollfd p{news.fd(), POLLIN, 0};
		EXPECT_EQ(::poll(&p, 1, 10000), 1);
	}
	worker.join();
}

TEST_P(the_api, waits_for_the_fences_of_many_queues)
{
	std::vector<queue> queues;
	std::vector<fence> fences;
	for (int i = 0; i < 8; ++i) {
		queues.emplace_back(ctx);
		fences.push_back(queues.back().submit(std::vector<submission>(16, nop)));
	}
	EXPECT_LT(wait_any(fences), fences.size());
	wait_all(fences);
	for (const fence &f : fences)
		EXPECT_TRUE(f.ready());
}

TEST_P(the_api, waits_for_fences_of_two_devices)
{
	const device other = core::access::wrap(core::device::open(os, "0"));
	timeline here(dev);
	timeline there(other);
	const std::vector<fence> fences{here.at(1), there.at(1)};
	error_of(errc::timed_out, [&] { wait_any(fences, std::chrono::steady_clock::now()); });
	std::thread signaller([&] { there.signal(1); });
	EXPECT_EQ(wait_any(fences), 1U);
	signaller.join();
	here.signal(1);
	wait_all(fences);
}

TEST_P(the_api, tells_a_sink_what_is_made_and_what_fails)
{
	std::vector<std::string> heard;
	dev.set_log_sink([&](log_level, std::string_view text) { heard.emplace_back(text); },
	                 log_level::debug);
	queue_options options;
	options.name = "noted";
	(void)queue(ctx, options);
	std::error_code ec;
	EXPECT_FALSE(buffer::create(ctx, 0, {}, ec));
	dev.set_log_sink({});
	(void)queue(ctx);
	ASSERT_EQ(heard.size(), 3U);
	EXPECT_NE(heard[0].find("\"noted\": created"), std::string::npos) << heard[0];
	EXPECT_NE(heard[1].find("\"noted\": ended, after 0 jobs"), std::string::npos) << heard[1];
	EXPECT_EQ(heard[2], "create buffer: its size is 0; give 1 byte or more");
}

TEST_P(the_api, translates_the_devices_clock_to_the_hosts)
{
	const clock_sample c = dev.clock();
	EXPECT_EQ(c.to_host(c.device_ns + 7) - c.host, std::chrono::nanoseconds(7));
	EXPECT_EQ(c.to_host(c.device_ns - 7) - c.host, std::chrono::nanoseconds(-7));
}

} // namespace
} // namespace atom::test
