// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Sleep
 *
 * *Alone.* With runtime PM on (power/control in sysfs) the device sleeps when no
 * file is open and no buffer is in its memory. There is nothing to keep.
 *
 * *With the system.* When userspace is frozen, no more jobs go on the rings, and
 * those that are there may end; if one takes too long, the system does not go to
 * sleep. Jobs that wait for something wait on. In D3hot device memory keeps its
 * content. When power may go (suspend by firmware, hibernation), LOCAL memory is
 * saved to shmem before, and written back if it was lost. SHM is zero afterwards:
 * if somebody has any, the device's generation and those of all queues count, as
 * after a reset.
 *
 * Waking up is the second half of a reset of the device (DOC: Reset of the
 * device). A device that does not wake up is dead.
 */
#include <linux/delay.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/suspend.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_pm.h"
#include "atom_queue.h"

/* How long jobs may go on when the system wants to sleep. */
#define ATOM_PM_PATIENCE_MS	20000

#define ATOM_PM_AUTOSUSPEND_MS	1000

/**
 * atom_pm_get() - wake the device and keep it awake
 * @adev: device
 *
 * Return: 0 or an error.
 */
int atom_pm_get(struct atom_device *adev)
{
	int ret = pm_runtime_resume_and_get(adev->drm.dev);

	if (ret != -EACCES)
		return ret;
	/* Without runtime PM it is awake; atom_pm_put() counts all the same. */
	atom_pm_get_awake(adev);
	return 0;
}

/**
 * atom_pm_get_awake() - keep the device awake
 * @adev: device that is awake
 */
void atom_pm_get_awake(struct atom_device *adev)
{
	pm_runtime_get_noresume(adev->drm.dev);
}

/**
 * atom_pm_put() - let the device sleep
 * @adev: device, perhaps unplugged
 */
void atom_pm_put(struct atom_device *adev)
{
	pm_runtime_mark_last_busy(adev->drm.dev);
	pm_runtime_put_autosuspend(adev->drm.dev);
}

/**
 * atom_pm_init() - let the device sleep when nobody uses it
 * @adev: device in service
 */
void atom_pm_init(struct atom_device *adev)
{
	struct device *dev = adev->drm.dev;

	/* In D3cold it would lose its memory. */
	pci_d3cold_disable(adev->pdev);
	pm_runtime_set_autosuspend_delay(dev, ATOM_PM_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_mark_last_busy(dev);
	pm_runtime_put_autosuspend(dev);
}

/**
 * atom_pm_fini() - keep the device awake for good
 * @adev: device that atom_pm_init() was called for
 */
void atom_pm_fini(struct atom_device *adev)
{
	pm_runtime_get_noresume(adev->drm.dev);
	pm_runtime_dont_use_autosuspend(adev->drm.dev);
}

/**
 * atom_pm_keeps_memory() - may queues go on after a sleep
 * @adev: device that has just woken up
 * @cold: its memory has lost its content
 *
 * Return: whether LOCAL memory will have its content.
 */
bool atom_pm_keeps_memory(struct atom_device *adev, bool cold)
{
	if (cold)
		adev->pm.lost = true;
	return !cold || adev->pm.saved || !adev->vram.local_used;
}

static int atom_pm_pause(struct atom_device *adev)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(ATOM_PM_PATIENCE_MS);

	adev->pm.paused = true;
	adev->pm.saved = false;
	adev->pm.lost = false;
	atom_queue_pause_all(adev);
	while (!atom_queue_all_quiet(adev)) {
		if (time_after(jiffies, deadline)) {
			drm_warn(&adev->drm, "jobs take too long for the system to sleep\n");
			return -EBUSY;
		}
		msleep(20);
	}
	return 0;
}

static void atom_pm_go_on(struct atom_device *adev)
{
	atom_bo_drop_saved(adev);
	adev->pm.saved = false;
	adev->pm.paused = false;
	atom_queue_go_on_all(adev);
}

/* Hibernation, or firmware that may take the power away. */
static bool atom_pm_power_may_go(void)
{
	return pm_suspend_target_state == PM_SUSPEND_ON || pm_suspend_via_firmware();
}

/* Here, as long as devices to swap to are awake. */
static int atom_pm_prepare(struct device *dev)
{
	struct atom_device *adev = dev_get_drvdata(dev);
	int ret;

	if (pm_runtime_suspended(dev) || atom_device_is_dead(adev))
		return 0;
	ret = atom_pm_pause(adev);
	if (!ret && atom_pm_power_may_go()) {
		ret = atom_bo_save_all(adev);
		adev->pm.saved = !ret;
	}
	if (ret)
		atom_pm_go_on(adev);
	return ret;
}

static void atom_pm_complete(struct device *dev)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	if (!adev->pm.paused)
		return;
	if (adev->pm.saved && adev->pm.lost && !atom_device_is_dead(adev) &&
	    atom_bo_restore_all(adev)) {
		drm_err(&adev->drm, "the content of device memory is lost\n");
		atom_queue_device_reset_all(adev, true);
	}
	atom_pm_go_on(adev);
}

static int atom_pm_sleep(struct device *dev)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	if (!atom_device_is_dead(adev))
		atom_telemetry_save(adev);
	atom_reset_hold(adev);
	return 0;
}

static int atom_pm_wake(struct device *dev)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	/* While an image of the system was taken it was not turned off. */
	if (!atom_device_wait_ready(adev) &&
	    atom_read32(adev, ATOM_REG_GENERATION) == adev->reset.hw_generation)
		atom_reset_function(adev);
	/* If it stays dead, its users are told by all that they ask. */
	atom_reset_release(adev, true);
	return 0;
}

const struct dev_pm_ops atom_pm_ops = {
	.prepare = pm_sleep_ptr(atom_pm_prepare),
	.complete = pm_sleep_ptr(atom_pm_complete),
	SYSTEM_SLEEP_PM_OPS(atom_pm_sleep, atom_pm_wake)
	RUNTIME_PM_OPS(atom_pm_sleep, atom_pm_wake, NULL)
};
