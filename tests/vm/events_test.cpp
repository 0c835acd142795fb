// SPDX-License-Identifier: MIT
// Events on the device file: who is told of faults and resets, and what a reader sees.
#include "context.hpp"
#include "machine.hpp"
#include "system.hpp"
#include "trouble.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace vmtest;

namespace {

constexpr std::size_t fault_bytes = sizeof(drm_atom_event_queue_fault);

bool readable(const device &dev, int timeout_ms = 0)
{
	pollfd p{dev.fd(), POLLIN, 0};
	return poll(&p, 1, timeout_ms) == 1 && p.revents & POLLIN;
}

/** What one read() of @p room bytes gives; waits for the first byte. */
std::vector<std::byte> read_some(const device &dev, std::size_t room)
{
	std::vector<std::byte> bytes(room);
	const ssize_t got = system::read(dev.fd(), bytes.data(), room);
	if (got < 0)
		throw std::system_error(errno, std::generic_category(), "read");
	bytes.resize(static_cast<std::size_t>(got));
	return bytes;
}

/** The only event there, which must be of type @p type. */
template <class Event> Event read_event(const device &dev, std::uint32_t type)
{
	Event event{};
	if (!readable(dev, 60'000))
		throw std::runtime_error("there is no event");
	const auto bytes = read_some(dev, 4096);
	if (bytes.size() != sizeof(event))
		throw std::runtime_error("read() gives " + std::to_string(bytes.size()) + " bytes");
	std::memcpy(&event, bytes.data(), sizeof(event));
	if (event.base.type != type || event.base.length != sizeof(event))
		throw std::runtime_error("it is an event of type " + std::to_string(event.base.type));
	return event;
}

drm_atom_event_queue_fault read_fault(const device &dev)
{
	return read_event<drm_atom_event_queue_fault>(dev, DRM_ATOM_EVENT_QUEUE_FAULT);
}

/** A job that reads where nothing is mapped. */
drm_atom_job bad_job(context &c)
{
	return c.job(command_list(make_copy_bytes(c.space.reserve(mib), c.alloc(page).va, 64)));
}

unsigned long dropped(const device &dev)
{
	std::ifstream file("/proc/self/fdinfo/" + std::to_string(dev.fd()));
	for (std::string key; file >> key;)
		if (key == "atom-events-dropped:") {
			unsigned long count = 0;
			file >> count;
			return count;
		}
	throw std::runtime_error("fdinfo does not tell of dropped events");
}

class events : public troubled {};

} // namespace

TEST_F(events, the_driver_says_that_it_sends_them)
{
	EXPECT_TRUE(device().info().kernel_caps & DRM_ATOM_CAP_EVENTS);
}

TEST_F(events, a_fault_is_told_to_the_file_that_owns_the_queue_and_to_no_other)
{
	context c, other;
	const auto state = c.run_failing(bad_job(c));
	const auto event = read_fault(c.dev);
	EXPECT_EQ(event.queue_id, c.q.id());
	EXPECT_EQ(event.flags, DRM_ATOM_QUEUE_STATE_FAULT | DRM_ATOM_QUEUE_STATE_BANNED);
	EXPECT_EQ(event.failed_seqno, state.failed_seqno);
	EXPECT_EQ(event.fault_va, state.fault_va);
	EXPECT_EQ(event.fault_code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(event.fault_command, 0u);
	EXPECT_FALSE(readable(c.dev)) << "it is told twice";
	EXPECT_FALSE(readable(other.dev)) << "others are told of what is not theirs";
}

TEST_F(events, a_job_that_hangs_is_told_when_all_has_ended)
{
	context c(0, {.job_timeout_ms = 300});
	inject("kind=hang,count=1");
	for (int i = 0; i < 3; ++i)
		c.submit(command_list(make_nop()));
	const auto event = read_fault(c.dev);
	EXPECT_TRUE(event.flags & DRM_ATOM_QUEUE_STATE_TIMEDOUT);
	EXPECT_EQ(event.failed_seqno, 1u);
	EXPECT_EQ(event.fault_command, ATOM_COMMAND_NONE);
	EXPECT_EQ(c.timeline.try_wait(c.point, 0), 0) << "it comes before the jobs have ended";
	EXPECT_EQ(c.q.state().completed, 3u) << describe(c.q.state());
}

TEST_F(events, a_reset_of_the_device_is_told_to_every_file)
{
	context c, other;
	const device without_queues;
	break_device();
	for (const device *dev : std::array<const device *, 3>{&c.dev, &other.dev, &without_queues}) {
		const auto event = read_event<drm_atom_event_device_reset>(*dev, DRM_ATOM_EVENT_DEVICE_RESET);
		EXPECT_EQ(event.generation, device_generation());
		EXPECT_EQ(event.pad, 0u);
	}
	EXPECT_FALSE(readable(device())) << "a file that was opened afterwards is told";
	EXPECT_NO_THROW(c.run(command_list(make_nop())));
}

TEST_F(events, a_reader_that_does_not_block_is_told_that_there_is_nothing)
{
	context c;
	ASSERT_EQ(fcntl(c.dev.fd(), F_SETFL, O_RDWR | O_NONBLOCK), 0);
	std::array<std::byte, 256> room{};
	EXPECT_EQ(system::read(c.dev.fd(), room.data(), room.size()), -1);
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_FALSE(readable(c.dev));
	c.run_failing(bad_job(c));
	EXPECT_NO_THROW(read_fault(c.dev));
	EXPECT_EQ(system::read(c.dev.fd(), room.data(), room.size()), -1);
	EXPECT_EQ(errno, EAGAIN);
}

TEST_F(events, a_reader_that_blocks_waits_for_one)
{
	context c;
	std::vector<std::byte> bytes;
	std::thread reader([&] { bytes = read_some(c.dev, 256); });
	pause_ms(100);
	c.run_failing(bad_job(c));
	reader.join();
	EXPECT_EQ(bytes.size(), fault_bytes);
}

TEST_F(events, one_that_does_not_fit_the_buffer_stays_for_the_next_read)
{
	context c;
	const queue second(c.dev, c.space);
	c.run_failing(bad_job(c));
	second.submit(bad_job(c));
	ASSERT_TRUE(eventually([&] { return second.state().flags & DRM_ATOM_QUEUE_STATE_BANNED; }));
	ASSERT_TRUE(eventually([&] { return second.state().completed == 1; }));
	ASSERT_TRUE(readable(c.dev, 60'000));
	pause_ms(200); // the second one is on its way
	EXPECT_EQ(read_some(c.dev, 7).size(), 0u);
	EXPECT_EQ(read_some(c.dev, fault_bytes - 1).size(), 0u);
	EXPECT_EQ(read_some(c.dev, 2 * fault_bytes - 1).size(), fault_bytes) << "a part of an event";
	EXPECT_EQ(read_fault(c.dev).queue_id, second.id());
}

TEST_F(events, a_bad_buffer_loses_none)
{
	context c;
	c.run_failing(bad_job(c));
	ASSERT_TRUE(readable(c.dev, 60'000));
	void *closed = mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(closed, MAP_FAILED);
	EXPECT_EQ(system::read(c.dev.fd(), closed, page), -1);
	EXPECT_EQ(errno, EFAULT);
	munmap(closed, page);
	EXPECT_EQ(read_fault(c.dev).queue_id, c.q.id());
}

TEST_F(events, who_inherits_the_file_reads_the_same_ones)
{
	context c;
	child reader([&] {
		if (read_fault(c.dev).queue_id != c.q.id())
			throw std::runtime_error("another queue");
	});
	c.run_failing(bad_job(c));
	EXPECT_EQ(reader.wait(), 0);
	EXPECT_FALSE(readable(c.dev)) << "each event goes to one reader";
}

TEST_F(events, who_destroys_a_queue_is_told_nothing)
{
	context c(0, {.job_timeout_ms = 60'000});
	inject("kind=hang,count=1");
	c.submit(command_list(make_nop()));
	pause_ms(50);
	c.q.destroy();
	EXPECT_FALSE(readable(c.dev, 300));
}

TEST_F(events, those_without_room_are_dropped_and_counted)
{
	context c;
	constexpr unsigned faults = 130;
	const drm_atom_job bad = bad_job(c);
	for (unsigned i = 0; i < faults; ++i) {
		queue q(c.dev, c.space);
		q.submit(bad);
		ASSERT_TRUE(eventually([&] { return q.state().completed == 1; })) << i;
		ASSERT_TRUE(q.state().flags & DRM_ATOM_QUEUE_STATE_FAULT) << describe(q.state());
	}
	std::size_t kept = 0;
	while (readable(c.dev))
		kept += read_some(c.dev, 4096).size() / fault_bytes;
	EXPECT_LT(kept, faults);
	EXPECT_EQ(kept, 4096 / fault_bytes);
	EXPECT_EQ(kept + dropped(c.dev), faults);
	// There is room again.
	c.run_failing(bad);
	EXPECT_EQ(read_fault(c.dev).queue_id, c.q.id());
}

TEST_F(events, a_file_may_be_closed_with_events_that_nobody_read)
{
	const counters before = read_counters();
	for (int i = 0; i < 20; ++i) {
		context c;
		const queue second(c.dev, c.space), third(c.dev, c.space);
		const drm_atom_job bad = bad_job(c);
		c.run_failing(bad);
		// These are reset while the file is on its way out.
		second.submit(bad);
		third.submit(bad);
	}
	EXPECT_EQ(await_counters(before), "");
}
