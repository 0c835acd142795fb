// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>

#include "sys/os.hpp"
#include "sys/process.hpp"
#include "sys/udev_nodes.hpp"

namespace atom::sys {
namespace {

std::string owner_name(uid_t uid)
{
	char buffer[4096];
	passwd entry;
	passwd *found = nullptr;
	if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found != nullptr)
		return found->pw_name;
	return std::to_string(uid);
}

std::string group_name(gid_t gid)
{
	char buffer[4096];
	::group entry;
	::group *found = nullptr;
	if (getgrgid_r(gid, &entry, buffer, sizeof(buffer), &found) == 0 && found != nullptr)
		return found->gr_name;
	return std::to_string(gid);
}

class real final : public os {
public:
	int open(const char *path, int flags) override
	{
		for (;;) {
			const int fd = ::open(path, flags | O_CLOEXEC);
			if (fd >= 0)
				return fd;
			if (errno != EINTR)
				return -errno;
		}
	}

	void close(int fd) override { ::close(fd); }

	int ioctl(int fd, unsigned long request, void *argument) override
	{
		return drmIoctl(fd, request, argument) == 0 ? 0 : -errno;
	}

	int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	         void **address) override
	{
		void *p = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd,
		                 static_cast<off_t>(offset));
		if (p == MAP_FAILED) // NOLINT(performance-no-int-to-ptr): the system's macro
			return -errno;
		*address = p;
		return 0;
	}

	void munmap(void *address, std::size_t bytes) override { ::munmap(address, bytes); }

	int read(int fd, void *buffer, std::size_t bytes) override
	{
		for (;;) {
			const ssize_t got = ::read(fd, buffer, bytes);
			if (got >= 0)
				return static_cast<int>(got);
			if (errno != EINTR)
				return -errno;
		}
	}

	int process_id() override { return current_process(); }

	int list_accel_nodes(std::vector<accel_node> &nodes) override
	{
		return list_udev_nodes(nodes);
	}

	int follow_accel_nodes(std::unique_ptr<node_monitor> &out) override
	{
		return follow_udev_nodes(out);
	}

	int make_event(std::unique_ptr<event> &out) override { return make_eventfd(out); }

	void describe_access(const char *path, std::string &access, std::string &group) override
	{
		struct stat status;
		if (stat(path, &status) != 0)
			return;
		char mode[16];
		std::snprintf(mode, sizeof(mode), "%04o",
		              static_cast<unsigned>(status.st_mode & 07777));
		group = group_name(status.st_gid);
		access = "owner " + owner_name(status.st_uid) + ":" + group + " " + mode;
	}
};

} // namespace

std::shared_ptr<os> real_os()
{
	static const std::shared_ptr<os> instance = std::make_shared<real>();
	return instance;
}

} // namespace atom::sys
