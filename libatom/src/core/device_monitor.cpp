// SPDX-License-Identifier: MIT
#include "core/device_monitor.hpp"

#include <algorithm>

#include "core/device.hpp"
#include "core/failure.hpp"

namespace atom::core {

device_monitor::device_monitor(std::shared_ptr<sys::os> system) : os_(std::move(system))
{
	// First listen, then look: what comes in between is told by both, and told on once.
	check(-os_->follow_accel_nodes(source_), "follow ATOM devices");
	devices_ = enumerate(*os_);
}

std::optional<device_change> device_monitor::next()
{
	sys::node_event event;
	for (;;) {
		const int got = source_->next(event);
		if (got < 0)
			fail_errno(-got, "follow ATOM devices");
		if (got == 0)
			return std::nullopt;
		if (auto change = apply(event))
			return change;
	}
}

std::optional<device_change> device_monitor::apply(const sys::node_event &event)
{
	auto place = find(event.node.path);
	const bool known = place != devices_.end() && place->path == event.node.path;
	if (event.what == sys::node_event::kind::removed) {
		if (!known) // of another driver, or gone before it was looked for
			return std::nullopt;
		device_change change{device_change_kind::removed, std::move(*place), {}};
		change.device.index = 0;
		number_from(devices_.erase(place));
		return change;
	}
	const device_node node{0, event.node.path, event.node.bdf, event.node.numa_node};
	if (!known) {
		// Told also for a change: the kernel may have dropped what came before.
		place = devices_.insert(place, node);
		number_from(place);
		return device_change{device_change_kind::added, *place, {}};
	}
	if (event.what == sys::node_event::kind::added)
		return std::nullopt;
	return device_change{event.wedged.empty() ? device_change_kind::changed
	                                          : device_change_kind::wedged,
	                     *place, event.wedged};
}

std::vector<device_node>::iterator device_monitor::find(const std::string &path)
{
	return std::lower_bound(
		devices_.begin(), devices_.end(), path,
		[](const device_node &n, const std::string &p) { return sys::before(n.path, p); });
}

void device_monitor::number_from(std::vector<device_node>::iterator first)
{
	for (; first != devices_.end(); ++first)
		first->index = static_cast<unsigned>(first - devices_.begin());
}

} // namespace atom::core
