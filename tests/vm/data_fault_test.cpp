// SPDX-License-Identifier: MIT
// Accesses that a job may not make: each faults with the address, the command and the tensor named.
#include "context.hpp"

#include <gtest/gtest.h>

#include <cstring>

using namespace vmtest;

namespace {

class data_fault : public testing::Test {
protected:
	/** Runs @p commands, whose command 1 must fault. */
	void expect_fault(const command_list &commands, std::uint16_t code, std::uint16_t access, std::uint32_t field,
			  std::uint64_t va_first, std::uint64_t va_bytes)
	{
		const auto state = c_.run_failing(commands);
		EXPECT_EQ(state.fault_code, code) << describe(state);
		EXPECT_EQ(state.fault_where, ATOM_WHERE_DATA) << describe(state);
		EXPECT_EQ(state.fault_command, 1u) << describe(state);
		EXPECT_EQ(state.fault_field, field) << describe(state);
		EXPECT_EQ(state.fault_access, access) << describe(state);
		EXPECT_GE(state.fault_va, va_first) << describe(state);
		EXPECT_LT(state.fault_va, va_first + va_bytes) << describe(state);
	}

	context c_;
	memory good_ = c_.alloc(2 * page);
	std::uint64_t nowhere_ = c_.space.reserve(mib);
};

constexpr std::uint32_t in_at = offsetof(atom_cmd_copy, in), out_at = offsetof(atom_cmd_copy, out);

} // namespace

TEST_F(data_fault, reading_what_is_not_mapped)
{
	expect_fault(command_list(make_nop(), make_copy_bytes(nowhere_, good_.va, 64)), ATOM_FAULT_NOT_PRESENT,
		     ATOM_ACCESS_READ, in_at, nowhere_, 64);
}

TEST_F(data_fault, writing_what_is_not_mapped)
{
	expect_fault(command_list(make_nop(), make_copy_bytes(good_.va, nowhere_, 64)), ATOM_FAULT_NOT_PRESENT,
		     ATOM_ACCESS_WRITE, out_at, nowhere_, 64);
}

// The kind of access comes by another way than the completion: the fault FIFO, which the reset of the queue must read first.
TEST_F(data_fault, each_of_many_in_a_row_tells_its_kind_of_access)
{
	for (int i = 0; i < 100 && !HasFailure(); ++i) {
		SCOPED_TRACE(i);
		context c;
		auto job = c.job(command_list(make_nop()));
		job.result_va = c.space.reserve(page);
		const auto state = c.run_failing(job);
		EXPECT_EQ(state.fault_access, ATOM_ACCESS_WRITE) << describe(state);
	}
}

TEST_F(data_fault, running_over_the_end_of_a_mapping)
{
	expect_fault(command_list(make_nop(), make_copy_bytes(good_.va + page, good_.va + 3 * page, 64)),
		     ATOM_FAULT_NOT_PRESENT, ATOM_ACCESS_WRITE, out_at, good_.va + 2 * page, 2 * page);
}

TEST_F(data_fault, crossing_the_end_of_a_mapping_in_the_middle)
{
	const memory source = c_.alloc(4 * page);
	expect_fault(command_list(make_nop(), make_copy_bytes(source.va, good_.va + page, 2 * page)),
		     ATOM_FAULT_NOT_PRESENT, ATOM_ACCESS_WRITE, out_at, good_.va + 2 * page, page);
}

TEST_F(data_fault, writing_what_is_bound_read_only)
{
	const buffer bo(c_.dev, page);
	auto map = bo.map();
	fill_pattern(map.as<std::uint32_t>(), 3);
	const std::uint64_t va = c_.space.map(bo, DRM_ATOM_VM_BIND_READONLY);
	c_.run(command_list(make_copy_bytes(va, good_.va, page)));
	EXPECT_EQ(find_damage(good_.as<std::uint32_t>().first(page / 4), 3), -1);
	expect_fault(command_list(make_nop(), make_copy_bytes(good_.va + page, va, page)), ATOM_FAULT_PERMISSION,
		     ATOM_ACCESS_WRITE, out_at, va, page);
	EXPECT_EQ(find_damage(map.as<std::uint32_t>(), 3), -1) << "the read-only buffer was written";
}

TEST_F(data_fault, a_buffer_can_be_writable_at_one_address_and_read_only_at_another)
{
	const buffer bo(c_.dev, page);
	const std::uint64_t writable = c_.space.map(bo), readable = c_.space.map(bo, DRM_ATOM_VM_BIND_READONLY);
	fill_pattern(good_.as<std::uint32_t>(), 9);
	c_.run(command_list(make_copy_bytes(good_.va, writable, page), make_fence(),
			    make_copy_bytes(readable, good_.va + page, page)));
	EXPECT_EQ(std::memcmp(good_.map.data(), good_.map.data() + page, page), 0);
	expect_fault(command_list(make_nop(), make_copy_bytes(good_.va, readable, 64)), ATOM_FAULT_PERMISSION,
		     ATOM_ACCESS_WRITE, out_at, readable, 64);
}

TEST_F(data_fault, reaching_beyond_an_argument)
{
	const memory table = c_.alloc(page);
	table.as<atom_arg>()[0] = {good_.va, 256};
	for (const std::uint64_t offset : {std::uint64_t{193}, std::uint64_t{256}, std::uint64_t{1} << 40, ~std::uint64_t{0} - 31}) {
		SCOPED_TRACE(offset);
		context c;
		const memory data = c.alloc(page), args = c.alloc(page);
		args.as<atom_arg>()[0] = {data.va, 256};
		command_list commands(make_nop(), make_copy(tensor(ATOM_DTYPE_U8, {64}, offset, 1),
							     tensor(ATOM_DTYPE_U8, {64}, data.va + 1024)));
		commands.set_slots(2);
		auto job = c.job(commands);
		job.args_va = args.va;
		job.arg_count = 1;
		const auto state = c.run_failing(job);
		EXPECT_EQ(state.fault_code, ATOM_FAULT_ARG_RANGE) << describe(state);
		EXPECT_EQ(state.fault_command, 1u) << describe(state);
		EXPECT_TRUE(state.fault_field == in_at || state.fault_field == in_at + 8) << describe(state);
	}
}

TEST_F(data_fault, a_command_buffer_that_is_not_mapped)
{
	drm_atom_job job{};
	job.cmd_va = nowhere_;
	job.cmd_bytes = 48;
	const auto state = c_.run_failing(job);
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
	EXPECT_EQ(state.fault_va & ~(page - 1), nowhere_) << describe(state);
	EXPECT_EQ(state.fault_access, ATOM_ACCESS_READ) << describe(state);
	EXPECT_EQ(state.fault_command, ATOM_COMMAND_NONE) << describe(state);
}

TEST_F(data_fault, an_argument_table_that_is_not_mapped)
{
	auto job = c_.job(command_list(make_nop()));
	job.args_va = nowhere_;
	job.arg_count = 3;
	const auto state = c_.run_failing(job);
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
	EXPECT_EQ(state.fault_va & ~(page - 1), nowhere_) << describe(state);
}

TEST_F(data_fault, a_result_address_that_is_not_mapped)
{
	auto job = c_.job(command_list(make_nop()));
	job.result_va = nowhere_;
	const auto state = c_.run_failing(job);
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
	EXPECT_EQ(state.fault_va & ~(page - 1), nowhere_) << describe(state);
	EXPECT_EQ(state.fault_access, ATOM_ACCESS_WRITE) << describe(state);
}

TEST_F(data_fault, jobs_behind_a_fault_do_not_run)
{
	const memory target = c_.alloc(page);
	std::vector<drm_atom_job> jobs{c_.job(command_list(make_copy_bytes(nowhere_, good_.va, 64)))};
	for (int i = 0; i < 7; ++i)
		jobs.push_back(c_.job(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, target.va), 0x77))));
	const drm_atom_sync last = c_.timeline.signal_at(1);
	jobs.back().syncs = {sizeof(last), 1, reinterpret_cast<std::uintptr_t>(&last)};
	const std::uint64_t seqno = c_.q.submit(jobs);
	c_.timeline.wait(1);
	const auto state = c_.q.state();
	EXPECT_EQ(state.failed_seqno, seqno - 7) << describe(state);
	EXPECT_EQ(find_nonzero({target.map.data(), page}), -1) << "a job behind the fault has run";
}

TEST_F(data_fault, the_address_space_of_a_faulted_queue_takes_another_queue)
{
	c_.run_failing(command_list(make_copy_bytes(nowhere_, good_.va, 64)));
	const queue again(c_.dev, c_.space);
	const auto sync = c_.timeline.signal_at(c_.point + 1);
	auto job = c_.job(command_list(make_fill(tensor(ATOM_DTYPE_U8, {64}, good_.va), 0x42)));
	job.syncs = {sizeof(sync), 1, reinterpret_cast<std::uintptr_t>(&sync)};
	again.submit(job);
	c_.timeline.wait(c_.point + 1);
	EXPECT_EQ(again.state().flags, 0u);
	EXPECT_EQ(good_.map.data()[63], std::byte{0x42});
}
