// SPDX-License-Identifier: MIT
#include <cerrno>
#include <set>

#include "fixture.hpp"

namespace atom::test {
namespace {

class a_device : public on_fake_kernel {};

TEST_F(a_device, can_be_opened_by_index_path_and_pci_address)
{
	kernel->nodes.push_back({"/dev/accel/accel1", "0000:02:00.0", 1});
	EXPECT_EQ(open_device(kernel, "1").info().bdf, "0000:02:00.0");
	EXPECT_EQ(open_device(kernel, "/dev/accel/accel1").info().numa_node, 1);
	EXPECT_EQ(open_device(kernel, "0000:02:00.0").info().path, "/dev/accel/accel1");
	EXPECT_EQ(open_device(kernel, "02:00.0").info().path, "/dev/accel/accel1");
}

TEST_F(a_device, tells_what_the_driver_says)
{
	const device_info &i = dev.info();
	EXPECT_EQ(i.interface_major, 1U);
	EXPECT_EQ(i.driver_version, "1.0.0");
	EXPECT_EQ(i.engines, 8U);
	EXPECT_EQ(i.job_timeout, std::chrono::seconds(1));
	EXPECT_TRUE(i.emulated);
	EXPECT_TRUE(i.has_opcode(0x20));
	EXPECT_TRUE(i.has_dtype(dtype::bf16));
	EXPECT_EQ(dev.memory().local_size, 1ULL << 30);
	EXPECT_EQ(dev.read_telemetry().temperature_millidegrees, 41500);
}

TEST_F(a_device, translates_its_clock_to_the_hosts)
{
	const clock_sample c = dev.clock();
	EXPECT_EQ(c.host.time_since_epoch(), std::chrono::nanoseconds(c.device_ns + 500));
	EXPECT_EQ(c.to_host(c.device_ns + 7) - c.host, std::chrono::nanoseconds(7));
	EXPECT_EQ(c.to_host(c.device_ns - 7) - c.host, std::chrono::nanoseconds(-7));
	clock_sample strange; // what a kernel should never say
	strange.host = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(INT64_MAX));
	EXPECT_EQ(strange.to_host(1).time_since_epoch().count(), INT64_MIN);
}

TEST_F(a_device, stays_open_as_long_as_something_made_from_it_lives)
{
	{
		const buffer b(ctx, 64);
		ctx = {};
		dev = {};
		EXPECT_EQ(kernel->open_files(), 1U);
		EXPECT_EQ(b.size(), 64U);
	}
	EXPECT_EQ(kernel->open_files(), 0U);
	EXPECT_EQ(kernel->objects(), 0U);
}

TEST_F(a_device, that_is_missing_is_told_with_the_remedy)
{
	kernel->nodes.clear();
	EXPECT_EQ(error_of(errc::no_device, [&] { (void)open_device(kernel); }),
	          "no ATOM device found: is the module atom_npu loaded?");
	EXPECT_EQ(
		error_of(errc::no_device, [&] { (void)open_device(kernel, "/dev/accel/accel9"); }),
		"open /dev/accel/accel9: no such device: is the module atom_npu loaded?");
}

TEST_F(a_device, with_a_wrong_index_is_told_with_those_that_exist)
{
	EXPECT_EQ(error_of(errc::no_device, [&] { (void)open_device(kernel, "3"); }),
	          "no ATOM device \"3\"; there is 0 (/dev/accel/accel0, 0000:01:00.0)");
}

TEST_F(a_device, without_permission_is_told_with_owner_and_group)
{
	kernel->open_error = EACCES;
	EXPECT_EQ(error_of(errc::permission_denied, [&] { (void)open_device(kernel); }),
	          "open /dev/accel/accel0: permission denied "
	          "(owner root:render 0660; add user to group render)");
}

TEST_F(a_device, of_another_driver_is_refused)
{
	kernel->driver_name = "ivpu";
	EXPECT_EQ(error_of(errc::no_device, [&] { (void)open_device(kernel); }),
	          "open /dev/accel/accel0: it is not an ATOM device");
	EXPECT_EQ(kernel->open_files(), 1U) << "the refused file must be closed";
}

TEST_F(a_device, of_another_major_version_is_refused)
{
	kernel->driver_major = 2;
	error_of(errc::incompatible_kernel, [&] { (void)open_device(kernel); });
	kernel->driver_major = 1;
	kernel->info.interface_version = 2U << 16;
	error_of(errc::incompatible_kernel, [&] { (void)open_device(kernel); });
}

TEST_F(a_device, with_an_empty_name_is_refused)
{
	error_of(errc::invalid_argument, [&] { (void)open_device(kernel, ""); });
}

TEST_F(a_device, that_is_gone_says_so)
{
	kernel->unplug();
	std::error_code ec;
	(void)dev.clock(ec);
	EXPECT_EQ(ec, errc::device_lost);
	EXPECT_EQ(ec, std::errc::no_such_device);
	EXPECT_FALSE(context::create(dev, ec));
	EXPECT_EQ(ec, errc::device_lost);
}

TEST_F(a_device, can_be_opened_again_after_a_failure)
{
	kernel->fail(number(DRM_IOCTL_ATOM_DEV_QUERY), ENOMEM);
	error_of(errc::out_of_host_memory, [&] { (void)open_device(kernel); });
	EXPECT_TRUE(open_device(kernel));
}

TEST(an_empty_handle, fails_with_a_clear_error)
{
	error_of(errc::invalid_argument, [] { (void)device().info(); });
	error_of(errc::invalid_argument, [] { (void)context(device()); });
	error_of(errc::invalid_argument, [] { (void)context().device(); });
	error_of(errc::invalid_argument, [] { (void)buffer(context(), 64); });
	error_of(errc::invalid_argument, [] { (void)buffer_view().map(); });
	error_of(errc::invalid_argument, [] { (void)queue(context()); });
	error_of(errc::invalid_argument, [] { (void)fence().ready(); });
	error_of(errc::invalid_argument, [] { (void)timeline().value(); });
	error_of(errc::invalid_argument, [] { (void)timeline(device()); });
	error_of(errc::invalid_argument, [] { command_builder{context()}; });
	std::error_code ec;
	queue none;
	(void)none.submit(submission(), ec);
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_EQ(command_buffer().bytes().size(), 0U);
}

TEST(error_codes, compare_equal_to_the_standard_conditions)
{
	EXPECT_EQ(make_error_code(errc::timed_out), std::errc::timed_out);
	EXPECT_EQ(make_error_code(errc::job_timed_out), std::errc::timed_out);
	EXPECT_EQ(make_error_code(errc::permission_denied), std::errc::permission_denied);
	EXPECT_EQ(make_error_code(errc::out_of_host_memory), std::errc::not_enough_memory);
	EXPECT_EQ(make_error_code(errc::canceled), std::errc::operation_canceled);
	EXPECT_NE(make_error_code(errc::job_fault), std::errc::timed_out);
}

TEST(error_codes, each_have_a_message_of_their_own)
{
	std::set<std::string> messages;
	for (int i = 1; i <= static_cast<int>(errc::forked_child); ++i) {
		const std::string m = make_error_code(static_cast<errc>(i)).message();
		EXPECT_EQ(m.find("unknown"), std::string::npos) << i;
		messages.insert(m);
	}
	EXPECT_EQ(messages.size(), static_cast<std::size_t>(errc::forked_child));
}

} // namespace
} // namespace atom::test
