// SPDX-License-Identifier: MIT
#include <array>

#include "c/completions.hpp"

using namespace atom::c;

int atom_queue_create(const atom_context *context, const atom_queue_options *options,
                      atom_queue **out)
{
	return guarded([&] {
		atom_queue *&place = live(out, "out");
		place = new atom_queue{
			atom::queue(live(context, "context").value, options_of<atom::queue_options>(options)), {}, {}};
	});
}

void atom_queue_destroy(atom_queue *queue) { delete queue; }

int atom_queue_submit(atom_queue *queue, const atom_submission *jobs, uint32_t count,
                      uint64_t *sequence)
{
	return guarded([&] {
		atom_queue &q = live(queue, "queue");
		const std::lock_guard lock(q.mutex);
		const atom::fence last = q.value.submit(q.jobs.convert(jobs, count));
		q.jobs.clear();
		if (sequence != nullptr)
			*sequence = last.point();
	});
}

int atom_queue_run(atom_queue *queue, const atom_submission *job, int64_t deadline_ns,
                   atom_completion *out)
{
	atom_fence done{queue, nullptr, 0};
	const int submitted = atom_queue_submit(queue, job, 1, &done.point);
	return submitted == ATOM_OK ? atom_fence_wait(&done, deadline_ns, out) : submitted;
}

int atom_queue_room_for(const atom_queue *queue, uint32_t jobs, uint64_t *sequence)
{
	return guarded([&] {
		live(sequence, "sequence") = live(queue, "queue").value.room_for(jobs).point();
	});
}

int atom_queue_reap(atom_queue *queue, atom_completion *out, uint32_t room, uint32_t *count)
{
	return guarded([&] {
		uint32_t &taken = live(count, "count");
		atom_queue &q = live(queue, "queue");
		for (uint32_t i = 0; i < room; ++i)
			(void)element(out, i, "out"); // before anything is taken
		taken = 0;
		std::array<atom::completion, 32> done;
		while (taken < room) {
			const std::size_t wanted = std::min<std::size_t>(done.size(), room - taken);
			const std::size_t some = q.value.reap({done.data(), wanted});
			for (std::size_t i = 0; i < some; ++i)
				write(completion_of(done[i]), element(out, taken++, "out"));
			if (some < wanted)
				return;
		}
	});
}

uint32_t atom_queue_id(const atom_queue *queue)
{
	return queue == nullptr ? 0 : queue->value.id();
}

int atom_queue_get_status(const atom_queue *queue, atom_queue_status *out)
{
	return guarded([&] {
		const atom::queue_state from = live(queue, "queue").value.state();
		atom_queue_status to{};
		to.faulted = from.faulted ? 1 : 0;
		to.timed_out = from.timed_out ? 1 : 0;
		to.innocent = from.innocent ? 1 : 0;
		to.banned = from.banned ? 1 : 0;
		to.device_lost = from.device_lost ? 1 : 0;
		to.generation = from.generation;
		to.error = from.error;
		to.submitted = from.submitted;
		to.completed = from.completed;
		to.first_failed = from.first_failed;
		to.busy_ns = from.busy_ns;
		to.fault = fault_of(from.fault);
		to.last_lost = from.last_lost;
		write(to, live(out, "out"));
	});
}

int atom_timeline_create(const atom_device *device, atom_timeline **out)
{
	return give(out, [&] { return atom::timeline(live(device, "device").value); });
}

void atom_timeline_destroy(atom_timeline *timeline) { delete timeline; }

int atom_timeline_get_value(const atom_timeline *timeline, uint64_t *value)
{
	return guarded([&] { live(value, "value") = live(timeline, "timeline").value.value(); });
}

int atom_timeline_signal(atom_timeline *timeline, uint64_t point)
{
	return guarded([&] { live(timeline, "timeline").value.signal(point); });
}
