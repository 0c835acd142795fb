/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_EVENT_H
#define ATOM_EVENT_H

#include <linux/list.h>
#include <linux/mutex.h>

struct atom_device;
struct atom_file;
struct atom_queue;
struct drm_file;

/**
 * struct atom_events - files that read events of a device
 */
struct atom_events {
	/** @lock: Protects @files and who sends; leaf. */
	struct mutex lock;
	/** @files: Open files: struct atom_file.event_link. */
	struct list_head files;
};

int atom_event_init(struct atom_device *adev);
void atom_event_open(struct atom_file *afile, struct drm_file *file);
void atom_event_close(struct atom_file *afile);
void atom_event_queue_fault(struct atom_queue *queue);
void atom_event_device_reset(struct atom_device *adev);

#endif
