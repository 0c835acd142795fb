// SPDX-License-Identifier: MIT
// Two processes on the driver share memory and moments by nothing but the C interface and files.
#include "context.hpp"
#include "machine.hpp"
#include "share_file.hpp"
#include "system.hpp"

#include "atom/atom.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

using namespace vmtest;

namespace {

constexpr std::uint64_t bytes = 64 << 10;

void good(int result)
{
	if (result < 0)
		throw std::runtime_error(atom_last_error());
}

template <class T>
T sized()
{
	T t{};
	t.size = sizeof(T);
	return t;
}

/** A program in C. */
struct c_program {
	atom_device *device = nullptr;
	atom_context *context = nullptr;
	atom_queue *queue = nullptr;

	c_program()
	{
		good(atom_device_open(nullptr, &device));
		good(atom_context_create(device, &context));
		good(atom_queue_create(context, nullptr, &queue));
	}
	~c_program()
	{
		atom_queue_destroy(queue);
		atom_context_destroy(context);
		atom_device_destroy(device);
	}
	c_program(const c_program &) = delete;
	c_program &operator=(const c_program &) = delete;

	/** Has the device write @p with everywhere in @p where. */
	int fill(atom_buffer *where, std::int64_t with) const
	{
		atom_builder *builder = nullptr;
		atom_commands *commands = nullptr;
		auto out = sized<atom_operand>();
		out.dtype = ATOM_DTYPE_I8;
		out.where.buffer = where;
		out.rank = 1;
		out.dims[0] = bytes;
		good(atom_builder_create(context, &builder));
		good(atom_builder_fill(builder, &out, static_cast<double>(with)));
		good(atom_builder_finish(builder, &commands));
		atom_builder_destroy(builder);
		auto job = sized<atom_submission>();
		job.commands = commands;
		const int result = atom_queue_run(queue, &job, ATOM_NO_DEADLINE, nullptr);
		atom_commands_destroy(commands);
		return result;
	}
};

class sharing_by_the_c_interface : public testing::Test {
protected:
	void SetUp() override
	{
		ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets_), 0);
		ours_ = unique_fd(sockets_[0]);
		theirs_ = unique_fd(sockets_[1]);
	}
	void TearDown() override { EXPECT_EQ(await_counters(before_), ""); }

	unique_fd ours_, theirs_;

private:
	const counters before_ = read_counters();
	int sockets_[2] = {-1, -1};
};

} // namespace

TEST_F(sharing_by_the_c_interface, a_process_fills_the_buffer_of_another_and_signals_its_timeline)
{
	child other([&] {
		const unique_fd memory = receive_file(theirs_.get()), moments = receive_file(theirs_.get());
		const c_program p;
		atom_buffer *buffer = nullptr;
		atom_timeline *timeline = nullptr;
		good(atom_buffer_import(p.context, memory.get(), &buffer));
		good(atom_timeline_import(p.device, moments.get(), &timeline));
		if (atom_buffer_placement(buffer) != ATOM_PLACEMENT_LOCAL || atom_buffer_size(buffer) != bytes)
			throw std::runtime_error("it is another buffer");
		good(p.fill(buffer, 77));
		good(atom_timeline_signal(timeline, 4));
		atom_timeline_destroy(timeline);
		atom_buffer_destroy(buffer);
	});
	const c_program p;
	auto options = sized<atom_buffer_options>();
	options.placement = ATOM_PLACEMENT_LOCAL;
	options.shareable = 1;
	atom_buffer *buffer = nullptr;
	atom_timeline *timeline = nullptr;
	good(atom_buffer_create(p.context, bytes, &options, &buffer));
	good(atom_timeline_create(p.device, &timeline));
	int memory = -1, moments = -1;
	good(atom_buffer_export(buffer, &memory));
	const unique_fd memory_file(memory);
	good(atom_timeline_export(timeline, &moments));
	const unique_fd moments_file(moments);
	send_file(ours_.get(), memory);
	send_file(ours_.get(), moments);
	const atom_fence filled{nullptr, timeline, 4};
	EXPECT_EQ(other.wait(), 0);
	EXPECT_EQ(atom_fence_ready(&filled), 1) << atom_last_error();
	void *address = nullptr;
	good(atom_buffer_map(buffer, &address));
	EXPECT_EQ(atom_buffer_begin_cpu(buffer, ATOM_CPU_READ), ATOM_OK);
	const auto *seen = static_cast<const std::int8_t *>(address);
	EXPECT_TRUE(std::all_of(seen, seen + bytes, [](std::int8_t b) { return b == 77; }));
	EXPECT_EQ(atom_buffer_end_cpu(buffer, ATOM_CPU_READ), ATOM_OK);
	atom_timeline_destroy(timeline);
	atom_buffer_destroy(buffer);
}

TEST_F(sharing_by_the_c_interface, the_end_of_a_job_is_a_file_that_can_be_polled_and_waited_for)
{
	const c_program one, other;
	auto job = sized<atom_submission>();
	atom_fence done{one.queue, nullptr, 0};
	good(atom_queue_submit(one.queue, &job, 1, &done.point));
	int file = -1;
	good(atom_fence_export_sync_file(&done, &file));
	const unique_fd sync_file(file);
	pollfd readable{file, POLLIN, 0};
	EXPECT_EQ(poll(&readable, 1, 60'000), 1);
	atom_timeline *moments = nullptr;
	good(atom_timeline_create(other.device, &moments));
	good(atom_timeline_import_sync_file(moments, 3, file));
	const atom_fence moment{nullptr, moments, 3};
	job.waits = &moment;
	job.wait_count = 1;
	EXPECT_EQ(atom_queue_run(other.queue, &job, ATOM_NO_DEADLINE, nullptr), ATOM_OK) << atom_last_error();
	atom_timeline_destroy(moments);
}

TEST_F(sharing_by_the_c_interface, the_device_writes_memory_of_the_program_unless_it_is_told_not_to)
{
	const c_program p;
	std::vector<std::int8_t> memory(bytes);
	atom_buffer *buffer = nullptr;
	good(atom_buffer_from_user(p.context, memory.data(), bytes, nullptr, &buffer));
	good(p.fill(buffer, 55));
	EXPECT_EQ(memory, std::vector<std::int8_t>(bytes, 55));
	atom_buffer_destroy(buffer);
	auto options = sized<atom_user_memory_options>();
	options.read_only = 1;
	good(atom_buffer_from_user(p.context, memory.data(), bytes, &options, &buffer));
	EXPECT_EQ(p.fill(buffer, 11), ATOM_ERROR_JOB_FAULT);
	EXPECT_EQ(memory.front(), 55);
	atom_buffer_destroy(buffer);
	EXPECT_EQ(atom_buffer_import(p.context, ours_.get(), &buffer), ATOM_ERROR_INVALID_ARGUMENT)
		<< "a socket is no dma-buf";
}
