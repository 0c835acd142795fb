// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Reset of the device
 *
 * Whoever finds that the device does not answer, reports FATAL or contradicts
 * itself asks for a reset (atom_reset_request()), and may wait for it. The reset
 * takes the device out of service, then resets the function, and brings it back:
 *
 * 1. Out of service: admin commands wait, doorbells are not rung, registers are
 *    not read, and the CPU's mappings of device memory go; their next page
 *    fault waits.
 * 2. FLR. Afterwards no access of the old life happens, so that fences may signal:
 *    jobs that were retired before are judged as always, the others are lost. A
 *    banned queue stays so. A queue that others have dragged along is told
 *    (INNOCENT, its generation counts), and takes new jobs.
 * 3. Admin queue and fault FIFO start anew, and the admin layer repeats what the
 *    hardware must know: root tables and the queues that are not banned. Page
 *    tables lie in host memory. LOCAL memory keeps its content, SHM is zero.
 * 4. Back in service: who waited goes on. What was an admin command in between is
 *    done now, so that ioctls see no more of it than a delay.
 *
 * Where it does not come back after some attempts, or comes back again and again
 * without a job being done, the device is declared dead (wedged).
 *
 * The same steps, without an FLR of our own, serve whoever else takes the device's
 * state away: a reset by the administrator, the recovery of a PCI error, power
 * management (atom_reset_hold(), atom_reset_release()).
 */
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "atom_device.h"
#include "atom_queue.h"
#include "atom_reset.h"
#include "atom_trace.h"

/* How often it is tried before the device is given up. */
#define ATOM_RESET_ATTEMPTS	3

/* Resets without one job done in between, within a time, that are enough. */
#define ATOM_RESET_BARREN_MAX	5
#define ATOM_RESET_BARREN_TIME	(60 * HZ)

/**
 * atom_hw_try_enter() - may registers be read now
 * @adev: device, inside drm_dev_enter()
 *
 * What they tell is worth nothing while the device loses its state. Does not sleep.
 *
 * Return: false if the device is out of service; else atom_hw_exit() must follow.
 */
bool atom_hw_try_enter(struct atom_device *adev)
{
	if (!down_read_trylock(&adev->reset.hw))
		return false;
	if (!READ_ONCE(adev->reset.down))
		return true;
	up_read(&adev->reset.hw);
	return false;
}

static bool atom_reset_is_over(struct atom_device *adev)
{
	return !(READ_ONCE(adev->reset.needed) || READ_ONCE(adev->reset.down)) ||
	       atom_device_is_lost(adev);
}

/* For lockdep: whoever resets the device takes none of what we hold. */
static void atom_reset_might_wait(struct atom_reset *reset)
{
	lock_map_acquire(&reset->dep_map);
	lock_map_release(&reset->dep_map);
}

/**
 * atom_hw_enter() - wait until the device is in service
 * @adev: device, inside drm_dev_enter()
 *
 * Sleeps. Nothing that atom_reset_hold() waits for may be held.
 *
 * Return: false if the device is lost, or the caller is being killed; else
 * atom_hw_exit() must follow.
 */
bool atom_hw_enter(struct atom_device *adev)
{
	atom_reset_might_wait(&adev->reset);
	while (!atom_hw_try_enter(adev)) {
		if (wait_event_killable(adev->reset.wait, atom_reset_is_over(adev)) ||
		    atom_device_is_lost(adev))
			return false;
	}
	return true;
}

/**
 * atom_hw_exit() - the hardware is not looked at any more
 * @adev: device
 */
void atom_hw_exit(struct atom_device *adev)
{
	up_read(&adev->reset.hw);
}

/**
 * atom_reset_request() - ask for a reset of the device
 * @adev: device
 * @reason: constant, for the log
 *
 * Callable in interrupts and with any lock.
 */
void atom_reset_request(struct atom_device *adev, const char *reason)
{
	struct atom_reset *reset = &adev->reset;

	if (atom_device_is_lost(adev) || xchg(&reset->needed, true))
		return;
	WRITE_ONCE(reset->reason, reason);
	queue_work(reset->wq, &reset->work);
}

/**
 * atom_reset_wait() - wait until the device is in service
 * @adev: device
 *
 * Callable with any lock that admin commands may be done with.
 *
 * Return: 0, or -EIO if the device is dead, or leaves before it is in service; it
 * does no DMA then.
 */
int atom_reset_wait(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;

	atom_reset_might_wait(reset);
	wait_event(reset->wait, atom_reset_is_over(adev));
	if (!atom_device_is_dead(adev) && !READ_ONCE(reset->needed) && !READ_ONCE(reset->down))
		return 0;
	/* Lost is said before it is true, and the caller frees what DMA may reach. */
	atom_device_stop_hw(adev);
	return -EIO;
}

/**
 * atom_reset_force() - reset the device and wait for it
 * @adev: device
 * @reason: constant, for the log
 *
 * Return: as atom_reset_wait().
 */
int atom_reset_force(struct atom_device *adev, const char *reason)
{
	atom_reset_request(adev, reason);
	return atom_reset_wait(adev);
}

/* Nobody touches the hardware after the return. */
static void atom_reset_go_down(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;

	lockdep_assert_held(&reset->lock);

	WRITE_ONCE(reset->down, true);
	/* Who looks at registers, or maps device memory, ends that. */
	down_write(&reset->hw);
	up_write(&reset->hw);
	/* Who waits for an admin command has seen @needed, or gets its answer. */
	mutex_lock(&adev->admin.lock);
	mutex_unlock(&adev->admin.lock);
	/* What the CPU writes to the window would be lost: it waits in its page fault. */
	unmap_mapping_range(adev->drm.anon_inode->i_mapping, 0, 0, 1);
}

/* The device is started, and everything may go on. */
static void atom_reset_go_up(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;

	lockdep_assert_held(&reset->lock);

	WRITE_ONCE(reset->needed, false);
	WRITE_ONCE(reset->down, false);
	/* What came on the rings meanwhile. */
	atom_queue_ring_all(adev);
	/* Requests between its start and this moment were taken for those that are done. */
	if (atom_read32(adev, ATOM_REG_STATUS) & ATOM_STATUS_FATAL)
		atom_reset_request(adev, "it reports a fatal error at once");
	wake_up_all(&reset->wait);
	if (reset->told != reset->count) {
		reset->told = reset->count;
		atom_event_device_reset(adev);
	}
}

static int atom_reset_flr(struct atom_device *adev)
{
	struct pci_dev *pdev = adev->pdev;
	int ret;

	if (pcie_reset_flr(pdev, PCI_RESET_PROBE))
		return atom_device_reset_function(adev);

	ret = pcie_flr(pdev);
	if (!ret)
		ret = pci_load_saved_state(pdev, adev->reset.config);
	if (!ret)
		pci_restore_state(pdev);
	return ret;
}

/*
 * The function has lost its state, and does no DMA: end what it did, and tell it
 * again what it must know.
 */
static int atom_reset_do_restart(struct atom_device *adev, bool planned)
{
	struct atom_reset *reset = &adev->reset;
	bool cold;
	int ret;

	lockdep_assert_held(&reset->lock);

	ret = atom_device_wait_ready(adev);
	if (ret)
		return ret;
	/* It counts function resets since it has power. */
	cold = atom_read32(adev, ATOM_REG_GENERATION) <= reset->hw_generation;
	if (cold)
		atom_telemetry_go_on(adev);
	if (planned && atom_pm_keeps_memory(adev, cold)) {
		atom_queue_wake_up_all(adev);
		if (adev->vram.shm_used)
			reset->count++;
	} else {
		reset->count++;
		atomic_inc(&adev->counters.device_resets);
		atom_queue_device_reset_all(adev, cold);
	}

	mutex_lock(&adev->admin.lock);
	mutex_lock(&adev->stop_lock);
	reset->restarting = true;
	ret = adev->stopped ? -ENODEV : 0;
	/* Counted from one on, so that the next loss of power is known from no reset at all. */
	if (!ret && cold)
		ret = atom_device_reset_function(adev);
	if (!ret)
		ret = atom_device_start(adev);
	reset->restarting = false;
	mutex_unlock(&adev->stop_lock);
	mutex_unlock(&adev->admin.lock);
	return ret;
}

/*
 * The part of a reset that lockdep is told of: fences wait for it. Before, when mappings are zapped
 * and configuration is restored, the kernel takes locks of classes that others allocate memory
 * with.
 */
static int atom_reset_restart(struct atom_device *adev, bool planned)
{
	bool cookie = dma_fence_begin_signalling();
	int ret;

	lock_map_acquire(&adev->reset.dep_map);
	ret = atom_reset_do_restart(adev, planned);
	lock_map_release(&adev->reset.dep_map);
	dma_fence_end_signalling(cookie);
	return ret;
}

/**
 * atom_reset_function() - reset the function of a device that is held
 * @adev: device, atom_reset_hold() called
 *
 * Its configuration is restored, also if somebody else has reset it.
 *
 * Return: 0 or an error.
 */
int atom_reset_function(struct atom_device *adev)
{
	int ret = -ENODEV;

	/* To lockdep another lock: see atom_reset_restart(). */
	mutex_lock_nested(&adev->stop_lock, SINGLE_DEPTH_NESTING);
	if (!adev->stopped && pci_device_is_present(adev->pdev))
		ret = atom_reset_flr(adev);
	mutex_unlock(&adev->stop_lock);
	return ret;
}

/* Whether resets have become pointless: none of the last ones was followed by a job done. */
static bool atom_reset_is_barren(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;

	if (!reset->barren || time_after(jiffies, reset->barren_since + ATOM_RESET_BARREN_TIME)) {
		reset->barren_since = jiffies;
		WRITE_ONCE(reset->barren, 0);
	}
	WRITE_ONCE(reset->barren, reset->barren + 1);
	return reset->barren > ATOM_RESET_BARREN_MAX;
}

static void atom_reset_now(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;
	int i, ret = -EIO;

	drm_err(&adev->drm, "the device is reset: %s\n", reset->reason);
	trace_atom_device_reset(adev, reset->reason);
	atom_reset_go_down(adev);
	atom_coredump_device(adev, reset->reason);
	if (atom_reset_is_barren(adev)) {
		atom_device_die(adev, "resets do not help");
		return;
	}
	for (i = 0; i < ATOM_RESET_ATTEMPTS && ret && !atom_device_is_lost(adev); i++)
		ret = atom_reset_function(adev) ?: atom_reset_restart(adev, false);
	if (ret) {
		atom_device_die(adev, ret == -ENODEV ? "it has left the bus" :
				"its reset does not bring it back");
		return;
	}
	atom_reset_go_up(adev);
}

static void atom_reset_work(struct work_struct *work)
{
	struct atom_device *adev = container_of(work, struct atom_device, reset.work);
	struct atom_reset *reset = &adev->reset;

	mutex_lock(&reset->lock);
	/* Who holds it restarts it too; and a device that leaves needs none. */
	if (READ_ONCE(reset->needed) && !reset->holds && !atom_device_is_lost(adev))
		atom_reset_now(adev);
	mutex_unlock(&reset->lock);
	atom_device_tell_death(adev);
}

/**
 * atom_reset_hold() - take the device out of service
 * @adev: device
 *
 * Somebody else is about to take its state away. Sleeps, until the hardware is not
 * touched any more; jobs on rings may still run.
 */
void atom_reset_hold(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;

	mutex_lock(&reset->lock);
	if (!reset->holds++ && !atom_device_is_dead(adev))
		atom_reset_go_down(adev);
	mutex_unlock(&reset->lock);
}

/**
 * atom_reset_abandon() - declare a device dead, held or not
 * @adev: device
 * @reason: for the log
 */
void atom_reset_abandon(struct atom_device *adev, const char *reason)
{
	mutex_lock(&adev->reset.lock);
	atom_device_die(adev, reason);
	mutex_unlock(&adev->reset.lock);
	atom_device_tell_death(adev);
}

/**
 * atom_reset_release() - bring the device back that atom_reset_hold() was called for
 * @adev: device, whose function has lost its state
 * @planned: no job was on it, and its memory has its content
 *
 * Return: 0, or an error: the device is dead.
 */
int atom_reset_release(struct atom_device *adev, bool planned)
{
	struct atom_reset *reset = &adev->reset;
	int ret = 0;

	mutex_lock(&reset->lock);
	if (--reset->holds)
		goto unlock;
	ret = atom_device_is_lost(adev) ? -EIO : atom_reset_restart(adev, planned);
	if (ret)
		atom_device_die(adev, "it does not start again");
	else
		atom_reset_go_up(adev);
unlock:
	mutex_unlock(&reset->lock);
	atom_device_tell_death(adev);
	return ret;
}

/**
 * atom_reset_init() - prepare for resets
 * @adev: device
 *
 * Return: 0 or -ENOMEM.
 */
int atom_reset_init(struct atom_device *adev)
{
	static struct lock_class_key key;
	struct atom_reset *reset = &adev->reset;
	int ret;

	lockdep_init_map(&reset->dep_map, "atom_reset", &key, 0);

	INIT_WORK(&reset->work, atom_reset_work);
	init_waitqueue_head(&reset->wait);
	init_rwsem(&reset->hw);
	ret = drmm_mutex_init(&adev->drm, &reset->lock);
	if (ret)
		return ret;
	reset->wq = alloc_ordered_workqueue("atom-device-reset", WQ_MEM_RECLAIM);
	return reset->wq ? 0 : -ENOMEM;
}

/**
 * atom_reset_save_config() - remember how the function is configured
 * @adev: device, its interrupts and bus mastering on
 *
 * Return: 0 or -ENOMEM.
 */
int atom_reset_save_config(struct atom_device *adev)
{
	pci_save_state(adev->pdev);
	adev->reset.config = pci_store_saved_state(adev->pdev);
	return adev->reset.config ? 0 : -ENOMEM;
}

/**
 * atom_reset_fini() - end resets
 * @adev: device, stopped
 */
void atom_reset_fini(struct atom_device *adev)
{
	struct atom_reset *reset = &adev->reset;

	if (!reset->wq)
		return;
	cancel_work_sync(&reset->work);
	destroy_workqueue(reset->wq);
	reset->wq = NULL;
	kfree(reset->config);
	reset->config = NULL;
}
