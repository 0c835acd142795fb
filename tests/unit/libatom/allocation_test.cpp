// SPDX-License-Identifier: MIT
// A program of its own: it counts what operator new gives.
#include "counted_new.hpp"
#include "fixture.hpp"
#include "silent_kernel.hpp"

namespace atom::test {
namespace {

TEST(a_warm_queue, submits_without_allocating_memory)
{
	const auto kernel = std::make_shared<silent_kernel>(std::make_shared<fake_kernel>());
	const context ctx(core::access::wrap(core::device::open(kernel, "0")));
	queue q(ctx);
	const buffer data(ctx, 4096);
	const command_buffer commands =
		command_builder(ctx).fill(tensor(slot(1), dtype::i8, {64}), 0).finish();
	const args a{data};
	const std::vector<submission> jobs(32, submission(commands, a));
	for (int i = 0; i < 3000; ++i)
		q.submit(jobs);
	const std::size_t warm = allocations;
	for (int i = 0; i < 3000; ++i)
		q.submit(jobs);
	EXPECT_EQ(allocations, warm);
}

TEST(a_warm_pool, gives_buffers_without_allocating_memory)
{
	const auto kernel = std::make_shared<fake_kernel>();
	const context ctx(core::access::wrap(core::device::open(kernel, "0")));
	timeline done(ctx.device());
	done.signal(1);
	buffer_pool pool(ctx);
	const auto use = [&] {
		buffer small = pool.take(64);
		buffer large = pool.take(100000);
		pool.give(std::move(small), done.at(1));
		const fence users[] = {done.at(1), done.at(1)};
		pool.give(std::move(large), users);
	};
	for (int i = 0; i < 100; ++i)
		use();
	const std::size_t warm = allocations;
	for (int i = 0; i < 3000; ++i)
		use();
	EXPECT_EQ(allocations, warm);
	EXPECT_EQ(pool.usage().made, 2U);
}

} // namespace
} // namespace atom::test
