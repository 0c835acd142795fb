// SPDX-License-Identifier: MIT
// What the driver tells by read() of the device file, as libatom takes it.
#include <cerrno>
#include <cstring>
#include <vector>

#include "atom/hw/fault.h"
#include "fixture.hpp"
#include "kmd/kmd.hpp"

namespace atom::test {
namespace {

template <class T>
std::vector<std::byte> bytes_of(T event, std::uint32_t type, std::size_t more = 0)
{
	event.base.type = type;
	event.base.length = static_cast<std::uint32_t>(sizeof(event) + more);
	std::vector<std::byte> bytes(sizeof(event) + more, std::byte{0xee});
	std::memcpy(bytes.data(), &event, sizeof(event));
	return bytes;
}

std::vector<std::byte> a_fault(std::uint32_t queue, std::uint32_t flags, std::size_t more = 0)
{
	drm_atom_event_queue_fault e{};
	e.queue_id = queue;
	e.flags = flags;
	e.failed_seqno = 9;
	e.fault_va = 0x1234;
	e.fault_code = ATOM_FAULT_NOT_PRESENT;
	e.fault_command = 3;
	return bytes_of(e, DRM_ATOM_EVENT_QUEUE_FAULT, more);
}

std::vector<std::byte> a_reset(std::uint32_t generation)
{
	drm_atom_event_device_reset e{};
	e.generation = generation;
	return bytes_of(e, DRM_ATOM_EVENT_DEVICE_RESET);
}

/** Of a kind that this library does not know. */
std::vector<std::byte> an_unknown(std::size_t bytes)
{
	std::vector<std::byte> out(bytes);
	const drm_event e{0x8000ff00, static_cast<std::uint32_t>(bytes)};
	std::memcpy(out.data(), &e, sizeof(e));
	return out;
}

class an_event : public on_fake_kernel {};

TEST_F(an_event, of_a_queue_tells_which_and_why)
{
	EXPECT_FALSE(dev.next_event());
	kernel->send(a_fault(5, DRM_ATOM_QUEUE_STATE_FAULT | DRM_ATOM_QUEUE_STATE_BANNED));
	const auto event = dev.next_event();
	ASSERT_TRUE(event);
	EXPECT_EQ(event->what, device_event_kind::queue_fault);
	EXPECT_EQ(event->queue_id, 5U);
	EXPECT_TRUE(event->faulted);
	EXPECT_FALSE(event->timed_out);
	EXPECT_FALSE(event->device_lost);
	EXPECT_EQ(event->first_failed, 9U);
	EXPECT_EQ(event->fault.code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(event->fault.command, 3U);
	EXPECT_EQ(event->fault.address, 0x1234U);
	EXPECT_FALSE(dev.next_event()) << "it is told twice";
	kernel->send(a_fault(5, DRM_ATOM_QUEUE_STATE_TIMEDOUT | DRM_ATOM_QUEUE_STATE_DEVICE_LOST));
	const auto other = dev.next_event();
	ASSERT_TRUE(other);
	EXPECT_TRUE(!other->faulted && other->timed_out && other->device_lost);
}

TEST_F(an_event, is_taken_alone_so_that_the_file_stays_readable)
{
	for (std::uint32_t n = 1; n <= 3; ++n)
		kernel->send(a_reset(n));
	kernel->send(a_fault(1, 0));
	kernel->send(a_reset(4));
	for (std::uint32_t n = 1; n <= 3; ++n) {
		const auto event = dev.next_event();
		ASSERT_TRUE(event);
		EXPECT_EQ(event->what, device_event_kind::device_reset);
		EXPECT_EQ(event->generation, n);
		std::byte none[8];
		EXPECT_EQ(kernel->read(dev.fd(), none, sizeof(none)), 0) << "none is left";
	}
	EXPECT_EQ(dev.next_event()->queue_id, 1U);
	EXPECT_EQ(dev.next_event()->generation, 4U);
	EXPECT_FALSE(dev.next_event());
}

TEST_F(an_event, of_an_unknown_kind_is_passed_over)
{
	kernel->send(an_unknown(8));
	kernel->send(an_unknown(4096));
	kernel->send(a_reset(1));
	kernel->send(an_unknown(24));
	EXPECT_EQ(dev.next_event()->generation, 1U);
	EXPECT_FALSE(dev.next_event());
}

TEST_F(an_event, of_a_newer_driver_is_understood_as_far_as_it_is_known)
{
	kernel->send(a_fault(7, DRM_ATOM_QUEUE_STATE_FAULT, 16));
	EXPECT_EQ(dev.next_event()->queue_id, 7U);
}

TEST_F(an_event, that_contradicts_itself_is_none)
{
	const auto whole = a_fault(7, 0);
	EXPECT_TRUE(kmd::event_of({whole.data(), whole.size()}));
	for (std::size_t cut = 0; cut < whole.size(); ++cut)
		EXPECT_FALSE(kmd::event_of({whole.data(), cut})) << cut;
	for (const std::uint32_t length : {0U, 7U, 8U, 39U, 41U, ~0U}) {
		auto wrong = whole;
		std::memcpy(wrong.data() + offsetof(drm_event, length), &length, sizeof(length));
		EXPECT_FALSE(kmd::event_of({wrong.data(), wrong.size()})) << length;
	}
}

TEST_F(an_event, that_cannot_be_read_is_an_error)
{
	kernel->read_error = EIO;
	std::error_code ec;
	EXPECT_FALSE(dev.next_event(ec));
	EXPECT_EQ(ec, errc::device_lost);
	kernel->read_error = 0;
	kernel->pid = 101;
	EXPECT_FALSE(dev.next_event(ec));
	EXPECT_EQ(ec, errc::forked_child);
	EXPECT_FALSE(device().next_event(ec));
	EXPECT_EQ(ec, errc::invalid_argument);
}

TEST_F(an_event, needs_a_driver_that_sends_them)
{
	kernel->info.kernel_caps = 0;
	std::error_code ec;
	EXPECT_FALSE(open_device(kernel).next_event(ec));
	EXPECT_EQ(ec, errc::unsupported);
}

TEST_F(an_event, knows_its_queue_by_a_number_of_its_own)
{
	const queue one(ctx), two(ctx);
	EXPECT_NE(one.id(), 0U);
	EXPECT_NE(one.id(), two.id());
	EXPECT_NE(error_of(errc::invalid_argument, [] { (void)queue().id(); }), "");
}

} // namespace
} // namespace atom::test
