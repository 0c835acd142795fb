// SPDX-License-Identifier: MIT
#include "core/device.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fcntl.h>

#include "atom/hw/regs.h"
#include "core/failure.hpp"

namespace atom::core {
namespace {

constexpr int driver_major = 1;

[[noreturn]] void fail_open(sys::os &system, const std::string &path, int error)
{
	const std::string what = "open " + path + ": ";
	switch (error) {
	case EACCES:
	case EPERM: {
		std::string access;
		std::string group;
		system.describe_access(path.c_str(), access, group);
		fail(errc::permission_denied,
		     what + "permission denied" +
		             (access.empty()
		                      ? ""
		                      : " (" + access + "; add user to group " + group + ")"));
	}
	case ENOENT:
	case ENODEV:
	case ENXIO:
		fail(errc::no_device, what + "no such device: " + system.remedy());
	default:
		fail_errno(error, "open " + path);
	}
}

[[noreturn]] void fail_not_found(const sys::os &system, const std::vector<device_node> &nodes,
                                 std::string_view which)
{
	if (nodes.empty())
		fail(errc::no_device, "no ATOM device found: " + system.remedy());
	std::string what = "no ATOM device \"" + std::string(which) + "\"; there is";
	for (const device_node &n : nodes)
		what += (n.index == 0 ? " " : ", ") + std::to_string(n.index) + " (" + n.path +
		        (n.bdf.empty() ? "" : ", " + n.bdf) + ")";
	fail(errc::no_device, what);
}

bool is_number(std::string_view text, unsigned &value)
{
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	return error == std::errc() && end == text.data() + text.size();
}

// A path is opened as given, also if enumeration does not list it: the driver's name decides.
device_node find(sys::os &system, std::string_view which)
{
	if (which.empty())
		fail(errc::invalid_argument,
		     "open device: the name is empty; give a path, a PCI address or an index");
	const std::vector<device_node> nodes = enumerate(system);
	unsigned index = 0;
	const bool number = is_number(which, index);
	const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const device_node &n) {
		return number ? n.index == index
		              : n.path == which || n.bdf == which ||
		                        n.bdf == "0000:" + std::string(which);
	});
	if (found != nodes.end())
		return *found;
	if (which.front() != '/')
		fail_not_found(system, nodes, which);
	device_node plain;
	plain.path = which;
	return plain;
}

} // namespace

std::vector<device_node> enumerate(sys::os &system)
{
	std::vector<sys::accel_node> found;
	if (const int error = system.list_accel_nodes(found); error < 0)
		fail_errno(-error, "enumerate ATOM devices");
	std::vector<device_node> nodes;
	nodes.reserve(found.size());
	for (sys::accel_node &n : found)
		nodes.push_back({static_cast<unsigned>(nodes.size()), std::move(n.path),
		                 std::move(n.bdf), n.numa_node});
	return nodes;
}

device::device(kmd::node node, device_info info)
	: node_(std::move(node)), info_(std::move(info)), process_(node_.system().process_id())
{
}

std::shared_ptr<device> device::open(const std::shared_ptr<sys::os> &system, std::string_view which)
{
	const device_node place = find(*system, which);
	const int fd = system->open(place.path.c_str(), O_RDWR | O_NONBLOCK);
	if (fd < 0)
		fail_open(*system, place.path, -fd);
	kmd::node node(sys::unique_fd(system, fd));

	kmd::driver_version driver;
	if (node.version(driver) != 0 || driver.name != "atom_npu")
		fail(errc::no_device, "open " + place.path + ": it is not an ATOM device");
	if (driver.major != driver_major)
		fail(errc::incompatible_kernel,
		     "open " + place.path + ": driver atom_npu has version " +
		             std::to_string(driver.major) + ", this library needs " +
		             std::to_string(driver_major) + ": update the older of the two");

	device_info info;
	if (const int error = node.query_info(info))
		fail_errno(error, "open " + place.path + ": query device");
	if (info.interface_major != ATOM_INTERFACE_MAJOR)
		fail(errc::incompatible_kernel,
		     "open " + place.path + ": the device speaks interface " +
		             std::to_string(info.interface_major) + ", this library needs " +
		             std::to_string(ATOM_INTERFACE_MAJOR));
	info.path = place.path;
	info.bdf = place.bdf;
	info.numa_node = place.numa_node;
	info.driver_version = std::to_string(driver.major) + "." + std::to_string(driver.minor) +
	                      "." + std::to_string(driver.patch);
	return std::shared_ptr<device>(new device(std::move(node), std::move(info)));
}

std::optional<device_event> device::next_event()
{
	check_process("take device event");
	if (!kmd::node::has_events(info_))
		fail(errc::unsupported,
		     "take device event: the driver of " + info_.path + " sends none: update it");
	const std::lock_guard lock(events_mutex_);
	std::optional<device_event> event;
	check(node_.next_event(event), "take device event");
	return event;
}

void device::set_log_sink(log_sink sink, log_level up_to)
{
	check_process("set log sink");
	log_.set(std::move(sink), up_to);
}

void device::check_process(const char *operation) const
{
	if (!owned())
		fail(errc::forked_child,
		     std::string(operation) + ": the device was opened by the parent process; open "
		                              "it again in this one");
}

} // namespace atom::core
