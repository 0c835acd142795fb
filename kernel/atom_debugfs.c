// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Debugging
 *
 * Files in /sys/kernel/debug/accel/ADDRESS, for root. Reading them wakes no sleeping
 * device, and is harmless at any time; nothing in them is stable.
 *
 * - counters: a line of name and value each. What is alive now has a plain name, and
 *   returns to what it was when programs end; what only grows ends in _total
 * - users: what each user holds (DOC: Quotas)
 * - queues: by hardware id, with jobs emitted and completed and the first failure
 * - vms: address spaces by hardware id, and the ranges that are mapped in each
 * - buffers: by file and handle, with placement and label
 * - rings: how far the driver and the device are on each ring; the firmware
 * - faults: the records that the fault FIFO still holds
 * - registers: of the device and its queues, or why they cannot be read
 */
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>

#include "atom_debugfs.h"
#include "atom_device.h"

/**
 * atom_debugfs_device() - the device that a file is of
 * @m: file
 *
 * Return: device.
 */
struct atom_device *atom_debugfs_device(struct seq_file *m)
{
	struct drm_debugfs_entry *entry = m->private;

	return to_atom_device(entry->dev);
}

static int atom_debugfs_counters(struct seq_file *m, void *unused)
{
	struct atom_device *adev = atom_debugfs_device(m);
	struct atom_counters *counters = &adev->counters;
	struct atom_vram *vram = &adev->vram;

	seq_printf(m, "clients %d\n", atomic_read(&counters->clients));
	seq_printf(m, "vms %d\n", atomic_read(&counters->vms));
	seq_printf(m, "asids %d\n", atomic_read(&counters->asids));
	seq_printf(m, "mappings %d\n", atomic_read(&counters->mappings));
	seq_printf(m, "page_tables %d\n", atomic_read(&counters->tables));
	seq_printf(m, "queues %d\n", atomic_read(&counters->queues));
	seq_printf(m, "hw_queues %d\n", atomic_read(&counters->hw_queues));
	seq_printf(m, "completion_areas %d\n", atomic_read(&counters->areas));
	seq_printf(m, "jobs %d\n", atomic_read(&counters->jobs));
	seq_printf(m, "bos_system %d\n", atomic_read(&counters->bos_system));
	seq_printf(m, "bos_local %d\n", atomic_read(&counters->bos_local));
	seq_printf(m, "bos_shm %d\n", atomic_read(&counters->bos_shm));
	mutex_lock(&vram->lock);
	seq_printf(m, "bo_bytes_local %llu\n", vram->local_used);
	seq_printf(m, "bo_bytes_local_visible %llu\n", vram->local_visible_used);
	seq_printf(m, "bo_bytes_shm %llu\n", vram->shm_used);
	mutex_unlock(&vram->lock);
	seq_printf(m, "dead %d\n", adev->dead);
	seq_printf(m, "vectors %u\n", adev->irq.count);
	seq_printf(m, "queue_resets_total %d\n", atomic_read(&counters->queue_resets));
	seq_printf(m, "device_resets_total %d\n", atomic_read(&counters->device_resets));
	seq_printf(m, "faults_total %d\n", atomic_read(&counters->faults));
	seq_printf(m, "timeouts_total %d\n", atomic_read(&counters->timeouts));
	seq_printf(m, "lost_interrupts_total %d\n", atomic_read(&counters->lost_interrupts));
	seq_printf(m, "admin_commands_total %llu\n", READ_ONCE(adev->admin.seq));
	return 0;
}

static int atom_debugfs_users(struct seq_file *m, void *unused)
{
	struct drm_printer p = drm_seq_file_printer(m);

	atom_quota_print(atom_debugfs_device(m), &p);
	return 0;
}

/**
 * atom_debugfs_init() - add the files of a device
 * @adev: device, not registered yet
 */
void atom_debugfs_init(struct atom_device *adev)
{
	drm_debugfs_add_file(&adev->drm, "counters", atom_debugfs_counters, NULL);
	drm_debugfs_add_file(&adev->drm, "users", atom_debugfs_users, NULL);
	atom_debugfs_state_init(adev);
}
