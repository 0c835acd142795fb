// SPDX-License-Identifier: MIT
// Every entry point of the driver with each of its allocations, and copies of user memory, failing in turn.
#include "context.hpp"
#include "fail_nth.hpp"
#include "machine.hpp"
#include "rejection.hpp"
#include "system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/mman.h>

using namespace vmtest;

namespace {

/** A client with one of everything, so that each call has something to work on. */
struct bench {
	bench()
		: small(c.dev, page), large(c.dev, 2 * mib2), memory(c.alloc(mib)), local(c.alloc(mib, DRM_ATOM_BO_LOCAL)), spare_space(c.dev), spare_queue(c.dev, c.space),
		  memory_offset(memory.bo.mmap_offset()), large_va(c.space.map(large)), hole_va(c.space.reserve(mib2)), job(c.job(command_list(make_nop()))), done(c.dev)
	{
	}
	template <class Args> int call(unsigned long request, Args args) { return c.dev.try_call(request, &args); }

	context c;
	buffer small, large;
	vmtest::memory memory, local;
	address_space spare_space;
	queue spare_queue;
	std::uint64_t memory_offset, large_va, hole_va;
	drm_atom_job job;
	syncobj done;
};

struct operation {
	const char *name;
	/** @return 0 or errno */
	std::function<int(bench &)> call;
	/** Whether a failed call may leave page tables in reserve, which go with their address space. */
	bool keeps_tables = false;
};

void PrintTo(const operation &op, std::ostream *out) { *out << op.name; }

template <class Answer> int query(bench &b, std::uint32_t type)
{
	Answer answer{};
	return b.call(DRM_IOCTL_ATOM_DEV_QUERY, drm_atom_dev_query{type, sizeof(answer), address_of(&answer)});
}

int create_buffer(bench &b, std::uint32_t placement)
{
	drm_atom_bo_create args{};
	args.size = 5 * page;
	args.placement = placement;
	return try_create_buffer(b.c.dev, args);
}

int submit(bench &b)
{
	const drm_atom_sync syncs[] = {b.c.timeline.signal_at(b.c.point + 1), b.done.signal_binary()};
	std::vector jobs(3, b.job);
	jobs.back().syncs = {sizeof(syncs[0]), 2, address_of(syncs)};
	return b.c.q.try_submit(jobs);
}

int map_and_unmap(std::size_t bytes, int protection, int fd, std::uint64_t offset)
{
	void *address = system::mmap(bytes, protection, MAP_SHARED, fd, offset);
	if (address == MAP_FAILED)
		return errno;
	system::munmap(address, bytes);
	return 0;
}

const operation operations[] = {
	{"open", [](bench &b) {
		 const int fd = system::open(b.c.dev.node());
		 const int error = fd < 0 ? errno : 0;
		 if (fd >= 0)
			 system::close(fd);
		 return error;
	 }},
	{"dev_query_info", [](bench &b) { return query<drm_atom_dev_info>(b, DRM_ATOM_DEV_QUERY_INFO); }},
	{"dev_query_memory", [](bench &b) { return query<drm_atom_dev_memory>(b, DRM_ATOM_DEV_QUERY_MEMORY); }},
	{"dev_query_timestamp", [](bench &b) { return query<drm_atom_dev_timestamp>(b, DRM_ATOM_DEV_QUERY_TIMESTAMP); }},
	{"dev_query_telemetry", [](bench &b) { return query<drm_atom_dev_telemetry>(b, DRM_ATOM_DEV_QUERY_TELEMETRY); }},
	{"bo_create_system", [](bench &b) { return create_buffer(b, DRM_ATOM_BO_SYSTEM); }},
	// Not LOCAL: drm_buddy of 6.12 frees a block that is still in its tree when a split finds no memory.
	{"bo_create_shm", [](bench &b) { return create_buffer(b, DRM_ATOM_BO_SHM); }},
	{"bo_mmap_offset", [](bench &b) {
		 return b.call(DRM_IOCTL_ATOM_BO_MMAP_OFFSET, drm_atom_bo_mmap_offset{b.small.handle(), 0, 0});
	 }},
	{"bo_info", [](bench &b) {
		 drm_atom_bo_info args{};
		 args.handle = b.small.handle();
		 return b.call(DRM_IOCTL_ATOM_BO_INFO, args);
	 }},
	{"bo_set_label", [](bench &b) {
		 return b.call(DRM_IOCTL_ATOM_BO_SET_LABEL, drm_atom_bo_set_label{b.small.handle(), 5, address_of("label")});
	 }},
	{"vm_create", [](bench &b) { return b.call(DRM_IOCTL_ATOM_VM_CREATE, drm_atom_vm_create{}); }},
	{"vm_bind_map", [](bench &b) { return b.c.space.try_bind({map_op(b.hole_va, b.small, 0, page)}); }, true},
	{"vm_bind_replace", [](bench &b) {
		 return b.c.space.try_bind({map_op(b.large_va + kib64, b.small, 0, page), unmap_op(b.large_va + mib2 + page, page)});
	 }, true},
	{"vm_bind_unmap", [](bench &b) { return b.c.space.try_bind({unmap_op(b.large_va + page, mib2)}); }, true},
	{"queue_create", [](bench &b) {
		 drm_atom_queue_create args{};
		 args.vm_id = b.c.space.id();
		 args.priority = DRM_ATOM_QUEUE_PRIORITY_NORMAL;
		 return b.call(DRM_IOCTL_ATOM_QUEUE_CREATE, args);
	 }},
	{"queue_get_state", [](bench &b) {
		 drm_atom_queue_get_state args{};
		 args.queue_id = b.c.q.id();
		 return b.call(DRM_IOCTL_ATOM_QUEUE_GET_STATE, args);
	 }},
	{"submit", submit},
	{"mmap_buffer", [](bench &b) {
		 return map_and_unmap(mib, PROT_READ | PROT_WRITE, b.c.dev.fd(), b.memory_offset);
	 }},
	{"mmap_completions", [](bench &b) {
		 return map_and_unmap(b.c.q.completion_bytes(), PROT_READ, b.c.dev.fd(), b.c.q.completion_offset());
	 }},
	{"poll", [](bench &b) {
		 pollfd entry{b.c.dev.fd(), POLLIN, 0};
		 return ::poll(&entry, 1, 0) < 0 ? errno : 0;
	 }},
	// A page fault that finds no memory is tried again: the program must not see a signal.
	{"touch_buffer", [](bench &b) {
		 b.memory.as<volatile std::uint32_t>()[page] = 1;
		 return 0;
	 }},
	{"touch_local", [](bench &b) {
		 b.local.as<volatile std::uint32_t>()[page] = 1;
		 return 0;
	 }},
	// What gives things back cannot fail for want of memory, or nobody could ever get out of it.
	{"queue_destroy", [](bench &b) {
		 const auto id = b.spare_queue.id();
		 return b.call(DRM_IOCTL_ATOM_QUEUE_DESTROY, drm_atom_queue_destroy{id, 0});
	 }},
	{"vm_destroy", [](bench &b) {
		 return b.call(DRM_IOCTL_ATOM_VM_DESTROY, drm_atom_vm_destroy{b.spare_space.id(), 0});
	 }},
	{"close", [](bench &b) {
		 b.c.dev.close();
		 return 0;
	 }},
};

counters counted(const operation &op)
{
	counters all = read_counters();
	if (op.keeps_tables)
		all.erase("page_tables");
	return all;
}

class fail_nth_allocation : public testing::TestWithParam<operation> {
protected:
	void SetUp() override
	{
		if (!fail_nth::works())
			GTEST_SKIP() << "only the debug kernel can make allocations fail";
	}
};

} // namespace

TEST_P(fail_nth_allocation, is_an_error_that_changes_nothing)
{
	const operation &op = GetParam();
	const counters baseline = read_counters();
	constexpr unsigned too_many = 2000;
	fail_nth injector;
	unsigned n = 0, errors = 0;
	for (bool failed = true; failed; ) {
		ASSERT_LT(++n, too_many) << "it has no end of allocations";
		SCOPED_TRACE("allocation " + std::to_string(n));
		{
			bench b;
			const counters before = counted(op);
			injector.arm(n);
			const int error = op.call(b);
			failed = injector.disarm();
			errors += error != 0;
			if (error) {
				ASSERT_TRUE(failed) << std::strerror(error) << " although nothing was made to fail";
				ASSERT_TRUE(error == ENOMEM || error == EFAULT) << std::strerror(error);
				// With EFAULT the answer may have been what could not be copied, after all was done.
				if (error == ENOMEM) {
					counters after;
					EXPECT_TRUE(eventually([&] { return difference(before, after = counted(op)).empty(); }, 5))
						<< difference(before, after);
					EXPECT_EQ(op.call(b), 0) << "it does not work afterwards";
				}
			}
		}
		ASSERT_EQ(await_counters(baseline), "");
	}
	std::printf("%s: %u allocations and copies, %u errors\n", op.name, n - 1, errors);
}

INSTANTIATE_TEST_SUITE_P(of, fail_nth_allocation, testing::ValuesIn(operations),
			 [](const auto &info) { return std::string(info.param.name); });
