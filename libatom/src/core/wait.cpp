// SPDX-License-Identifier: MIT
#include "core/wait.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <vector>

#include "core/access.hpp"
#include "core/failure.hpp"
#include "core/fence_source.hpp"
#include "core/notifier.hpp"

namespace atom::core {
namespace {

fence_source &source_of(const fence &f) { return *access::source(f); }

/** Fences of one device as the kernel takes them. */
struct group {
	const kmd::node *node = nullptr;
	std::vector<std::uint32_t> handles;
	std::vector<std::uint64_t> points;
	std::vector<std::size_t> indices;
};

// Those that are not known to be ready, by their device.
std::vector<group> groups_of(span<const fence> fences)
{
	std::vector<group> groups;
	for (std::size_t i = 0; i < fences.size(); ++i) {
		fence_source &source = source_of(fences[i]);
		source.dev()->check_process("wait for fences");
		if (source.known(fences[i].point()))
			continue;
		const kmd::node *node = &source.dev()->node();
		auto g = std::find_if(groups.begin(), groups.end(),
		                      [node](const group &o) { return o.node == node; });
		if (g == groups.end())
			g = groups.insert(g, {node, {}, {}, {}});
		g->handles.push_back(source.handle());
		g->points.push_back(fences[i].point());
		g->indices.push_back(i);
	}
	return groups;
}

std::optional<std::size_t> find_reached(span<const fence> fences)
{
	std::exception_ptr failure; // of one; another may be ready all the same
	for (std::size_t i = 0; i < fences.size(); ++i) {
		try {
			if (source_of(fences[i]).reached(fences[i].point()))
				return i;
		} catch (const system_error &) {
			failure = std::current_exception();
		}
	}
	if (failure)
		std::rethrow_exception(failure);
	return std::nullopt;
}

std::optional<std::size_t> find_known(span<const fence> fences)
{
	for (std::size_t i = 0; i < fences.size(); ++i)
		if (source_of(fences[i]).known(fences[i].point()))
			return i;
	return std::nullopt;
}

// No call of the kernel waits for several devices.
std::optional<std::size_t> wait_any_device(span<const fence> fences, deadline until)
{
	notifier news(source_of(fences[0]).dev());
	for (const fence &f : fences)
		news.watch(access::source(f), f.point());
	for (;;) {
		const int ready = news.event().wait(kernel_time(until));
		if (ready < 0)
			fail_errno(-ready, "wait for fences");
		news.clear();
		if (const auto found = find_reached(fences))
			return found;
		if (ready == 0)
			return std::nullopt;
	}
}

} // namespace

std::optional<std::size_t> wait_any(span<const fence> fences, deadline until)
{
	const std::vector<group> groups = groups_of(fences);
	if (const auto found = find_known(fences))
		return found;
	if (groups.size() != 1)
		return wait_any_device(fences, until);
	const group &g = groups.front();
	std::uint32_t first = 0;
	const int error =
		g.node->syncobj_wait(g.handles, g.points, false, kernel_time(until), first);
	if (error == ETIME)
		return std::nullopt;
	if (error == 0 && first < g.indices.size()) {
		const std::size_t index = g.indices[first];
		source_of(fences[index]).note_reached(fences[index].point());
		return index;
	}
	// Where the device is gone the jobs have ended, and their queues know it.
	if (const auto found = find_reached(fences))
		return found;
	fail_errno(error != 0 ? error : EPROTO, "wait for fences");
}

bool wait_all(span<const fence> fences, deadline until)
{
	for (const group &g : groups_of(fences)) {
		std::uint32_t first = 0;
		const int error =
			g.node->syncobj_wait(g.handles, g.points, true, kernel_time(until), first);
		if (error == ETIME)
			return false;
		for (const std::size_t i : g.indices) {
			fence_source &source = source_of(fences[i]);
			if (error == 0)
				source.note_reached(fences[i].point());
			// Where the device is gone the jobs have ended, and their queues know it.
			else if (!source.reached(fences[i].point()))
				fail_errno(error, "wait for fences");
		}
	}
	return true;
}

} // namespace atom::core
