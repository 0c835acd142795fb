// SPDX-License-Identifier: MIT
// Memory of the program itself as the device sees it: what the program does to it meanwhile.
#include "host_memory.hpp"
#include "machine.hpp"
#include "users.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include <sys/resource.h>
#include <sys/wait.h>

using namespace vmtest;

namespace {

class userptr : public testing::Test {
protected:
	void SetUp() override { ASSERT_TRUE(c_.dev.info().kernel_caps & DRM_ATOM_CAP_USERPTR); }

	int try_bind(std::uint64_t va, std::uint64_t address, std::uint64_t bytes, std::uint32_t flags = 0)
	{
		return c_.space.try_bind({userptr_op(va, address, bytes, flags)});
	}

	/** Binds all of @p m at a new address. */
	std::uint64_t bind(const host_memory &m, std::uint32_t flags = 0)
	{
		const std::uint64_t va = c_.space.reserve(m.size());
		if (const int error = try_bind(va, m.address(), m.size(), flags))
			throw std::system_error(error, std::generic_category(), "bind a user pointer");
		return va;
	}

	/** Lets the device copy @p bytes to memory of its own buffers, and compares them with fill_pattern(@p seed). */
	void expect_pattern(std::uint64_t va, std::uint64_t bytes, std::uint32_t seed)
	{
		const memory copy = c_.alloc(bytes);
		c_.run(command_list(make_copy_bytes(va, copy.va, bytes)));
		EXPECT_EQ(find_damage(copy.as<std::uint32_t>(), seed), -1);
	}

	/** Nothing is there for the device; another queue of the client's finds it out. */
	void expect_gone(std::uint64_t va)
	{
		const memory copy = c_.alloc(page);
		drm_atom_job job = c_.job(command_list(make_copy_bytes(va, copy.va, page)));
		queue q(c_.dev, c_.space);
		q.submit(job);
		ASSERT_TRUE(eventually([&] { return q.state().completed == 1; }));
		EXPECT_EQ(q.state().fault_code, ATOM_FAULT_NOT_PRESENT) << describe(q.state());
		EXPECT_EQ(q.state().fault_va, va);
		EXPECT_EQ(find_nonzero({copy.map.data(), page}), -1);
	}

	context c_;
};

} // namespace

TEST_F(userptr, a_job_reads_and_writes_memory_of_the_program)
{
	const host_memory in(5 * mib + page), out(5 * mib + page);
	fill_pattern(in.words(), 7);
	const std::uint64_t from = bind(in, DRM_ATOM_VM_BIND_READONLY), to = bind(out);
	c_.run(command_list(make_copy_bytes(from, to, in.size())));
	EXPECT_EQ(find_damage(out.words(), 7), -1);
	// It is the memory itself, not a copy of it.
	fill_pattern(in.words(), 8);
	c_.run(command_list(make_copy_bytes(from, to, in.size())));
	EXPECT_EQ(find_damage(out.words(), 8), -1);
	const auto state = c_.run_failing(command_list(make_copy_bytes(to, from, page)));
	EXPECT_EQ(state.fault_code, ATOM_FAULT_PERMISSION) << describe(state);
}

TEST_F(userptr, the_same_memory_can_be_bound_twice_and_in_parts)
{
	const host_memory m(4 * mib);
	const std::uint64_t one = bind(m), two = bind(m);
	context other;
	const std::uint64_t there = other.space.reserve(m.size());
	ASSERT_EQ(other.space.try_bind({userptr_op(there, m.address(), m.size())}), 0);
	fill_pattern(m.words(), 9);
	const memory copy = other.alloc(m.size());
	other.run(command_list(make_copy_bytes(there, copy.va, m.size())));
	EXPECT_EQ(find_damage(copy.as<std::uint32_t>(), 9), -1);
	// A hole in one mapping leaves its rest, and the other.
	c_.space.unmap(one + mib, mib);
	c_.run(command_list(make_copy_bytes(two + mib, one, mib), make_copy_bytes(two + mib, one + 2 * mib, mib)));
	EXPECT_EQ(std::memcmp(m.data() + mib, m.data(), mib), 0);
	EXPECT_EQ(std::memcmp(m.data() + mib, m.data() + 2 * mib, mib), 0);
	expect_gone(one + mib);
}

TEST_F(userptr, unmapping_a_page_takes_all_of_the_range_from_the_device)
{
	host_memory m(4 * mib);
	const std::uint64_t va = bind(m), again = bind(m);
	c_.space.unmap(va + mib, mib);
	fill_pattern(m.words(), 11);
	::munmap(m.data() + 3 * mib, page);
	expect_gone(va);
	expect_gone(va + 2 * mib);
	expect_gone(again);
	EXPECT_EQ(find_damage(m.words().first(3 * mib / 4), 11), -1);
	// The addresses of the device can be used for something else.
	const buffer bo(c_.dev, 4 * mib);
	fill_pattern(bo.map().as<std::uint32_t>(), 12);
	c_.space.map(va, bo, 0, 4 * mib);
	expect_pattern(va, 4 * mib, 12);
}

TEST_F(userptr, memory_that_was_moved_is_gone_for_the_device_until_it_is_bound_again)
{
	host_memory m(2 * mib);
	fill_pattern(m.words(), 13);
	const std::uint64_t va = bind(m);
	m.move();
	expect_gone(va);
	EXPECT_EQ(find_damage(m.words(), 13), -1);
	expect_pattern(bind(m), m.size(), 13);
}

TEST_F(userptr, memory_unmapped_under_a_running_job_is_not_touched_when_the_address_is_used_anew)
{
	constexpr std::uint64_t n = 768, bytes = n * n * 4;
	for (int round = 0; round < 4; ++round) {
		context mine;
		const memory a = mine.alloc(bytes), b = mine.alloc(bytes);
		for (std::uint64_t i = 0; i < n * n; ++i)
			a.as<float>()[i] = b.as<float>()[i] = 1.0f;
		host_memory out(bytes);
		const std::uint64_t va = mine.space.reserve(bytes);
		ASSERT_EQ(mine.space.try_bind({userptr_op(va, out.address(), bytes)}), 0);
		command_list commands;
		for (int i = 0; i < 40; ++i)
			commands.add(make_gemm(tensor(ATOM_DTYPE_F32, {n, n}, a.va), tensor(ATOM_DTYPE_F32, {n, n}, b.va),
					       tensor(ATOM_DTYPE_F32, {n, n}, va)));
		mine.submit(commands);
		ASSERT_TRUE(eventually([&] {
			return reinterpret_cast<volatile float *>(out.data())[0] != 0.0f ||
			       mine.timeline.value() >= mine.point;
		}, 60));
		const bool running = mine.timeline.value() < mine.point;
		// New memory at the same address, in one step.
		void *anew = ::mmap(out.data(), bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
		ASSERT_EQ(anew, out.data());
		fill_pattern(out.words(), 17);
		mine.wait();
		EXPECT_EQ(find_damage(out.words(), 17), -1);
		if (running) {
			EXPECT_EQ(mine.q.state().fault_code, ATOM_FAULT_NOT_PRESENT) << describe(mine.q.state());
		}
		c_.run(command_list(make_nop()));
	}
}

TEST_F(userptr, a_fork_changes_nothing_for_the_parent_and_its_device)
{
	const host_memory m(4 * mib);
	fill_pattern(m.words(), 19);
	const std::uint64_t va = bind(m);
	shared_flag forked, written;
	child process([&] {
		forked.raise();
		written.wait();
		if (find_damage(m.words(), 19) != -1)
			throw std::runtime_error("the child sees what the parent writes");
		fill_pattern(m.words(), 20);
		::munmap(m.data(), m.size());
	});
	ASSERT_TRUE(forked.wait());
	// Written after the fork: were the page shared, the parent would get a copy, and the device keep the old one.
	fill_pattern(m.words(), 21);
	written.raise();
	EXPECT_EQ(process.wait(), 0);
	expect_pattern(va, m.size(), 21);
	const memory source = c_.alloc(m.size());
	fill_pattern(source.as<std::uint32_t>(), 22);
	c_.run(command_list(make_copy_bytes(source.va, va, m.size())));
	EXPECT_EQ(find_damage(m.words(), 22), -1);
}

TEST_F(userptr, memory_of_a_program_that_ended_is_gone_for_those_who_inherited_its_file)
{
	shared_flag bound, over, found;
	child owner([&] {
		context mine;
		const host_memory m(mib);
		fill_pattern(m.words(), 23);
		const std::uint64_t va = mine.space.reserve(m.size());
		if (mine.space.try_bind({userptr_op(va, m.address(), m.size())}))
			throw std::runtime_error("cannot bind");
		const memory copy = mine.alloc(page);
		const auto job = mine.job(command_list(make_copy_bytes(va, copy.va, page)));
		if (::fork() == 0) {
			// The heir has the file and a copy of the memory, which is not what was bound.
			over.wait();
			mine.submit(job);
			mine.wait();
			if (mine.q.state().fault_code == ATOM_FAULT_NOT_PRESENT)
				found.raise();
			_exit(0);
		}
		bound.raise();
		_exit(0);
	});
	ASSERT_TRUE(bound.wait());
	ASSERT_EQ(owner.wait(), 0);
	over.raise();
	EXPECT_TRUE(found.wait());
}

TEST_F(userptr, pages_of_a_file_that_can_only_be_read_are_bound_read_only_or_not_at_all)
{
	const auto file = make_file(mib, 25);
	for (const int how : {MAP_PRIVATE, MAP_SHARED}) {
		const host_memory m(mib, PROT_READ, how, file.get());
		const std::uint64_t va = c_.space.reserve(mib);
		EXPECT_EQ(try_bind(va, m.address(), mib), EFAULT);
		ASSERT_EQ(try_bind(va, m.address(), mib, DRM_ATOM_VM_BIND_READONLY), 0);
		expect_pattern(va, mib, 25);
		const memory source = c_.alloc(page);
		queue q(c_.dev, c_.space);
		q.submit(c_.job(command_list(make_copy_bytes(source.va, va, page))));
		ASSERT_TRUE(eventually([&] { return q.state().completed == 1; }));
		EXPECT_EQ(q.state().fault_code, ATOM_FAULT_PERMISSION) << describe(q.state());
		EXPECT_EQ(find_damage(m.words(), 25), -1);
	}
}

TEST_F(userptr, what_is_no_memory_of_the_program_is_refused_and_nothing_has_changed)
{
	const host_memory m(4 * page);
	const buffer bo(c_.dev, 4 * page), local(c_.dev, 4 * page, DRM_ATOM_BO_LOCAL);
	const auto mapped = bo.map(), window = local.map();
	const auto address_of = [](const mapping &map) { return reinterpret_cast<std::uintptr_t>(map.data()); };
	const std::uint64_t va = c_.space.reserve(mib);
	host_memory hole(4 * page);
	::munmap(hole.data() + 2 * page, page);
	const counters before = read_counters();
	const auto pinned = own_status("VmPin");
	EXPECT_EQ(try_bind(va, m.address() + 1, page), EINVAL);
	EXPECT_EQ(try_bind(va, m.address() + 512, page), EINVAL);
	EXPECT_EQ(try_bind(va, m.address(), 0), EINVAL);
	EXPECT_EQ(try_bind(va, m.address(), page + 1), EINVAL);
	EXPECT_EQ(try_bind(va, ~std::uint64_t{0} - page + 1, 2 * page), EINVAL);
	EXPECT_EQ(try_bind(va + 1, m.address(), page), EINVAL);
	EXPECT_EQ(try_bind(0, m.address(), page), EINVAL);
	EXPECT_EQ(try_bind(va, 0, page), EFAULT);
	EXPECT_EQ(try_bind(va, ~std::uint64_t{0} - 2 * page + 1, page), EFAULT);
	EXPECT_EQ(try_bind(va, hole.address(), 4 * page), EFAULT);
	EXPECT_EQ(try_bind(va, m.address(), std::uint64_t{1} << 46), ENOMEM);
	EXPECT_EQ(try_bind(va, address_of(mapped), page), EFAULT) << "a mapping of the device";
	EXPECT_EQ(try_bind(va, address_of(window), page), EFAULT) << "a mapping of the device's memory";
	drm_atom_vm_bind_op op = userptr_op(va, m.address(), page);
	op.bo_handle = bo.handle();
	EXPECT_EQ(c_.space.try_bind({op}), EINVAL);
	// All or none.
	EXPECT_EQ(c_.space.try_bind({userptr_op(va, m.address(), page), map_op(va, bo, 0, 5 * page)}), EINVAL);
	EXPECT_EQ(c_.space.try_bind({userptr_op(va, m.address(), page), userptr_op(va, 0, page)}), EFAULT);
	EXPECT_EQ(await_counters(before), "");
	EXPECT_EQ(own_status("VmPin"), pinned);
	expect_gone(va);
}

TEST_F(userptr, a_program_pins_no_more_than_its_memlock_limit)
{
	user_child user(alice, [] {
		const rlimit limit{kib64, kib64};
		if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
			throw std::runtime_error("cannot set the limit");
		context mine;
		const host_memory m(kib64), more(page);
		const std::uint64_t va = mine.space.reserve(kib64), next = mine.space.reserve(page);
		const auto expect = [](bool right, const char *what) {
			if (!right)
				throw std::runtime_error(what);
		};
		expect(mine.space.try_bind({userptr_op(va, m.address(), kib64)}) == 0, "less than the limit is refused");
		expect(own_status("VmPin") == kib64 / 1024, "pinned memory is not told");
		expect(mine.space.try_bind({userptr_op(next, more.address(), page)}) == ENOMEM, "more than the limit");
		// The other half of a range holds the whole.
		mine.space.unmap(va, kib64 / 2);
		expect(mine.space.try_bind({userptr_op(next, more.address(), page)}) == ENOMEM, "a half was given back");
		mine.space.unmap(va, kib64);
		expect(own_status("VmPin") == 0, "what is unbound stays charged");
		expect(mine.space.try_bind({userptr_op(next, more.address(), page)}) == 0, "nothing was given back");
		// Buffers are not locked memory of the program.
		mine.alloc(mib);
	});
	EXPECT_EQ(user.wait(), 0);
}

TEST_F(userptr, pinned_memory_counts_against_the_quota_of_the_user)
{
	const quota set("system", 2 * mib);
	user_child user(alice, [] {
		const device mine;
		address_space space(mine);
		const host_memory m(4 * mib);
		const std::uint64_t va = space.reserve(4 * mib);
		if (space.try_bind({userptr_op(va, m.address(), 4 * mib)}) != ENOMEM)
			throw std::runtime_error("more than the quota");
		if (space.try_bind({userptr_op(va, m.address(), mib)}) != 0)
			throw std::runtime_error("less than the quota is refused");
	});
	EXPECT_EQ(user.wait(), 0);
}

TEST_F(userptr, a_program_killed_in_the_middle_of_jobs_on_its_memory_leaves_nothing_behind)
{
	const counters before = read_counters();
	for (int round = 0; round < 5; ++round) {
		shared_flag running;
		child process([&] {
			context mine;
			const host_memory m(8 * mib);
			const std::uint64_t va = mine.space.reserve(m.size());
			if (mine.space.try_bind({userptr_op(va, m.address(), m.size())}))
				throw std::runtime_error("cannot bind");
			const auto job = mine.job(command_list(make_copy_bytes(va, va + 4 * mib, 4 * mib)));
			for (;;) {
				mine.submit(job);
				running.raise();
			}
		});
		ASSERT_TRUE(running.wait(20));
		process.kill();
		process.wait();
	}
	EXPECT_EQ(await_counters(before), "");
}
