// SPDX-License-Identifier: MIT
#include "sys/udev_nodes.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>
#include <string_view>

#include <libudev.h>
#include <unistd.h>

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
using udev_monitor_ptr = std::unique_ptr<udev_monitor, call<udev_monitor_unref>>;

constexpr const char *driver_name = "atom_npu";
constexpr const char *subsystem = "accel";
// Where udevd can be reached. Without it (in a container, in an initramfs) the kernel is listened
// to.
constexpr const char *udevd_socket = "/run/udev/control";

// Whether the node is one of ours; then what is known of it.
bool read_node(udev_device *node, accel_node &found)
{
	const char *path = udev_device_get_devnode(node);
	// The nearest parent on the PCI bus; owned by the child.
	udev_device *pci = udev_device_get_parent_with_subsystem_devtype(node, "pci", nullptr);
	if (path == nullptr || pci == nullptr)
		return false;
	const char *driver = udev_device_get_driver(pci);
	if (driver == nullptr || std::strcmp(driver, driver_name) != 0)
		return false;
	found.path = path;
	if (const char *name = udev_device_get_sysname(pci))
		found.bdf = name;
	if (const char *numa = udev_device_get_sysattr_value(pci, "numa_node"))
		std::from_chars(numa, numa + std::strlen(numa), found.numa_node);
	return true;
}

class udev_node_monitor final : public node_monitor {
public:
	int start()
	{
		context_.reset(udev_new());
		if (!context_)
			return -ENOMEM;
		const bool has_udevd = ::access(udevd_socket, F_OK) == 0;
		monitor_.reset(udev_monitor_new_from_netlink(context_.get(),
		                                             has_udevd ? "udev" : "kernel"));
		if (!monitor_)
			return errno != 0 ? -errno : -ENOMEM;
		const int error = udev_monitor_filter_add_match_subsystem_devtype(
			monitor_.get(), subsystem, nullptr);
		return error < 0 ? error : udev_monitor_enable_receiving(monitor_.get());
	}

	[[nodiscard]] int fd() const override { return udev_monitor_get_fd(monitor_.get()); }

	int next(node_event &out) override
	{
		for (;;) {
			errno = 0;
			const udev_device_ptr node(udev_monitor_receive_device(monitor_.get()));
			if (!node) {
				// It passes over messages that are not for us, and tells so by
				// EAGAIN too.
				return errno == 0 || errno == EAGAIN || errno == EINTR ? 0 : -errno;
			}
			if (read(node.get(), out))
				return 1;
		}
	}

private:
	static bool read(udev_device *node, node_event &out)
	{
		const char *action = udev_device_get_action(node);
		const std::string_view done = action != nullptr ? action : "";
		out = {};
		if (done == "remove") {
			// sysfs has forgotten it: the path is all that is left.
			const char *path = udev_device_get_devnode(node);
			out.what = node_event::kind::removed;
			out.node.path = path != nullptr ? path : "";
			return path != nullptr;
		}
		if (done != "add" && done != "change")
			return false;
		out.what = done == "add" ? node_event::kind::added : node_event::kind::changed;
		if (const char *remedies = udev_device_get_property_value(node, "WEDGED"))
			out.wedged = remedies;
		return read_node(node, out.node);
	}

	udev_ptr context_;
	udev_monitor_ptr monitor_;
};

} // namespace

int list_udev_nodes(std::vector<accel_node> &nodes)
{
	const udev_ptr context(udev_new());
	if (!context)
		return -ENOMEM;
	const enumerate_ptr scan(udev_enumerate_new(context.get()));
	if (!scan)
		return -ENOMEM;
	int error = udev_enumerate_add_match_subsystem(scan.get(), subsystem);
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
		accel_node found;
		if (node && read_node(node.get(), found))
			nodes.push_back(std::move(found));
	}
	std::sort(nodes.begin(), nodes.end(), [](const accel_node &a, const accel_node &b) {
		return before(a.path, b.path);
	});
	return 0;
}

int follow_udev_nodes(std::unique_ptr<node_monitor> &out)
{
	auto made = std::unique_ptr<udev_node_monitor>(new (std::nothrow) udev_node_monitor);
	if (!made)
		return -ENOMEM;
	if (const int error = made->start(); error < 0)
		return error;
	out = std::move(made);
	return 0;
}

} // namespace atom::sys
