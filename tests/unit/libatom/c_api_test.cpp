// SPDX-License-Identifier: MIT
// The C interface, on the in-process device: objects, jobs, errors.
#include <cstring>
#include <thread>

#include <poll.h>

#include "atom/hw/fault.h"
#include "c_fixture.hpp"
#include "core/device_monitor.hpp"

namespace atom::test {
namespace {

atom_operand in_slot(std::uint32_t slot, std::initializer_list<std::uint64_t> dims)
{
	auto o = sized<atom_operand>();
	o.dtype = ATOM_DTYPE_F32;
	o.where.slot = slot;
	o.rank = static_cast<std::uint32_t>(dims.size());
	std::copy(dims.begin(), dims.end(), o.dims);
	return o;
}

TEST_F(the_c_interface, multiplies_matrices_in_both_placements)
{
	const atom_operand a = in_slot(1, {2, 3}), b = in_slot(2, {3, 2}), c = in_slot(3, {2, 2});
	atom_commands *multiply =
		commands([&](auto *to) { return atom_builder_gemm(to, &a, &b, &c, nullptr); });
	EXPECT_EQ(atom_commands_argument_count(multiply), 3U);
	EXPECT_EQ(atom_commands_argument_bytes(multiply, 3), 4 * sizeof(float));
	EXPECT_EQ(atom_commands_argument_bytes(multiply, 4), 0U);
	for (const std::uint32_t where : {ATOM_PLACEMENT_SYSTEM, ATOM_PLACEMENT_LOCAL}) {
		atom_buffer *memory = buffer(16 * sizeof(float), where);
		EXPECT_EQ(atom_buffer_size(memory), 16 * sizeof(float));
		EXPECT_NE(atom_buffer_address(memory), 0U);
		for (int i = 0; i < 12; ++i)
			floats(memory)[i] = static_cast<float>(i + 1);
		const atom_view arguments[] = {{memory, 0, 24}, {memory, 24, 24}, {memory, 48, 0}};
		auto job = sized<atom_submission>();
		job.commands = multiply;
		job.arguments = arguments;
		job.argument_count = 3;
		job.cookie = 5;
		auto done = sized<atom_completion>();
		ASSERT_EQ(atom_queue_run(queue, &job, ATOM_NO_DEADLINE, &done), ATOM_OK)
			<< atom_last_error();
		EXPECT_EQ(done.error, ATOM_OK);
		EXPECT_EQ(done.cookie, 5U);
		EXPECT_GE(done.end_ns, done.start_ns);
		const float expected[] = {58, 64, 139, 154};
		EXPECT_EQ(std::memcmp(floats(memory) + 12, expected, sizeof(expected)), 0);
		atom_buffer_destroy(memory);
	}
	atom_commands_destroy(multiply);
}

TEST_F(the_c_interface, keeps_what_a_job_uses_until_the_job_is_done)
{
	const atom_operand out = in_slot(1, {8});
	atom_commands *fill =
		commands([&](auto *to) { return atom_builder_fill(to, &out, 3); });
	atom_buffer *memory = buffer(32);
	const atom_view argument{memory, 0, 0};
	auto job = sized<atom_submission>();
	job.commands = fill;
	job.arguments = &argument;
	job.argument_count = 1;
	std::uint64_t sequence = 0;
	ASSERT_EQ(atom_queue_submit(queue, &job, 1, &sequence), ATOM_OK) << atom_last_error();
	atom_buffer_destroy(memory);
	atom_commands_destroy(fill);
	const atom_fence done{queue, nullptr, sequence};
	EXPECT_EQ(atom_fence_wait(&done, ATOM_NO_DEADLINE, nullptr), ATOM_OK) << atom_last_error();
}

TEST_F(the_c_interface, tells_which_field_of_which_command_was_wrong)
{
	const atom_operand data = in_slot(1, {4, 1}), out = in_slot(3, {1, 1});
	atom_operand index = in_slot(2, {1});
	index.dtype = ATOM_DTYPE_I32;
	atom_commands *gather = commands([&](auto *to) {
		return atom_builder_gather(to, ATOM_GATHER_ROWS, &data, &index, &out, nullptr);
	});
	atom_buffer *memory = buffer(24);
	const std::int32_t wrong = 4;
	std::memcpy(floats(memory) + 4, &wrong, sizeof(wrong));
	const atom_view arguments[] = {{memory, 0, 16}, {memory, 16, 4}, {memory, 20, 4}};
	auto job = sized<atom_submission>();
	job.commands = gather;
	job.arguments = arguments;
	job.argument_count = 3;
	auto done = sized<atom_completion>();
	EXPECT_EQ(atom_queue_run(queue, &job, ATOM_NO_DEADLINE, &done), ATOM_ERROR_JOB_FAULT);
	EXPECT_EQ(done.error, ATOM_ERROR_JOB_FAULT);
	EXPECT_EQ(done.fault.opcode, ATOM_OP_GATHER);
	EXPECT_NE(done.fault.code, 0U);
	EXPECT_NE(std::strstr(atom_last_error(), "GATHER (command 0)"), nullptr) << atom_last_error();
	char words[200];
	EXPECT_GT(atom_completion_text(&done, words, sizeof(words)), 20);
	EXPECT_STREQ(words, atom_last_error());
	char little[5];
	EXPECT_GT(atom_completion_text(&done, little, sizeof(little)), 20);
	EXPECT_EQ(std::string(little), std::string(words, 4));

	auto state = sized<atom_queue_status>();
	ASSERT_EQ(atom_queue_get_status(queue, &state), ATOM_OK);
	EXPECT_EQ(state.faulted, 1U);
	EXPECT_EQ(state.banned, 1U);
	EXPECT_EQ(state.first_failed, done.sequence);
	EXPECT_EQ(atom_queue_submit(queue, &job, 1, nullptr), ATOM_ERROR_QUEUE_BANNED);
	atom_commands_destroy(gather);
	atom_buffer_destroy(memory);
}

TEST_F(the_c_interface, orders_jobs_by_timelines_and_wakes_a_poll)
{
	atom_timeline *timeline = nullptr;
	atom_notifier *notifier = nullptr;
	ASSERT_EQ(atom_timeline_create(&device, &timeline), ATOM_OK);
	ASSERT_EQ(atom_notifier_create(&device, &notifier), ATOM_OK);
	const atom_fence start{nullptr, timeline, 1}, end{nullptr, timeline, 2};
	atom_queue *other = nullptr;
	ASSERT_EQ(atom_queue_create(context, nullptr, &other), ATOM_OK);
	auto first = sized<atom_submission>(), second = first;
	first.signals = &start;
	first.signal_count = 1;
	second.waits = &start;
	second.wait_count = 1;
	second.signals = &end;
	second.signal_count = 1;
	ASSERT_EQ(atom_queue_submit(queue, &first, 1, nullptr), ATOM_OK) << atom_last_error();
	ASSERT_EQ(atom_queue_submit(other, &second, 1, nullptr), ATOM_OK) << atom_last_error();
	ASSERT_EQ(atom_notifier_watch(notifier, &end), ATOM_OK) << atom_last_error();
	pollfd file{atom_notifier_fd(notifier), POLLIN, 0};
	EXPECT_EQ(poll(&file, 1, -1), 1);
	EXPECT_EQ(atom_notifier_clear(notifier), ATOM_OK);
	EXPECT_EQ(atom_fence_ready(&end), 1);
	std::uint64_t value = 0;
	EXPECT_EQ(atom_timeline_get_value(timeline, &value), ATOM_OK);
	EXPECT_EQ(value, 2U);
	EXPECT_EQ(atom_timeline_signal(timeline, 2), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_timeline_signal(timeline, 7), ATOM_OK);
	const atom_fence all[] = {{nullptr, timeline, 8}, {queue, nullptr, 1}, {other, nullptr, 1}};
	std::uint32_t index = 9;
	EXPECT_EQ(atom_wait_any(all, 3, ATOM_NO_DEADLINE, &index), ATOM_OK);
	EXPECT_NE(index, 0U);
	EXPECT_EQ(atom_wait_all(all + 1, 2, ATOM_NO_DEADLINE), ATOM_OK);
	EXPECT_EQ(atom_wait_all(all, 3, 0), ATOM_ERROR_TIMED_OUT);
	EXPECT_EQ(atom_fence_ready(&all[0]), 0);
	atom_queue_destroy(other);
	atom_notifier_destroy(notifier);
	atom_timeline_destroy(timeline);
}

TEST_F(the_c_interface, gives_each_completion_once)
{
	atom_commands *nop = commands([](auto *to) { return atom_builder_nop(to); });
	std::vector<atom_submission> jobs(3, sized<atom_submission>());
	for (std::size_t i = 0; i < jobs.size(); ++i) {
		jobs[i].commands = nop;
		jobs[i].cookie = 10 + i;
	}
	std::uint64_t last = 0;
	ASSERT_EQ(atom_queue_submit(queue, jobs.data(), 3, &last), ATOM_OK) << atom_last_error();
	EXPECT_EQ(last, 3U);
	const atom_fence done{queue, nullptr, last};
	ASSERT_EQ(atom_fence_wait(&done, ATOM_NO_DEADLINE, nullptr), ATOM_OK);
	std::vector<atom_completion> out(4, sized<atom_completion>());
	std::uint32_t count = 0;
	ASSERT_EQ(atom_queue_reap(queue, out.data(), 2, &count), ATOM_OK);
	ASSERT_EQ(count, 2U);
	EXPECT_EQ(out[1].cookie, 11U);
	ASSERT_EQ(atom_queue_reap(queue, out.data(), 4, &count), ATOM_OK);
	ASSERT_EQ(count, 1U);
	EXPECT_EQ(out[0].cookie, 12U);
	std::uint64_t room = 9;
	EXPECT_EQ(atom_queue_room_for(queue, 1, &room), ATOM_OK);
	EXPECT_EQ(room, 0U);
	EXPECT_EQ(atom_queue_room_for(queue, 1U << 30, &room), ATOM_ERROR_TOO_LARGE);
	atom_commands_destroy(nop);
}

TEST_F(the_c_interface, tells_what_the_device_is)
{
	auto info = sized<atom_device_info>();
	ASSERT_EQ(atom_device_get_info(&device, &info), ATOM_OK);
	EXPECT_STREQ(info.path, device.value.info().path.c_str());
	EXPECT_EQ(info.emulated, 1U);
	EXPECT_EQ(info.submit_jobs_max, device.value.info().submit_jobs_max);
	EXPECT_TRUE(info.opcodes[0] >> ATOM_OP_GEMM & 1U);
	auto memory = sized<atom_memory_info>();
	ASSERT_EQ(atom_device_get_memory(&device, &memory), ATOM_OK);
	EXPECT_EQ(memory.local_size, device.value.memory().local_size);
	auto telemetry = sized<atom_telemetry>();
	ASSERT_EQ(atom_device_get_telemetry(&device, &telemetry), ATOM_OK);
	EXPECT_GT(telemetry.temperature_millidegrees, 0);
	auto clock = sized<atom_clock_sample>(), later = clock;
	ASSERT_EQ(atom_device_get_clock(&device, &clock), ATOM_OK);
	ASSERT_EQ(atom_device_get_clock(&device, &later), ATOM_OK);
	EXPECT_GE(later.host_ns, clock.host_ns);
	EXPECT_GE(atom_device_fd(&device), 0);
}

TEST_F(the_c_interface, tells_errors_for_each_thread_and_in_the_words_of_cpp)
{
	atom_buffer *made = nullptr;
	auto options = sized<atom_buffer_options>();
	options.placement = ATOM_PLACEMENT_LOCAL;
	EXPECT_EQ(atom_buffer_create(context, 1ULL << 40, &options, &made),
	          ATOM_ERROR_OUT_OF_DEVICE_MEMORY);
	EXPECT_STREQ(atom_last_error(), "create buffer of 1099511627776 bytes in local memory: out of "
	                                "device memory (No space left on device)");
	EXPECT_EQ(made, nullptr);
	std::thread([] { EXPECT_STREQ(atom_last_error(), ""); }).join();
	EXPECT_STREQ(atom_error_text(ATOM_ERROR_OUT_OF_DEVICE_MEMORY), "out of device memory");
	for (int error = 0; error >= ATOM_ERROR_FORKED_CHILD; --error)
		EXPECT_STRNE(atom_error_text(error), "unknown error") << error;
	EXPECT_STREQ(atom_error_text(ATOM_ERROR_FORKED_CHILD - 1), "unknown error");
	EXPECT_STREQ(atom_error_text(1), "unknown error");
}

TEST_F(the_c_interface, lets_objects_go_in_any_order)
{
	atom_device *own = new atom_device{device};
	atom_context *ctx = nullptr;
	atom_buffer *memory = nullptr;
	atom_queue *q = nullptr;
	atom_builder *builder = nullptr;
	atom_commands *nop = nullptr;
	ASSERT_EQ(atom_context_create(own, &ctx), ATOM_OK);
	atom_device_destroy(own);
	ASSERT_EQ(atom_buffer_create(ctx, 64, nullptr, &memory), ATOM_OK);
	ASSERT_EQ(atom_builder_create(ctx, &builder), ATOM_OK);
	ASSERT_EQ(atom_queue_create(ctx, nullptr, &q), ATOM_OK);
	atom_context_destroy(ctx);
	floats(memory)[0] = 1;
	ASSERT_EQ(atom_builder_nop(builder), ATOM_OK);
	ASSERT_EQ(atom_builder_finish(builder, &nop), ATOM_OK) << atom_last_error();
	auto job = sized<atom_submission>();
	job.commands = nop;
	EXPECT_EQ(atom_queue_run(q, &job, ATOM_NO_DEADLINE, nullptr), ATOM_OK);
	EXPECT_EQ(atom_builder_finish(builder, &nop), ATOM_ERROR_INVALID_ARGUMENT);
	atom_builder_destroy(builder);
	atom_queue_destroy(q);
	atom_commands_destroy(nop);
	atom_buffer_destroy(memory);
}

TEST(the_c_interface_of_the_monitor, tells_of_a_change_also_after_a_mistake)
{
	const auto kernel = std::make_shared<fake_kernel>();
	atom_device_monitor monitor{core::access::wrap(std::make_unique<core::device_monitor>(kernel))};
	kernel->tell({sys::node_event::kind::added, {"/dev/accel/accel2", "0000:05:00.0", 1}, ""});
	atom_device_change sizeless{};
	EXPECT_EQ(atom_device_monitor_next(&monitor, &sizeless), ATOM_ERROR_INVALID_ARGUMENT);
	auto change = sized<atom_device_change>();
	ASSERT_EQ(atom_device_monitor_next(&monitor, &change), 1) << "it was lost to a mistake";
	EXPECT_EQ(change.what, ATOM_DEVICE_ADDED);
	EXPECT_STREQ(change.bdf, "0000:05:00.0");
	EXPECT_EQ(atom_device_monitor_next(&monitor, &change), 0);
}

TEST_F(the_c_interface, tells_of_a_queue_that_failed)
{
	const atom_operand out = in_slot(1, {8});
	atom_commands *fill = commands([&](auto *to) { return atom_builder_fill(to, &out, 3); });
	atom_buffer *memory = buffer(64);
	const atom_view odd{memory, 1, 32};
	auto job = sized<atom_submission>();
	job.commands = fill;
	job.arguments = &odd;
	job.argument_count = 1;
	auto event = sized<atom_device_event>();
	EXPECT_EQ(atom_device_next_event(&device, &event), 0);
	EXPECT_EQ(atom_queue_run(queue, &job, ATOM_NO_DEADLINE, nullptr), ATOM_ERROR_JOB_FAULT);
	pollfd file{atom_device_fd(&device), POLLIN, 0};
	ASSERT_EQ(poll(&file, 1, 60'000), 1);
	atom_device_event sizeless{};
	EXPECT_EQ(atom_device_next_event(&device, &sizeless), ATOM_ERROR_INVALID_ARGUMENT);
	ASSERT_EQ(atom_device_next_event(&device, &event), 1) << "it was lost to a mistake";
	EXPECT_EQ(event.what, ATOM_DEVICE_EVENT_QUEUE_FAULT);
	EXPECT_NE(event.queue_id, 0U);
	EXPECT_EQ(event.queue_id, atom_queue_id(queue));
	EXPECT_EQ(event.faulted, 1U);
	EXPECT_EQ(event.timed_out, 0U);
	EXPECT_EQ(event.first_failed, 1U);
	EXPECT_EQ(event.fault.code, ATOM_FAULT_MISALIGNED);
	EXPECT_EQ(atom_device_next_event(&device, &event), 0);
	EXPECT_EQ(atom_device_next_event(nullptr, &event), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_queue_id(nullptr), 0U);
	atom_buffer_destroy(memory);
	atom_commands_destroy(fill);
}

} // namespace
} // namespace atom::test
