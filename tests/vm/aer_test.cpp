// SPDX-License-Identifier: MIT
// Errors that the PCI bus reports (AER), injected by the kernel's aer_inject: who goes on, and who is told of what was lost.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>
#include <linux/pci_regs.h>

#include <cstdio>
#include <string>

using namespace vmtest;

namespace {

/** What /dev/aer_inject takes: struct aer_error_inj of the kernel's drivers/pci/pcie/aer_inject.c. */
struct injected_error {
	std::uint8_t bus;
	std::uint8_t device;
	std::uint8_t function;
	std::uint8_t pad;
	std::uint32_t uncorrectable;
	std::uint32_t correctable;
	std::uint32_t header[4];
	std::uint32_t domain;
};
static_assert(sizeof(injected_error) == 32);

constexpr std::uint32_t nonfatal = PCI_ERR_UNC_COMP_ABORT;
constexpr std::uint32_t fatal = PCI_ERR_UNC_MALF_TLP;

class aer : public troubled {
protected:
	aer()
	{
		if (run_program({"modprobe", "aer_inject"}) != 0)
			throw std::runtime_error("there is no aer_inject");
	}
	~aer() override { run_program({"modprobe", "-r", "aer_inject"}); }

	/** Device 0 reports an error; returns at once. */
	static void report(std::uint32_t uncorrectable, std::uint32_t correctable = 0)
	{
		injected_error error{};
		unsigned domain, bus, device, function;
		const std::string address = sysfs_folder().filename();
		if (std::sscanf(address.c_str(), "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
			throw std::runtime_error(address + " is no address");
		error.bus = static_cast<std::uint8_t>(bus);
		error.device = static_cast<std::uint8_t>(device);
		error.function = static_cast<std::uint8_t>(function);
		error.domain = domain;
		error.uncorrectable = uncorrectable;
		error.correctable = correctable;
		write_to("/dev/aer_inject", {reinterpret_cast<const char *>(&error), sizeof(error)});
	}

	/** How many errors the port above the device has been told of; @p kind: cor, nonfatal, fatal. */
	static std::uint64_t reported(const std::string &kind)
	{
		return read_number(sysfs_folder().parent_path() / ("aer_rootport_total_err_" + kind));
	}

	/** A new job on a queue that may have lost others. */
	static void expect_new_job_done(context &c)
	{
		const std::uint64_t seqno = c.submit(command_list(make_nop()));
		c.wait();
		EXPECT_EQ(c.q.completion(seqno).status, ATOM_CPL_OK);
	}

	/** Device 0 has a job that hangs, and one behind it, when it reports an error; returns when it is in service again. */
	static void fail_under_work(context &busy, std::uint32_t error, const std::string &kind)
	{
		const std::uint32_t before = device_generation();
		const std::uint64_t errors = reported(kind);
		inject("kind=hang,count=1");
		busy.submit(command_list(make_nop()));
		busy.submit(command_list(make_nop()));
		pause_ms(50);
		report(error);
		ASSERT_EQ(busy.timeline.try_wait(busy.point, 60'000'000'000), 0) << "the waiter of a lost job waits on";
		ASSERT_TRUE(eventually([&] { return device_generation() == before + 1; }));
		ASSERT_EQ(reported(kind), errors + 1);
	}
};

} // namespace

TEST_F(aer, a_corrected_error_is_counted_and_costs_nothing)
{
	context c;
	const memory m = c.alloc(page);
	const std::uint32_t generation = device_generation();
	for (int i = 0; i < 5; ++i) {
		const std::uint64_t before = reported("cor");
		report(0, PCI_ERR_COR_BAD_TLP);
		ASSERT_NO_THROW(c.run(
			command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), static_cast<unsigned>(i)))));
		ASSERT_EQ(m.map.data()[page - 1], static_cast<std::byte>(i));
		ASSERT_TRUE(eventually([&] { return reported("cor") == before + 1; }));
	}
	EXPECT_EQ(device_generation(), generation);
	EXPECT_EQ(c.q.state().flags, 0u) << describe(c.q.state());
}

TEST_F(aer, an_error_that_is_not_fatal_resets_the_device_and_programs_go_on)
{
	context busy(0, {.job_timeout_ms = 60'000}), idle;
	const memory local = idle.alloc(mib, DRM_ATOM_BO_LOCAL), system = idle.alloc(page);
	fill_pattern(local.as<std::uint32_t>(), 3);
	for (unsigned round = 0; round < 3; ++round) {
		SCOPED_TRACE(round);
		const std::uint64_t done = busy.q.state().completed;
		ASSERT_NO_FATAL_FAILURE(fail_under_work(busy, nonfatal, "nonfatal"));
		const auto state = busy.q.state();
		ASSERT_EQ(state.flags, DRM_ATOM_QUEUE_STATE_INNOCENT) << describe(state);
		ASSERT_EQ(state.failed_seqno, done + 1) << describe(state);
		ASSERT_EQ(state.lost_seqno, done + 2) << describe(state);
		ASSERT_EQ(idle.q.state().flags, 0u) << describe(idle.q.state());
		ASSERT_NO_THROW(expect_new_job_done(busy));
		ASSERT_NO_THROW(
			idle.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, system.va), 0x40 + round))));
		ASSERT_EQ(system.map.data()[page - 1], static_cast<std::byte>(0x40 + round));
		ASSERT_EQ(find_damage(local.as<std::uint32_t>(), 3), -1) << "device memory was lost";
	}
}

TEST_F(aer, a_fatal_error_resets_the_link_and_who_lost_device_memory_is_told)
{
	for (int round = 0; round < 3; ++round) {
		SCOPED_TRACE(round);
		context busy(0, {.job_timeout_ms = 60'000}), idle;
		const memory m = idle.alloc(page);
		ASSERT_NO_FATAL_FAILURE(fail_under_work(busy, fatal, "fatal"));
		// What their jobs have in device memory is gone: nothing may go on as if it were there.
		for (const context *c : {&busy, &idle}) {
			const auto state = c->q.state();
			ASSERT_EQ(state.flags, DRM_ATOM_QUEUE_STATE_INNOCENT | DRM_ATOM_QUEUE_STATE_BANNED)
				<< describe(state);
		}
		ASSERT_EQ(busy.q.state().lost_seqno, 2u) << describe(busy.q.state());
		// The same file, address space and mapping serve a new queue.
		const queue again(idle.dev, idle.space);
		const syncobj done(idle.dev);
		const drm_atom_sync signal = done.signal_binary();
		auto job = idle.job(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), 0x77)));
		job.syncs = {sizeof(signal), 1, reinterpret_cast<std::uintptr_t>(&signal)};
		again.submit(job);
		ASSERT_EQ(done.try_wait_binary(60'000'000'000), 0);
		ASSERT_EQ(m.map.data()[page - 1], std::byte{0x77});
	}
}

TEST_F(aer, recovery_leaves_nothing_behind)
{
	const counters before = read_counters();
	const std::uint32_t generation = device_generation();
	for (unsigned i = 0; i < 4; ++i) {
		context c;
		c.submit(command_list(make_nop()));
		report(i % 2 ? fatal : nonfatal);
		ASSERT_TRUE(eventually([&] { return device_generation() == generation + i + 1; }));
		ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0);
	}
	EXPECT_EQ(await_counters(before), "");
}
