// SPDX-License-Identifier: MIT
#include "c/completions.hpp"

#include <cstdio>
#include <vector>

namespace atom::c {
namespace {

std::error_code code_of(int number)
{
	if (number == ATOM_OK)
		return {};
	if (number <= ATOM_ERROR_SYSTEM)
		return {ATOM_ERROR_SYSTEM - number, std::system_category()};
	return static_cast<errc>(-number);
}

std::vector<fence> fences_of(const atom_fence *fences, uint32_t count)
{
	std::vector<fence> all;
	all.reserve(count);
	for (uint32_t i = 0; i < count; ++i)
		all.push_back(fence_of((&live(fences, "fences"))[i]));
	return all;
}

} // namespace

fence fence_of(const atom_fence &from)
{
	if ((from.queue == nullptr) == (from.timeline == nullptr))
		core::fail(errc::invalid_argument,
		           "a fence must be either of a queue or of a timeline");
	return from.queue != nullptr ? from.queue->value.fence_of(from.point)
	                             : from.timeline->value.at(from.point);
}

atom_fault fault_of(const fault &from)
{
	return {from.code,    from.where, from.opcode, from.access,
	        from.command, from.field, from.address};
}

atom_completion completion_of(const completion &from)
{
	atom_completion to{};
	to.error = number_of(from.error);
	to.sequence = from.sequence;
	to.cookie = from.cookie;
	to.start_ns = from.start_ns;
	to.end_ns = from.end_ns;
	to.modelled_ns = from.modelled_ns;
	to.first_failed = from.first_failed;
	if (from.fault)
		to.fault = fault_of(*from.fault);
	return to;
}

completion completion_of(const atom_completion &from)
{
	completion to;
	to.error = code_of(from.error);
	to.sequence = from.sequence;
	to.cookie = from.cookie;
	to.has_times = from.end_ns != 0;
	to.start_ns = from.start_ns;
	to.end_ns = from.end_ns;
	to.modelled_ns = from.modelled_ns;
	to.first_failed = from.first_failed;
	const atom_fault &f = from.fault;
	if (f.code != 0)
		to.fault =
			fault{f.code, f.where, f.opcode, f.command, f.field, f.address, f.access};
	return to;
}

deadline deadline_of(int64_t ns)
{
	return ns == ATOM_NO_DEADLINE ? no_deadline : deadline(std::chrono::nanoseconds(ns));
}

} // namespace atom::c

using namespace atom::c;

int atom_fence_wait(const atom_fence *fence, int64_t deadline_ns, atom_completion *out)
{
	return guarded([&] {
		std::error_code ec;
		const atom::completion done =
			fence_of(live(fence, "fence")).wait(deadline_of(deadline_ns), ec);
		if (out != nullptr)
			write(completion_of(done), *out);
		return ec ? note_error(ec, done.to_string().c_str()) : ATOM_OK;
	});
}

int atom_fence_ready(const atom_fence *fence)
{
	return guarded([&] { return fence_of(live(fence, "fence")).ready() ? 1 : 0; });
}

int atom_wait_any(const atom_fence *fences, uint32_t count, int64_t deadline_ns, uint32_t *index)
{
	return guarded([&] {
		const std::size_t found =
			atom::wait_any(fences_of(fences, count), deadline_of(deadline_ns));
		if (index != nullptr)
			*index = static_cast<uint32_t>(found);
	});
}

int atom_wait_all(const atom_fence *fences, uint32_t count, int64_t deadline_ns)
{
	return guarded([&] { atom::wait_all(fences_of(fences, count), deadline_of(deadline_ns)); });
}

int atom_completion_text(const atom_completion *completion, char *text, size_t room)
{
	return guarded([&] {
		const std::string words =
			completion_of(read(live(completion, "completion"))).to_string();
		return std::snprintf(room == 0 ? nullptr : text, room, "%s", words.c_str());
	});
}

int atom_notifier_create(const atom_device *device, atom_notifier **out)
{
	return give(out, [&] { return atom::notifier(live(device, "device").value); });
}

void atom_notifier_destroy(atom_notifier *notifier) { delete notifier; }

int atom_notifier_fd(const atom_notifier *notifier)
{
	return guarded([&] { return live(notifier, "notifier").value.fd(); });
}

int atom_notifier_watch(atom_notifier *notifier, const atom_fence *fence)
{
	return guarded(
		[&] { live(notifier, "notifier").value.watch(fence_of(live(fence, "fence"))); });
}

int atom_notifier_clear(atom_notifier *notifier)
{
	return guarded([&] { live(notifier, "notifier").value.clear(); });
}
