// SPDX-License-Identifier: MIT
// Malformed commands: the queue stops, its state names the command and the field, and the other queues go on.
#include "context.hpp"
#include "malformed_cases.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

using namespace vmtest;

namespace {

constexpr std::uint32_t bad_index = 2; // a NOP and a FENCE stand before the malformed command

class malformed : public testing::Test {
protected:
	malformed()
	{
		operands_ = {data_.va, data_.va + page, data_.va + 2 * page};
		fill_pattern(data_.as<std::uint32_t>(), 7);
	}

	/** Puts @p bytes where all programs go. @return the job that runs them */
	drm_atom_job program(std::span<const std::byte> bytes)
	{
		std::memcpy(program_.map.data(), bytes.data(), bytes.size());
		drm_atom_job job{};
		job.cmd_va = program_.va;
		job.cmd_bytes = static_cast<__u32>(bytes.size());
		return job;
	}

	static void apply(const malformed_case &bad, std::byte *at)
	{
		for (const patch &p : bad.patches)
			std::memcpy(at + p.offset, &p.value, p.bytes);
	}

	/** Runs @p job, which must fault, on a queue of its own. */
	void expect_fault(const drm_atom_job &job, const malformed_case &bad, std::uint16_t where, std::uint32_t index)
	{
		queue victim(c_.dev, c_.space);
		syncobj done(c_.dev);
		const drm_atom_sync sync = done.signal_at(1);
		drm_atom_job signalling = job;
		signalling.syncs = {sizeof(sync), 1, reinterpret_cast<std::uintptr_t>(&sync)};
		const std::uint64_t seqno = victim.submit(signalling);
		done.wait(1);
		const auto state = victim.state();
		ASSERT_EQ(state.failed_seqno, seqno) << "the device took it: " << describe(state);
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_FAULT) << describe(state);
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
		EXPECT_NE(state.error, 0u);
		EXPECT_TRUE(bad.codes.contains(state.fault_code)) << describe(state);
		EXPECT_EQ(state.fault_where, where) << describe(state);
		EXPECT_EQ(state.fault_command, index) << describe(state);
		EXPECT_TRUE(bad.fields.empty() || bad.fields.contains(state.fault_field))
			<< describe(state) << "; the field is at " << (bad.fields.empty() ? 0 : *bad.fields.begin());
		EXPECT_EQ(victim.try_submit(std::span(&job, 1)), ECANCELED);
		const auto record = victim.completion(seqno);
		EXPECT_EQ(record.status, ATOM_CPL_FAULT);
		EXPECT_EQ(record.fault_code, state.fault_code);
		EXPECT_EQ(record.fault_command, state.fault_command);
		EXPECT_EQ(record.fault_field, state.fault_field);
	}

	void expect_all_faults(const malformed_table &table)
	{
		const drm_atom_job bystander = c_.job(command_list(make_nop()));
		command_list good(make_nop(), make_fence());
		const std::size_t at = good.add_bytes(table.good);
		const auto bytes = good.finish();
		ASSERT_NO_THROW(c_.run(program(bytes))) << table.command << " is refused as it is, before it is made wrong";
		for (const malformed_case &bad : table.cases) {
			SCOPED_TRACE(table.command + ": " + bad.what);
			auto wrong = bytes;
			apply(bad, wrong.data() + at);
			expect_fault(program(wrong), bad, ATOM_WHERE_COMMAND, bad_index);
			c_.run(bystander);
			if (HasFatalFailure())
				return;
		}
	}

	context c_;
	memory data_ = c_.alloc(4 * page);
	memory program_ = c_.alloc(2 * page);
	operands operands_;
};

} // namespace

TEST_F(malformed, nop_is_refused_with_its_field_named) { expect_all_faults(malformed_nop()); }
TEST_F(malformed, fence_is_refused_with_its_field_named) { expect_all_faults(malformed_fence()); }
TEST_F(malformed, timestamp_is_refused_with_its_field_named) { expect_all_faults(malformed_timestamp(operands_)); }
TEST_F(malformed, copy_is_refused_with_its_field_named) { expect_all_faults(malformed_copy(operands_)); }
TEST_F(malformed, fill_is_refused_with_its_field_named) { expect_all_faults(malformed_fill(operands_)); }
TEST_F(malformed, cast_is_refused_with_its_field_named) { expect_all_faults(malformed_cast(operands_)); }
TEST_F(malformed, gemm_is_refused_with_its_field_named) { expect_all_faults(malformed_gemm(operands_)); }
TEST_F(malformed, quantised_gemm_is_refused_with_its_field_named)
{
	expect_all_faults(malformed_quantised_gemm(operands_));
}
TEST_F(malformed, binary_is_refused_with_its_field_named) { expect_all_faults(malformed_binary(operands_)); }
TEST_F(malformed, unary_is_refused_with_its_field_named) { expect_all_faults(malformed_unary(operands_)); }

TEST_F(malformed, header_of_a_command_buffer_is_refused_with_its_field_named)
{
	const auto bytes = command_list(make_nop(), make_fence(), make_nop()).finish();
	for (const malformed_case &bad : malformed_headers(static_cast<std::uint32_t>(bytes.size()), 3)) {
		SCOPED_TRACE(bad.what);
		auto wrong = bytes;
		apply(bad, wrong.data());
		expect_fault(program(wrong), bad, ATOM_WHERE_HEADER, ATOM_COMMAND_NONE);
	}
}

TEST_F(malformed, a_command_buffer_shorter_than_its_header_is_refused)
{
	// The uapi names no smallest size, the device does: the job faults, unless the kernel knows the device's rule.
	const auto bytes = command_list(make_nop()).finish();
	for (std::uint32_t size = 8; size < sizeof(atom_cmdbuf_header); size += 8) {
		SCOPED_TRACE(size);
		drm_atom_job job = program(bytes);
		job.cmd_bytes = size;
		queue q(c_.dev, c_.space);
		if (const int error = q.try_submit(std::span(&job, 1))) {
			EXPECT_EQ(error, EINVAL);
			continue;
		}
		ASSERT_TRUE(eventually([&] { return q.state().completed == 1; }));
		const auto state = q.state();
		EXPECT_EQ(state.fault_code, ATOM_FAULT_BAD_DESCRIPTOR) << describe(state);
		EXPECT_EQ(state.fault_where, ATOM_WHERE_DESCRIPTOR) << describe(state);
		EXPECT_EQ(state.fault_field, offsetof(atom_ring_desc, cmd_bytes)) << describe(state);
	}
}

TEST_F(malformed, nothing_before_the_first_wrong_field_has_side_effects_on_the_output)
{
	// The last command is wrong: the ones before it may have run, the wrong one itself has written nothing.
	auto copy = make_copy_bytes(operands_.a, operands_.out, 64);
	copy.header.reserved = 1;
	const std::vector<std::byte> before(data_.map.data() + 2 * page, data_.map.data() + 2 * page + 64);
	c_.run_failing(command_list(make_nop(), copy));
	EXPECT_EQ(std::memcmp(before.data(), data_.map.data() + 2 * page, 64), 0);
}

TEST_F(malformed, a_longer_command_runs_if_what_the_device_does_not_know_is_zero)
{
	auto copy = make_copy_bytes(operands_.a, operands_.out, 64);
	std::vector<std::byte> bytes(sizeof(copy) + 64);
	copy.header.bytes = static_cast<__u32>(bytes.size());
	std::memcpy(bytes.data(), &copy, sizeof(copy));
	command_list good;
	good.add_bytes(bytes);
	c_.run(good);
	EXPECT_EQ(std::memcmp(data_.map.data(), data_.map.data() + 2 * page, 64), 0);

	bytes.back() = std::byte{1};
	command_list bad(make_nop());
	bad.add_bytes(bytes);
	const auto state = c_.run_failing(bad);
	EXPECT_EQ(state.fault_code, ATOM_FAULT_BAD_SIZE) << describe(state);
	EXPECT_EQ(state.fault_command, 1u) << describe(state);
	EXPECT_TRUE(state.fault_field == offsetof(atom_cmd_header, bytes) || state.fault_field >= sizeof(copy))
		<< describe(state);
}

TEST_F(malformed, opcodes_that_the_device_does_not_offer_are_refused)
{
	for (unsigned opcode = 0; opcode < ATOM_OP_COUNT; ++opcode) {
		if (c_.dev.info().opcodes[opcode / 64] >> (opcode % 64) & 1)
			continue;
		SCOPED_TRACE(opcode);
		auto command = make_nop();
		command.header.opcode = static_cast<__u16>(opcode);
		const auto bytes = command_list(command).finish();
		expect_fault(program(bytes), {"opcode", {}, {ATOM_FAULT_BAD_OPCODE}, {0}}, ATOM_WHERE_COMMAND, 0);
	}
}
