/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_RESET_H
#define ATOM_RESET_H

#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct atom_device;
struct pci_saved_state;

/**
 * struct atom_reset - the device out of service, and back in it
 */
struct atom_reset {
	/** @wq: Runs @work; not the queues' workqueue, whose works may wait for it. */
	struct workqueue_struct *wq;
	/** @work: Resets the device. */
	struct work_struct work;
	/** @config: Configuration space as it was when the device was started. */
	struct pci_saved_state *config;
	/** @lock: Serialises going out of service and coming back. */
	struct mutex lock;
	/** @holds: Who keeps the device out of service besides @work; under @lock. */
	unsigned int holds;
	/** @dep_map: For lockdep: held by who resets, taken by who waits for it. */
	struct lockdep_map dep_map;
	/** @hw: Read: registers and the window on device memory are what they say. */
	struct rw_semaphore hw;
	/** @down: Out of service: nobody touches the hardware. */
	bool down;
	/** @needed: Somebody has found the device to be unreliable. */
	bool needed;
	/** @restarting: @work itself speaks to the device; under struct atom_admin.lock. */
	bool restarting;
	/** @reason: Why it is @needed, for people. */
	const char *reason;
	/** @wait: Woken when the device is in service again, or lost. */
	wait_queue_head_t wait;
	/** @count: Resets of the device since the driver was bound. */
	u32 count;
	/** @told: @count when files were told of it. */
	u32 told;
	/** @hw_generation: The device's own count after its last start. */
	u32 hw_generation;
	/** @barren: Resets in a row without a job done since. */
	unsigned int barren;
	/** @barren_since: When the first of these was, in jiffies. */
	unsigned long barren_since;
};

int atom_reset_init(struct atom_device *adev);
int atom_reset_save_config(struct atom_device *adev);
void atom_reset_fini(struct atom_device *adev);
void atom_reset_request(struct atom_device *adev, const char *reason);
int atom_reset_wait(struct atom_device *adev);
int atom_reset_force(struct atom_device *adev, const char *reason);
int atom_reset_function(struct atom_device *adev);
void atom_reset_abandon(struct atom_device *adev, const char *reason);
void atom_reset_hold(struct atom_device *adev);
int atom_reset_release(struct atom_device *adev, bool planned);
bool atom_hw_enter(struct atom_device *adev);
bool atom_hw_try_enter(struct atom_device *adev);
void atom_hw_exit(struct atom_device *adev);

#endif
