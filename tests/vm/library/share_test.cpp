// SPDX-License-Identifier: MIT
// Two programs on the driver share memory, moments and the program's own memory through libatom.
#include "context.hpp"
#include "machine.hpp"

#include "atom/atom.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include <poll.h>

namespace {

constexpr std::uint64_t bytes = 64 << 10;

/** A program: it knows of others only what they give to it. */
struct program {
	atom::device dev = atom::device::open();
	atom::context ctx{dev};
	atom::queue q{ctx};

	atom::command_buffer fill(const atom::buffer &what, std::int64_t with) const
	{
		return atom::command_builder(ctx)
			.fill(atom::tensor(what, atom::dtype::i8, {static_cast<std::int64_t>(bytes)}), with)
			.finish();
	}
};

class sharing_by_the_library : public testing::Test {
protected:
	program one_, other_;
	const vmtest::counters before_ = vmtest::read_counters();
};

bool holds(const atom::mapping &m, int value)
{
	for (const std::byte b : m.bytes())
		if (b != static_cast<std::byte>(value))
			return false;
	return true;
}

} // namespace

TEST_F(sharing_by_the_library, a_buffer_is_seen_by_whom_it_was_given)
{
	for (const atom::placement where : {atom::placement::system, atom::placement::local}) {
		atom::buffer_options options;
		options.placement = where;
		options.shareable = true;
		const atom::buffer mine(one_.ctx, bytes, options);
		const vmtest::unique_fd file(mine.export_dmabuf());
		const atom::buffer theirs = atom::buffer::import_dmabuf(other_.ctx, file.get());
		ASSERT_EQ(theirs.size(), bytes);
		other_.q.run(other_.fill(theirs, 77));
		EXPECT_TRUE(holds(mine.map(), 77));
	}
}

TEST_F(sharing_by_the_library, a_job_waits_for_a_point_that_another_program_signals)
{
	atom::timeline mine(one_.dev);
	const vmtest::unique_fd file(mine.export_fd());
	const atom::timeline theirs = atom::timeline::import_fd(other_.dev, file.get());
	const atom::fence start = mine.at(4);
	atom::submission opens;
	opens.signals = {&start, 1};
	one_.q.submit(opens);
	const atom::fence theirs_start = theirs.at(4);
	atom::submission follows;
	follows.waits = {&theirs_start, 1};
	EXPECT_FALSE(other_.q.run(follows).error);
	EXPECT_EQ(theirs.value(), 4u);
}

TEST_F(sharing_by_the_library, a_sync_file_can_be_polled_and_waited_for)
{
	const vmtest::unique_fd file(one_.q.submit(atom::submission()).export_sync_file());
	pollfd readable{file.get(), POLLIN, 0};
	EXPECT_EQ(poll(&readable, 1, 60'000), 1);
	atom::timeline moments(other_.dev);
	const atom::fence moment = moments.import_sync_file(3, file.get());
	atom::submission follows;
	follows.waits = {&moment, 1};
	EXPECT_FALSE(other_.q.run(follows).error);
}

TEST_F(sharing_by_the_library, the_device_writes_into_memory_of_the_program)
{
	std::vector<std::int8_t> memory(bytes);
	{
		const atom::buffer b = atom::buffer::from_user(one_.ctx, memory.data(), memory.size());
		one_.q.run(one_.fill(b, 55));
		EXPECT_EQ(memory, std::vector<std::int8_t>(bytes, 55));
		const atom::buffer fixed =
			atom::buffer::from_user(one_.ctx, memory.data(), memory.size(), atom::device_access::read_only);
		atom::queue q(one_.ctx);
		std::error_code ec;
		q.run(one_.fill(fixed, 11), atom::no_deadline, ec);
		EXPECT_EQ(ec, atom::errc::job_fault);
	}
	EXPECT_EQ(memory.front(), 55);
	EXPECT_EQ(memory.back(), 55);
}
