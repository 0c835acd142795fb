// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Telemetry
 *
 * All who tell readings of the device (DEV_QUERY, hwmon, sysfs, streams of
 * counters) take them here. Somebody who only looks must not wake a sleeping
 * device, nor keep one from falling asleep: while the device sleeps, the readings
 * are those of when it fell asleep. Counters only grow: when the device had no power,
 * they go on where they were.
 */
#include <linux/pm_runtime.h>

#include "atom_device.h"
#include "atom_telemetry.h"

static void atom_telemetry_read(struct atom_device *adev, struct drm_atom_dev_telemetry *telemetry)
{
	const struct drm_atom_dev_telemetry *before = &adev->telemetry.before;

	*telemetry = (struct drm_atom_dev_telemetry) {
		.temperature_mc = atom_read32(adev, ATOM_REG_TEMPERATURE),
		.temp_throttle_mc = atom_read32(adev, ATOM_REG_TEMP_THROTTLE),
		.temp_abort_mc = atom_read32(adev, ATOM_REG_TEMP_ABORT),
		.temp_shutdown_mc = atom_read32(adev, ATOM_REG_TEMP_SHUTDOWN),
		.power_mw = atom_read32(adev, ATOM_REG_POWER),
		.pstate = atom_read32(adev, ATOM_REG_PSTATE),
		.throttle = atom_read32(adev, ATOM_REG_THROTTLE),
		.utilisation_permille = atom_read32(adev, ATOM_REG_UTILISATION),
		.energy_uj = before->energy_uj + atom_read64(adev, ATOM_REG_ENERGY),
		.clocks_khz[0] = atom_read32(adev, ATOM_REG_CLOCK_CP),
		.clocks_khz[1] = atom_read32(adev, ATOM_REG_CLOCK_NE0),
		.clocks_khz[2] = atom_read32(adev, ATOM_REG_CLOCK_NE1),
		.clocks_khz[3] = atom_read32(adev, ATOM_REG_CLOCK_BUS),
		.clocks_khz[4] = atom_read32(adev, ATOM_REG_CLOCK_SHM),
		.ecc_ce = before->ecc_ce + atom_read32(adev, ATOM_REG_ECC_CE),
		.ecc_ue = before->ecc_ue + atom_read32(adev, ATOM_REG_ECC_UE),
		.busy_compute_ns = before->busy_compute_ns +
				   atom_read64(adev, ATOM_REG_BUSY_COMPUTE),
		.busy_dma_ns = before->busy_dma_ns + atom_read64(adev, ATOM_REG_BUSY_DMA),
		.modelled_ns = before->modelled_ns + atom_read64(adev, ATOM_REG_MODELLED_BUSY),
		.dram_read = before->dram_read + atom_read64(adev, ATOM_REG_DRAM_READ),
		.dram_write = before->dram_write + atom_read64(adev, ATOM_REG_DRAM_WRITE),
		.dma_read = before->dma_read + atom_read64(adev, ATOM_REG_DMA_READ),
		.dma_write = before->dma_write + atom_read64(adev, ATOM_REG_DMA_WRITE),
		.jobs_done = before->jobs_done + atom_read64(adev, ATOM_REG_JOBS_DONE),
		.macs = before->macs + atom_read64(adev, ATOM_REG_MACS),
	};
}

/**
 * atom_telemetry_save() - read the device and remember the readings
 * @adev: device that is awake, inside drm_dev_enter() or where no unplug can be
 *
 * To be called before the device falls asleep.
 *
 * Return: 0, or -ENODEV if the device left meanwhile.
 */
int atom_telemetry_save(struct atom_device *adev)
{
	struct atom_telemetry *telemetry = &adev->telemetry;
	struct drm_atom_dev_telemetry now;
	bool there;

	/* Read under the lock: nobody sees a counter go back. */
	mutex_lock(&telemetry->lock);
	atom_telemetry_read(adev, &now);
	/* Read last: the device was there for all of the answer. */
	there = atom_read32(adev, ATOM_REG_MAGIC) == ATOM_MAGIC;
	if (there)
		telemetry->last = now;
	mutex_unlock(&telemetry->lock);
	return there ? 0 : -ENODEV;
}

/**
 * atom_telemetry_go_on() - let the counters go on where they were
 * @adev: device whose counters have begun anew, nobody else at its registers
 */
void atom_telemetry_go_on(struct atom_device *adev)
{
	struct atom_telemetry *telemetry = &adev->telemetry;

	mutex_lock(&telemetry->lock);
	telemetry->before = telemetry->last;
	mutex_unlock(&telemetry->lock);
}

/**
 * atom_telemetry_get() - readings of this moment, or of when the device fell asleep
 * @adev: device
 * @readings: to be filled
 *
 * May sleep; does not wake the device.
 *
 * Return: 0, -ENODEV after an unplug, -EIO if the device is dead.
 */
int atom_telemetry_get(struct atom_device *adev, struct drm_atom_dev_telemetry *readings)
{
	struct atom_telemetry *telemetry = &adev->telemetry;
	struct device *dev = adev->drm.dev;
	int ret = 0, awake, idx;

	if (!drm_dev_enter(&adev->drm, &idx))
		return -ENODEV;
	if (atom_device_is_dead(adev)) {
		ret = -EIO;
		goto exit;
	}

	/* Negative: the system has no runtime PM, or it is off for this device. */
	awake = pm_runtime_get_if_active(dev);
	/* While it is being reset, the readings are those of before. */
	if (awake && atom_hw_try_enter(adev)) {
		ret = atom_telemetry_save(adev);
		atom_hw_exit(adev);
	}
	/* Not the usual put, which would count the look as use of the device. */
	if (awake > 0)
		pm_runtime_put(dev);
	if (ret)
		goto exit;

	mutex_lock(&telemetry->lock);
	*readings = telemetry->last;
	mutex_unlock(&telemetry->lock);
exit:
	drm_dev_exit(idx);
	return ret;
}

/**
 * atom_telemetry_init() - take the first readings
 * @adev: device, its registers mapped
 *
 * Return: 0 or an error.
 */
int atom_telemetry_init(struct atom_device *adev)
{
	int ret = drmm_mutex_init(&adev->drm, &adev->telemetry.lock);

	return ret ?: atom_telemetry_save(adev);
}
