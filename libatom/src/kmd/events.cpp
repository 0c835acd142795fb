// SPDX-License-Identifier: MIT
// What the driver tells of its own accord, by read() of the device file.
#include <array>
#include <cerrno>
#include <cstring>

#include <drm/atom_accel.h>

#include "kmd/kmd.hpp"

namespace atom::kmd {
namespace {

/** As the file has it; false if there are fewer bytes. */
template <class T>
bool copy(span<const std::byte> bytes, T &to)
{
	if (bytes.size() < sizeof(to))
		return false;
	std::memcpy(&to, bytes.data(), sizeof(to));
	return true;
}

} // namespace

bool node::has_events(const device_info &info)
{
	return (info.kernel_caps & DRM_ATOM_CAP_EVENTS) != 0;
}

std::optional<device_event> event_of(span<const std::byte> bytes)
{
	drm_event header{};
	if (!copy(bytes, header) || header.length < sizeof(header) || header.length > bytes.size())
		return std::nullopt;
	bytes = bytes.subspan(0, header.length); // newer drivers may tell more
	device_event out;
	drm_atom_event_queue_fault fault{};
	drm_atom_event_device_reset reset{};
	if (header.type == DRM_ATOM_EVENT_QUEUE_FAULT && copy(bytes, fault)) {
		out.what = device_event_kind::queue_fault;
		out.queue_id = fault.queue_id;
		out.faulted = (fault.flags & DRM_ATOM_QUEUE_STATE_FAULT) != 0;
		out.timed_out = (fault.flags & DRM_ATOM_QUEUE_STATE_TIMEDOUT) != 0;
		out.device_lost = (fault.flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST) != 0;
		out.first_failed = fault.failed_seqno;
		out.fault.code = static_cast<std::uint16_t>(fault.fault_code);
		out.fault.command = fault.fault_command;
		out.fault.address = fault.fault_va;
		return out;
	}
	if (header.type == DRM_ATOM_EVENT_DEVICE_RESET && copy(bytes, reset)) {
		out.what = device_event_kind::device_reset;
		out.generation = reset.generation;
		return out;
	}
	return std::nullopt;
}

int node::next_event(std::optional<device_event> &out) const
{
	// DRM gives as many whole events as there is room for, and keeps one that does not fit. The
	// file must stay readable while there are more: so room is offered for the smallest event
	// first, and never for two.
	constexpr std::size_t step = 8; // events are made of 64-bit words
	constexpr std::size_t largest = 4096;
	alignas(8) std::array<std::byte, largest> bytes{};
	for (std::size_t room = step; room <= largest;) {
		const int got = fd_.system().read(fd_.get(), bytes.data(), room);
		if (got == -EAGAIN)
			break;
		if (got < 0)
			return -got;
		if (got == 0) {
			room += step;
			continue;
		}
		out = event_of({bytes.data(), static_cast<std::size_t>(got)});
		if (out)
			return 0;
		room = step; // one of a kind that is not known
	}
	out.reset();
	return 0;
}

} // namespace atom::kmd
