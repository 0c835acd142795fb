// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Events
 *
 * A file gets an event, which read() and poll() of the device file deliver, when a
 * queue of it is banned, and when the device was reset:
 *
 * - DRM_ATOM_EVENT_QUEUE_FAULT comes after the hardware queue was reset, so that
 *   QUEUE_GET_STATE tells all there is, and only to the file that owns the queue.
 *   Who destroys a queue gets none.
 * - DRM_ATOM_EVENT_DEVICE_RESET comes when the device is in service again, to every
 *   file; queues that lost jobs say so by QUEUE_GET_STATE.
 *
 * An event is a hint, QUEUE_GET_STATE the authority: nothing that must not fail
 * waits for room or memory. DRM keeps 4 KiB of events a file; those beyond, and those
 * that memory is missing for, are dropped and counted (atom-events-dropped in
 * fdinfo).
 */
#include <linux/slab.h>

#include <drm/drm_file.h>

#include <drm/atom_accel.h>

#include "atom_device.h"
#include "atom_drv.h"
#include "atom_event.h"
#include "atom_queue.h"

/**
 * struct atom_event - event on its way to a file
 */
struct atom_event {
	/** @base: DRM's part; first, because DRM frees it. */
	struct drm_pending_event base;
	union {
		/** @any: Type and length. */
		struct drm_event any;
		/** @fault: DRM_ATOM_EVENT_QUEUE_FAULT. */
		struct drm_atom_event_queue_fault fault;
		/** @reset: DRM_ATOM_EVENT_DEVICE_RESET. */
		struct drm_atom_event_device_reset reset;
	};
};

/* Queue resets wait for nothing here: fences may depend on what comes after them. */
static void atom_event_send(struct atom_file *afile, const struct atom_event *what)
{
	struct drm_device *drm = &afile->adev->drm;
	struct atom_event *event;

	lockdep_assert_held(&afile->adev->events.lock);

	event = kmemdup(what, sizeof(*what), GFP_NOWAIT | __GFP_NOWARN);
	if (event && !drm_event_reserve_init(drm, afile->file, &event->base, &event->any)) {
		drm_send_event(drm, &event->base);
		return;
	}
	kfree(event);
	atomic_inc(&afile->events_dropped);
}

/**
 * atom_event_queue_fault() - tell a file that its queue was banned
 * @queue: queue in the table of its file, after its reset
 */
void atom_event_queue_fault(struct atom_queue *queue)
{
	struct atom_file *afile = queue->afile;
	struct atom_events *events = &afile->adev->events;
	struct atom_event event = {
		.fault.base.type = DRM_ATOM_EVENT_QUEUE_FAULT,
		.fault.base.length = sizeof(event.fault),
		.fault.queue_id = queue->id,
	};

	spin_lock_irq(&queue->fence_lock);
	event.fault.flags = queue->flags;
	event.fault.failed_seqno = queue->fault.seqno;
	event.fault.fault_va = queue->fault.va;
	event.fault.fault_code = queue->fault.code;
	event.fault.fault_command = queue->fault.error ? queue->fault.command : ATOM_COMMAND_NONE;
	spin_unlock_irq(&queue->fence_lock);

	mutex_lock(&events->lock);
	/* On its way out the file reads no more. */
	if (!list_empty(&afile->event_link))
		atom_event_send(afile, &event);
	mutex_unlock(&events->lock);
}

/**
 * atom_event_device_reset() - tell all files that the device was reset
 * @adev: device, in service again
 */
void atom_event_device_reset(struct atom_device *adev)
{
	struct atom_events *events = &adev->events;
	const struct atom_event event = {
		.reset.base.type = DRM_ATOM_EVENT_DEVICE_RESET,
		.reset.base.length = sizeof(event.reset),
		.reset.generation = adev->reset.count,
	};
	struct atom_file *afile;

	mutex_lock(&events->lock);
	list_for_each_entry(afile, &events->files, event_link)
		atom_event_send(afile, &event);
	mutex_unlock(&events->lock);
}

/**
 * atom_event_open() - a file may get events
 * @afile: file
 * @file: the same to DRM
 */
void atom_event_open(struct atom_file *afile, struct drm_file *file)
{
	struct atom_events *events = &afile->adev->events;

	afile->file = file;
	mutex_lock(&events->lock);
	list_add_tail(&afile->event_link, &events->files);
	mutex_unlock(&events->lock);
}

/**
 * atom_event_close() - a file gets no more events
 * @afile: file, whose events DRM has not thrown away yet
 */
void atom_event_close(struct atom_file *afile)
{
	struct atom_events *events = &afile->adev->events;

	mutex_lock(&events->lock);
	list_del_init(&afile->event_link);
	mutex_unlock(&events->lock);
}

/**
 * atom_event_init() - prepare for events
 * @adev: device
 *
 * Return: 0 or -ENOMEM.
 */
int atom_event_init(struct atom_device *adev)
{
	INIT_LIST_HEAD(&adev->events.files);
	return drmm_mutex_init(&adev->drm, &adev->events.lock);
}
