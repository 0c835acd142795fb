// SPDX-License-Identifier: MIT
// The real system calls, as far as a machine without a device can show them. ioctl() is
// replaced, so that a signal can be made to interrupt it.
#include <cerrno>
#include <cstdarg>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/process.hpp"
#include "sys/unique_fd.hpp"

namespace {

int interruptions = 0;
int calls = 0;

} // namespace

extern "C" int ioctl(int, unsigned long, ...) noexcept
{
	++calls;
	if (interruptions == 0)
		return 0;
	--interruptions;
	errno = calls % 2 != 0 ? EINTR : EAGAIN;
	return -1;
}

namespace atom::sys {
namespace {

TEST(the_system, restarts_an_ioctl_that_was_interrupted)
{
	interruptions = 3;
	calls = 0;
	EXPECT_EQ(real_os()->ioctl(-1, 0, nullptr), 0);
	EXPECT_EQ(calls, 4);
}

TEST(the_system, opens_files_that_a_child_does_not_inherit)
{
	const auto os = real_os();
	const unique_fd fd(os, os->open("/dev/null", O_RDWR));
	ASSERT_GE(fd.get(), 0);
	EXPECT_EQ(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	EXPECT_EQ(os->open("/no/such/file", O_RDWR), -ENOENT);
}

TEST(the_system, closes_a_file_once_whoever_owned_it)
{
	const auto os = real_os();
	int number = -1;
	{
		unique_fd a(os, os->open("/dev/null", O_RDWR));
		number = a.get();
		unique_fd b(std::move(a));
		a = std::move(b);
		EXPECT_EQ(fcntl(number, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	}
	EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

TEST(the_system, lists_devices_also_where_there_are_none)
{
	std::vector<accel_node> nodes;
	EXPECT_EQ(real_os()->list_accel_nodes(nodes), 0);
}

TEST(the_system, knows_a_forked_child_from_its_parent)
{
	EXPECT_EQ(current_process(), ::getpid());
	EXPECT_EQ(current_process(), real_os()->process_id());
	const pid_t child = ::fork();
	if (child == 0)
		::_exit(current_process() == ::getpid() ? 0 : 1);
	int status = -1;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(current_process(), ::getpid());
}

TEST(the_system, tells_who_may_open_a_file)
{
	std::string access;
	std::string group;
	real_os()->describe_access("/dev/null", access, group);
	EXPECT_EQ(access, "owner root:root 0666");
	EXPECT_EQ(group, "root");
}

} // namespace
} // namespace atom::sys
