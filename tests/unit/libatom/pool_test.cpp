// SPDX-License-Identifier: MIT
// Buffers that are used again.
#include <atomic>
#include <set>
#include <thread>

#include <drm/atom_accel.h>

#include "fixture.hpp"

namespace atom::test {
namespace {

class a_pool : public on_fake_kernel {
protected:
	static constexpr std::uint64_t page = 4096;

	std::size_t created() const { return kernel->count(number(DRM_IOCTL_ATOM_BO_CREATE)); }
	/** A job that is not done until the kernel runs it. */
	fence pending(queue &q)
	{
		kernel->auto_run = false;
		return q.submit(submission());
	}
};

TEST_F(a_pool, gives_a_buffer_again_without_the_kernel)
{
	buffer_pool pool(ctx);
	buffer b = pool.take(5000);
	EXPECT_EQ(b.size(), 2 * page);
	const std::uint64_t address = b.device_address();
	pool.give(std::move(b));
	EXPECT_EQ(pool.usage().spare_buffers, 1U);
	EXPECT_EQ(pool.usage().spare_bytes, 2 * page);
	b = pool.take(8000);
	EXPECT_EQ(b.device_address(), address);
	EXPECT_EQ(created(), 1U);
	EXPECT_EQ(pool.usage().spare_bytes, 0U);
	EXPECT_EQ(pool.usage().made, 1U);
	EXPECT_EQ(pool.usage().reused, 1U);
	const buffer other = pool.take(8000);
	EXPECT_NE(other.device_address(), address);
	EXPECT_EQ(created(), 2U);
}

TEST_F(a_pool, has_four_sizes_for_each_power_of_two)
{
	EXPECT_EQ(buffer_pool::class_size(0), page);
	EXPECT_EQ(buffer_pool::class_size(1), page);
	EXPECT_EQ(buffer_pool::class_size(page + 1), 2 * page);
	EXPECT_EQ(buffer_pool::class_size(8 * page), 8 * page);
	EXPECT_EQ(buffer_pool::class_size(8 * page + 1), 10 * page);
	EXPECT_EQ(buffer_pool::class_size(~0ULL), 0U);
	std::set<std::uint64_t> sizes;
	for (std::uint64_t bytes = 1 << 20; bytes <= 2 << 20; bytes += 512) {
		const std::uint64_t size = buffer_pool::class_size(bytes);
		EXPECT_GE(size, bytes);
		EXPECT_LE(size, bytes + bytes / 4);
		EXPECT_EQ(buffer_pool::class_size(size), size);
		sizes.insert(size);
	}
	EXPECT_EQ(sizes.size(), 5U);
	buffer_pool pool(ctx);
	EXPECT_NE(error_of(errc::out_of_host_memory, [&] { (void)pool.take(~0ULL); }), "");
}

TEST_F(a_pool, gives_nothing_that_a_job_still_uses)
{
	buffer_pool pool(ctx);
	queue q(ctx);
	buffer first = pool.take(page);
	buffer second = pool.take(page);
	const std::uint64_t used = first.device_address();
	const std::uint64_t other = second.device_address();
	const fence done = pending(q);
	pool.give(std::move(first), done);
	pool.give(std::move(second));
	buffer got = pool.take(page);
	EXPECT_EQ(got.device_address(), other) << "the one that is free";
	EXPECT_NE(pool.take(page).device_address(), used);
	kernel->run_jobs();
	EXPECT_EQ(pool.take(page).device_address(), used);
}

TEST_F(a_pool, waits_for_all_users_of_a_buffer)
{
	buffer_pool pool(ctx);
	queue one(ctx);
	queue two(ctx);
	buffer b = pool.take(page);
	const std::uint64_t used = b.device_address();
	const fence users[] = {pending(one), pending(two), fence()};
	pool.give(std::move(b), users);
	kernel->run_jobs(1);
	EXPECT_NE(pool.take(page).device_address(), used);
	kernel->run_jobs();
	EXPECT_EQ(pool.take(page).device_address(), used);
}

TEST_F(a_pool, has_buffers_of_jobs_that_failed_and_of_a_lost_device)
{
	buffer_pool pool(ctx);
	kernel->policy = [](const fake_job &) { return faulting(1, 1, 1, 0); };
	queue q(ctx);
	pool.give(pool.take(page), pending(q));
	kernel->run_jobs();
	(void)pool.take(page);
	EXPECT_EQ(pool.usage().reused, 1U);
	timeline never(dev);
	pool.give(pool.take(page), never.at(1));
	const std::uint64_t made = pool.usage().made;
	kernel->unplug();
	std::error_code ec;
	(void)pool.take(page, ec);
	EXPECT_FALSE(ec) << "nothing runs any more";
	EXPECT_EQ(pool.usage().made, made);
	(void)pool.take(page, ec);
	EXPECT_EQ(ec, errc::device_lost);
}

TEST_F(a_pool, keeps_no_more_than_it_was_told)
{
	pool_options options;
	options.spare_bytes_max = 3 * page;
	buffer_pool pool(ctx, options);
	std::vector<buffer> all;
	std::vector<std::uint64_t> addresses;
	for (const std::uint64_t pages : {1, 2, 1, 1, 4}) {
		all.push_back(pool.take(pages * page));
		addresses.push_back(all.back().device_address());
	}
	for (buffer &b : all)
		pool.give(std::move(b));
	EXPECT_EQ(pool.usage().spare_bytes, 2 * page)
		<< "4 pages are too many, the first two too old";
	EXPECT_EQ(pool.take(page).device_address(), addresses[2]);
	EXPECT_EQ(pool.take(page).device_address(), addresses[3]);
	pool.give(pool.take(2 * page));
	pool.give(pool.take(page));
	pool.trim(page);
	EXPECT_EQ(pool.usage().spare_buffers, 1U);
	pool.trim();
	EXPECT_EQ(pool.usage().spare_bytes, 0U);
	EXPECT_EQ(pool.usage().spare_buffers, 0U);
}

TEST_F(a_pool, lets_go_of_what_is_spare_if_there_is_no_memory)
{
	pool_options options;
	options.memory.placement = placement::local;
	buffer_pool pool(ctx, options);
	pool.give(pool.take(page));
	kernel->fail(number(DRM_IOCTL_ATOM_BO_CREATE), ENOSPC);
	EXPECT_TRUE(pool.take(2 * page));
	EXPECT_EQ(pool.usage().spare_buffers, 0U);
	kernel->fail(number(DRM_IOCTL_ATOM_BO_CREATE), ENOSPC, 2);
	std::error_code ec;
	EXPECT_FALSE(pool.take(2 * page, ec));
	EXPECT_EQ(ec, errc::out_of_device_memory);
}

TEST_F(a_pool, keeps_no_queue_for_a_job_that_is_done)
{
	buffer_pool pool(ctx);
	const std::size_t before = kernel->mappings();
	{
		queue q(ctx);
		const fence done = q.submit(submission());
		done.wait();
		pool.give(pool.take(page), done);
		EXPECT_EQ(kernel->mappings(), before + 1) << "where its completions are";
	}
	EXPECT_EQ(kernel->mappings(), before);
	EXPECT_EQ(pool.usage().spare_buffers, 1U);
}

TEST_F(a_pool, keeps_only_what_is_as_its_own)
{
	kernel->info.kernel_caps |= DRM_ATOM_CAP_USERPTR;
	const device capable = open_device(kernel);
	const context own(capable);
	const context other(capable);
	buffer_pool pool(own);
	pool.give(buffer());
	pool.give(buffer(other, page));
	pool.give(buffer(own, page, {placement::local, true, ""}));
	pool.give(buffer(own, page, {placement::system, false, ""}));
	pool.give(buffer(own, page - 1));
	pool.give(buffer(own, 9 * page));
	alignas(4096) static std::byte program[4096];
	pool.give(buffer::from_user(own, program, sizeof(program)));
	EXPECT_EQ(pool.usage().spare_buffers, 0U);
	pool.give(buffer(own, page));
	EXPECT_EQ(pool.usage().spare_buffers, 1U);
}

TEST_F(a_pool, and_its_buffers_may_end_in_any_order)
{
	const std::size_t before = kernel->objects();
	buffer left;
	buffer given;
	{
		const context own(dev);
		buffer_pool pool(own);
		left = pool.take(page);
		given = pool.take(page);
		pool.give(pool.take(page));
		buffer_pool moved = std::move(pool);
		EXPECT_TRUE(moved);
		pool.give(std::move(
			given)); // NOLINT(bugprone-use-after-move): an empty pool keeps nothing
		EXPECT_NE(error_of(errc::invalid_argument, [&] { (void)pool.take(1); }), "");
		EXPECT_NE(error_of(errc::invalid_argument, [&] { (void)pool.usage(); }), "");
	}
	EXPECT_TRUE(left.map().size() == page);
	left = {};
	EXPECT_EQ(kernel->objects(), before);
	EXPECT_EQ(kernel->mappings(), 0U);
	std::error_code ec;
	EXPECT_FALSE(buffer_pool::create(context(), {}, ec));
	EXPECT_EQ(ec, errc::invalid_argument);
}

TEST_F(a_pool, gives_nothing_in_a_forked_child)
{
	buffer_pool pool(ctx);
	pool.give(pool.take(page));
	kernel->pid = 101;
	std::error_code ec;
	EXPECT_FALSE(pool.take(page, ec));
	EXPECT_EQ(ec, errc::forked_child);
	kernel->pid = 100;
}

TEST_F(a_pool, gives_each_buffer_to_one_of_many_threads)
{
	pool_options options;
	options.spare_bytes_max = 8 * page;
	buffer_pool pool(ctx, options);
	std::vector<std::thread> threads;
	std::atomic<int> wrong{0};
	for (int t = 0; t < 4; ++t)
		threads.emplace_back([&, t] {
			queue q(ctx);
			for (int i = 0; i < 500; ++i) {
				buffer b = pool.take(i % 3 == 0 ? 3 * page : page);
				volatile std::byte *first = b.map().data();
				*first = static_cast<std::byte>(t);
				std::this_thread::yield();
				wrong += *first != static_cast<std::byte>(t);
				pool.give(std::move(b), q.submit(submission()));
				if (i % 50 == 0)
					pool.trim(page);
			}
		});
	for (std::thread &t : threads)
		t.join();
	EXPECT_EQ(wrong, 0);
	const pool_usage usage = pool.usage();
	EXPECT_EQ(usage.made + usage.reused, 2000U);
	EXPECT_LE(usage.spare_bytes, 8 * page);
}

} // namespace
} // namespace atom::test
