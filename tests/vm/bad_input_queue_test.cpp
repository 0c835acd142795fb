// SPDX-License-Identifier: MIT
// Bad input to the ioctls of queues and to SUBMIT.
#include "rejection.hpp"

#include <thread>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace vmtest;

namespace {

class bad_queue : public testing::Test {
protected:
	context c_;
};

/** A job that is right, in a submission that is right. */
class bad_submit : public testing::Test {
protected:
	template <class Change>
	void refuse_job(const std::string &what, const std::vector<int> &errors, const Change &change)
	{
		drm_atom_job job = good_;
		change(job);
		const auto before = c_.q.state();
		expect_refused(what, errors, [&] { return c_.q.try_submit(std::span(&job, 1)); });
		// A good job in front of it must not go through either.
		const drm_atom_job both[] = {good_, job};
		expect_refused(what + ", behind a good job", errors, [&] { return c_.q.try_submit(both); });
		EXPECT_EQ(c_.q.state().submitted, before.submitted) << what << ": the queue has taken a job";
	}

	template <class Change>
	void refuse_sync(const std::string &what, const std::vector<int> &errors, const Change &change)
	{
		drm_atom_sync sync = c_.timeline.signal_at(1000);
		change(sync);
		refuse_job(what, errors, [&](drm_atom_job &job) {
			job.syncs = {sizeof(sync), 1, address_of(&sync)};
		});
		EXPECT_EQ(c_.timeline.value(), 0u) << what << ": a refused submission has signalled a point";
	}

	context c_;
	drm_atom_job good_ = c_.job(command_list(make_nop()));
};

} // namespace

TEST_F(bad_queue, creation_refuses_bad_fields)
{
	drm_atom_queue_create good{};
	good.vm_id = c_.space.id();
	good.priority = DRM_ATOM_QUEUE_PRIORITY_NORMAL;
	const refusals table(c_.dev, DRM_IOCTL_ATOM_QUEUE_CREATE, good);
	for (const std::uint32_t id : {0u, no_such_id, 0xffffffffu})
		table.expect("vm " + std::to_string(id), {ENOENT}, [&](auto &args) { args.vm_id = id; });
	table.expect("queue of user mode", {EOPNOTSUPP}, [](auto &args) { args.flags = DRM_ATOM_QUEUE_USER; });
	table.expect_bits("flags", {EINVAL}, &drm_atom_queue_create::flags, ~std::uint32_t{DRM_ATOM_QUEUE_USER});
	for (const std::uint32_t priority : {4u, 5u, 0x80000000u, 0xffffffffu})
		table.expect("priority " + std::to_string(priority), {EINVAL},
			     [&](auto &args) { args.priority = priority; });
	for (const std::uint32_t timeout : {c_.dev.info().job_timeout_max_ms + 1, 0xffffffffu})
		table.expect("time-out " + std::to_string(timeout), {EINVAL},
			     [&](auto &args) { args.job_timeout_ms = timeout; });
	table.expect("name without an end", {EINVAL}, [](auto &args) { std::memset(args.name, 'x', sizeof(args.name)); });
	table.expect("name with a new line", {EINVAL}, [](auto &args) { std::memcpy(args.name, "a\nb", 3); });
	table.expect("name that is not ASCII", {EINVAL}, [](auto &args) { args.name[0] = 0x9b; });
	table.expect_bits("ring address", {EINVAL}, &drm_atom_queue_create::ring_va, ~__u64{0});
	table.expect_bits("ring size", {EINVAL}, &drm_atom_queue_create::ring_bytes, ~__u64{0});
	table.expect_bad_argument_pointer();
}

TEST_F(bad_queue, high_priorities_need_the_capability)
{
	int high = 0, realtime = 0, normal = -1, low = -1;
	// Capabilities belong to a thread; this one gives all of its own away.
	std::thread([&] {
		__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
		__user_cap_data_struct none[2]{};
		if (syscall(SYS_capset, &header, none) != 0)
			return;
		const auto create = [&](std::uint32_t priority) {
			drm_atom_queue_create args{};
			args.vm_id = c_.space.id();
			args.priority = priority;
			return c_.dev.try_call(DRM_IOCTL_ATOM_QUEUE_CREATE, &args);
		};
		high = create(DRM_ATOM_QUEUE_PRIORITY_HIGH);
		realtime = create(DRM_ATOM_QUEUE_PRIORITY_REALTIME);
		normal = create(DRM_ATOM_QUEUE_PRIORITY_NORMAL);
		low = create(DRM_ATOM_QUEUE_PRIORITY_LOW);
	}).join();
	EXPECT_EQ(high, EACCES);
	EXPECT_EQ(realtime, EACCES);
	EXPECT_EQ(normal, 0);
	EXPECT_EQ(low, 0);
	EXPECT_NO_THROW(queue(c_.dev, c_.space, {.priority = DRM_ATOM_QUEUE_PRIORITY_REALTIME}));
}

TEST_F(bad_queue, ids_and_pads_are_checked)
{
	const device other;
	const refusals destruction(c_.dev, DRM_IOCTL_ATOM_QUEUE_DESTROY, drm_atom_queue_destroy{c_.q.id(), 0});
	destruction.expect_bits("pad", {EINVAL}, &drm_atom_queue_destroy::pad, ~0u);
	drm_atom_queue_get_state state{};
	state.queue_id = c_.q.id();
	const refusals states(c_.dev, DRM_IOCTL_ATOM_QUEUE_GET_STATE, state);
	for (const std::uint32_t id : {0u, no_such_id, 0xffffffffu}) {
		destruction.expect("destroy " + std::to_string(id), {ENOENT}, [&](auto &args) { args.queue_id = id; });
		states.expect("state of " + std::to_string(id), {ENOENT}, [&](auto &args) { args.queue_id = id; });
	}
	destruction.expect_bad_argument_pointer();
	states.expect_bad_argument_pointer();
	drm_atom_queue_destroy theirs{c_.q.id(), 0};
	expect_refused("another client's queue", {ENOENT},
		       [&] { return other.try_call(DRM_IOCTL_ATOM_QUEUE_DESTROY, &theirs); });
	expect_refused("state of another client's queue", {ENOENT},
		       [&] { return other.try_call(DRM_IOCTL_ATOM_QUEUE_GET_STATE, &state); });
}

TEST_F(bad_queue, queues_run_out_with_enospc_and_come_back)
{
	const counters before = read_counters();
	{
		std::vector<queue> queues;
		int error = 0;
		while (!error && queues.size() <= c_.dev.info().queues_max) {
			try {
				queues.emplace_back(c_.dev, c_.space);
			} catch (const std::system_error &failure) {
				error = failure.code().value();
			}
		}
		EXPECT_EQ(error, ENOSPC);
		// At least 64 queues are promised; one is the fixture's.
		EXPECT_GE(queues.size() + 1, 64u);
	}
	EXPECT_EQ(await_counters(before), "");
	const queue again(c_.dev, c_.space);
	EXPECT_NE(again.id(), 0u);
}

TEST_F(bad_queue, perf_open_says_that_it_is_not_there)
{
	if (c_.dev.info().kernel_caps & DRM_ATOM_CAP_PERF)
		GTEST_SKIP() << "the driver has counters";
	drm_atom_perf_open args{};
	expect_refused("PERF_OPEN", {EOPNOTSUPP}, [&] { return c_.dev.try_call(DRM_IOCTL_ATOM_PERF_OPEN, &args); });
}

TEST_F(bad_queue, unknown_ioctls_are_refused)
{
	std::uint64_t argument[64]{};
	for (unsigned number = DRM_COMMAND_BASE + DRM_ATOM_PERF_OPEN + 1; number < DRM_COMMAND_END; ++number)
		expect_refused("ioctl " + std::to_string(number), {ENOTTY, EINVAL}, [&] {
			return c_.dev.try_call(DRM_IOWR(number, std::uint64_t[4]), argument);
		});
}

TEST_F(bad_submit, refuses_bad_fields_of_a_job)
{
	const auto &info = c_.dev.info();
	for (unsigned bit = 0; bit < 32; ++bit) {
		refuse_job("flag " + std::to_string(bit), {EINVAL}, [&](auto &job) { job.flags = 1u << bit; });
		refuse_job("pad " + std::to_string(bit), {EINVAL}, [&](auto &job) { job.pad = 1u << bit; });
	}
	for (const std::uint32_t bytes : {1u, 4u, 7u, 49u})
		refuse_job("command buffer of " + std::to_string(bytes) + " bytes", {EINVAL},
			   [&](auto &job) { job.cmd_bytes = bytes; });
	for (const std::uint32_t bytes : {info.cmd_bytes_max + 8, 0xfffffff8u})
		refuse_job("command buffer of " + std::to_string(bytes) + " bytes", {E2BIG},
			   [&](auto &job) { job.cmd_bytes = bytes; });
	for (const std::uint64_t shift : u64s{1ull, 2ull, 4ull})
		refuse_job("command buffer off by " + std::to_string(shift), {EINVAL},
			   [&](auto &job) { job.cmd_va += shift; });
	for (const std::uint64_t va : u64s{~0ull - 7, ~0ull - 31, 1ull << 63, info.va_end})
		refuse_job("command buffer at " + std::to_string(va), {EINVAL}, [&](auto &job) { job.cmd_va = va; });
	refuse_job("address of no command buffer", {EINVAL}, [](auto &job) { job.cmd_bytes = 0; });
	refuse_job("address of no arguments", {EINVAL}, [&](auto &job) { job.args_va = good_.cmd_va; });
	refuse_job("too many arguments", {E2BIG}, [&](auto &job) {
		job.args_va = good_.cmd_va;
		job.arg_count = info.args_max + 1;
	});
	refuse_job("4294967295 arguments", {E2BIG}, [&](auto &job) {
		job.args_va = good_.cmd_va;
		job.arg_count = ~0u;
	});
	for (const std::uint64_t shift : u64s{1ull, 4ull})
		refuse_job("arguments off by " + std::to_string(shift), {EINVAL}, [&](auto &job) {
			job.args_va = good_.cmd_va + shift;
			job.arg_count = 1;
		});
	for (const std::uint64_t va : u64s{~0ull - 7, 1ull << 63, info.va_end})
		refuse_job("arguments at " + std::to_string(va), {EINVAL}, [&](auto &job) {
			job.args_va = va;
			job.arg_count = 1;
		});
	for (const std::uint64_t shift : u64s{1ull, 4ull})
		refuse_job("result off by " + std::to_string(shift), {EINVAL},
			   [&](auto &job) { job.result_va = good_.cmd_va + shift; });
	for (const std::uint64_t va : u64s{~0ull - 7, 1ull << 63, info.va_end})
		refuse_job("result at " + std::to_string(va), {EINVAL}, [&](auto &job) { job.result_va = va; });
}

TEST_F(bad_submit, refuses_bad_syncs)
{
	for (unsigned bit = 2; bit < 32; ++bit)
		refuse_sync("flag " + std::to_string(bit), {EINVAL}, [&](auto &sync) { sync.flags |= 1u << bit; });
	for (const std::uint32_t handle : {0u, no_such_id, 0xffffffffu})
		refuse_sync("handle " + std::to_string(handle), {ENOENT}, [&](auto &sync) { sync.handle = handle; });
	refuse_sync("point 0 of a timeline", {EINVAL}, [](auto &sync) { sync.point = 0; });
	refuse_sync("point of a binary object", {EINVAL}, [](auto &sync) { sync.flags = DRM_ATOM_SYNC_SIGNAL; });
	refuse_sync("waiting for a point that nothing will signal", {EINVAL},
		    [](auto &sync) { sync.flags = DRM_ATOM_SYNC_TIMELINE; });
	const syncobj never(c_.dev);
	refuse_sync("waiting for a binary object without a fence", {EINVAL},
		    [&](auto &sync) { sync = never.wait_for_binary(); });
}

TEST_F(bad_submit, refuses_bad_arrays)
{
	const auto &info = c_.dev.info();
	const drm_atom_submit good{c_.q.id(), 0, {sizeof(good_), 1, address_of(&good_)}, 0};
	const refusals table(c_.dev, DRM_IOCTL_ATOM_SUBMIT, good);
	for (const std::uint32_t id : {0u, no_such_id, 0xffffffffu})
		table.expect("queue " + std::to_string(id), {ENOENT}, [&](auto &args) { args.queue_id = id; });
	table.expect_bits("flags", {EINVAL}, &drm_atom_submit::flags, ~0u);
	table.expect("no jobs", {EINVAL}, [](auto &args) { args.jobs.count = 0; });
	table.expect("too many jobs", {E2BIG}, [&](auto &args) { args.jobs.count = info.submit_jobs_max + 1; });
	table.expect("4294967295 jobs", {E2BIG}, [](auto &args) { args.jobs.count = ~0u; });
	table.expect("stride 0", {EINVAL}, [](auto &args) { args.jobs.stride = 0; });
	table.expect("array at a kernel address", {EFAULT},
		     [](auto &args) { args.jobs.array = address_of(bad_pointer); });
	table.expect("array that is not mapped", {EFAULT}, [](auto &args) { args.jobs.array = bad_address; });
	table.expect("array that ends in nothing", {EFAULT}, [&](auto &args) { args.jobs.array = bad_address - 8; });
	table.expect_bad_argument_pointer();

	drm_atom_sync syncs[1] = {c_.timeline.signal_at(1)};
	refuse_job("too many syncs", {E2BIG}, [&](auto &job) {
		job.syncs = {sizeof(drm_atom_sync), info.syncs_max + 1, address_of(syncs)};
	});
	refuse_job("4294967295 syncs", {E2BIG},
		   [&](auto &job) { job.syncs = {sizeof(drm_atom_sync), ~0u, address_of(syncs)}; });
	refuse_job("syncs of stride 0", {EINVAL}, [&](auto &job) { job.syncs = {0, 1, address_of(syncs)}; });
	refuse_job("syncs at a kernel address", {EFAULT},
		   [](auto &job) { job.syncs = {sizeof(drm_atom_sync), 1, address_of(bad_pointer)}; });
	refuse_job("syncs that are not mapped", {EFAULT},
		   [](auto &job) { job.syncs = {sizeof(drm_atom_sync), 1, bad_address}; });
}

TEST_F(bad_submit, takes_nothing_to_a_queue_that_is_gone)
{
	const std::uint32_t id = c_.q.id();
	c_.q.destroy();
	drm_atom_submit args{id, 0, {sizeof(good_), 1, address_of(&good_)}, 0};
	expect_refused("destroyed queue", {ENOENT}, [&] { return c_.dev.try_call(DRM_IOCTL_ATOM_SUBMIT, &args); });
	drm_atom_queue_get_state state{};
	state.queue_id = id;
	expect_refused("its state", {ENOENT}, [&] { return c_.dev.try_call(DRM_IOCTL_ATOM_QUEUE_GET_STATE, &state); });
}

TEST_F(bad_submit, another_clients_queue_is_unknown)
{
	const device other;
	drm_atom_submit args{c_.q.id(), 0, {sizeof(good_), 1, address_of(&good_)}, 0};
	expect_refused("another client's queue", {ENOENT}, [&] { return other.try_call(DRM_IOCTL_ATOM_SUBMIT, &args); });
}

TEST_F(bad_submit, leaves_the_queue_usable)
{
	drm_atom_job bad = good_;
	bad.flags = 1;
	for (int i = 0; i < 100; ++i)
		EXPECT_EQ(c_.q.try_submit(std::span(&bad, 1)), EINVAL);
	c_.run(good_);
	EXPECT_EQ(c_.q.state().submitted, 1u);
}
