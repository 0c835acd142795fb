// SPDX-License-Identifier: MIT
#include "sys/os.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <libudev.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>

namespace atom::sys {
namespace {

template <auto Function>
struct call {
	template <class T>
	void operator()(T *object) const
	{
		Function(object);
	}
};
using udev_ptr = std::unique_ptr<udev, call<udev_unref>>;
using enumerate_ptr = std::unique_ptr<udev_enumerate, call<udev_enumerate_unref>>;
using udev_device_ptr = std::unique_ptr<udev_device, call<udev_device_unref>>;

constexpr const char *driver_name = "atom_npu";

// The nearest parent on the PCI bus; owned by the child.
udev_device *pci_parent(udev_device *node)
{
	return udev_device_get_parent_with_subsystem_devtype(node, "pci", nullptr);
}

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

	int process_id() override { return ::getpid(); }

	int list_accel_nodes(std::vector<accel_node> &nodes) override
	{
		const udev_ptr context(udev_new());
		if (!context)
			return -ENOMEM;
		const enumerate_ptr scan(udev_enumerate_new(context.get()));
		if (!scan)
			return -ENOMEM;
		int error = udev_enumerate_add_match_subsystem(scan.get(), "accel");
		if (error >= 0)
			error = udev_enumerate_scan_devices(scan.get());
		if (error == -ENOENT) // no such class: the kernel has no accel devices
			return 0;
		if (error < 0)
			return error;
		udev_list_entry *entry = nullptr;
		udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(scan.get()))
		{
			const udev_device_ptr node(udev_device_new_from_syspath(
				context.get(), udev_list_entry_get_name(entry)));
			if (node)
				add(nodes, node.get());
		}
		std::sort(nodes.begin(), nodes.end(), [](const accel_node &a, const accel_node &b) {
			return a.path.size() != b.path.size() ? a.path.size() < b.path.size()
			                                      : a.path < b.path;
		});
		return 0;
	}

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

private:
	static void add(std::vector<accel_node> &nodes, udev_device *node)
	{
		const char *path = udev_device_get_devnode(node);
		udev_device *pci = pci_parent(node);
		if (path == nullptr || pci == nullptr)
			return;
		const char *driver = udev_device_get_driver(pci);
		if (driver == nullptr || std::strcmp(driver, driver_name) != 0)
			return;
		accel_node found;
		found.path = path;
		if (const char *name = udev_device_get_sysname(pci))
			found.bdf = name;
		if (const char *numa = udev_device_get_sysattr_value(pci, "numa_node"))
			std::from_chars(numa, numa + std::strlen(numa), found.numa_node);
		nodes.push_back(std::move(found));
	}
};

} // namespace

std::shared_ptr<os> real_os()
{
	static const std::shared_ptr<os> instance = std::make_shared<real>();
	return instance;
}

} // namespace atom::sys
