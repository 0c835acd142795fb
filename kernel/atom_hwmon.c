// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Sensors
 *
 * hwmon has temperature, power and energy, for sensors(1) and whatever reads
 * hwmon. The limits of the temperature are those of the device, which acts on
 * them by itself: temp1_max lowers the clocks, temp1_crit aborts the jobs,
 * temp1_emergency turns the device off. Nothing here can be written.
 */
#include <linux/hwmon.h>

#include "atom_device.h"
#include "atom_hwmon.h"

static umode_t atom_hwmon_is_visible(const void *data, enum hwmon_sensor_types type, u32 attr,
				     int channel)
{
	return 0444;
}

static int atom_hwmon_temperature(const struct drm_atom_dev_telemetry *now, u32 attr, long *value)
{
	switch (attr) {
	case hwmon_temp_input:
		*value = now->temperature_mc;
		return 0;
	case hwmon_temp_max:
		*value = now->temp_throttle_mc;
		return 0;
	case hwmon_temp_max_alarm:
		*value = !!(now->throttle & ATOM_THROTTLE_THERMAL);
		return 0;
	case hwmon_temp_crit:
		*value = now->temp_abort_mc;
		return 0;
	case hwmon_temp_crit_alarm:
		*value = !!(now->throttle & ATOM_THROTTLE_ABORT);
		return 0;
	case hwmon_temp_emergency:
		*value = now->temp_shutdown_mc;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int atom_hwmon_power(const struct drm_atom_dev_telemetry *now, u32 attr, long *value)
{
	switch (attr) {
	case hwmon_power_average:
		/* Microwatts. */
		*value = (long)now->power_mw * 1000;
		return 0;
	case hwmon_power_alarm:
		*value = !!(now->throttle & ATOM_THROTTLE_POWER);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int atom_hwmon_read(struct device *dev, enum hwmon_sensor_types type, u32 attr,
			   int channel, long *value)
{
	struct atom_device *adev = dev_get_drvdata(dev);
	struct drm_atom_dev_telemetry now;
	int ret;

	ret = atom_telemetry_get(adev, &now);
	if (ret)
		return ret;

	switch (type) {
	case hwmon_temp:
		return atom_hwmon_temperature(&now, attr, value);
	case hwmon_power:
		return atom_hwmon_power(&now, attr, value);
	case hwmon_energy:
		*value = now.energy_uj;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int atom_hwmon_read_string(struct device *dev, enum hwmon_sensor_types type, u32 attr,
				  int channel, const char **text)
{
	*text = type == hwmon_temp ? "chip" : "card";
	return 0;
}

static const struct hwmon_ops atom_hwmon_ops = {
	.is_visible = atom_hwmon_is_visible,
	.read = atom_hwmon_read,
	.read_string = atom_hwmon_read_string,
};

static const struct hwmon_channel_info * const atom_hwmon_channels[] = {
	HWMON_CHANNEL_INFO(temp, HWMON_T_INPUT | HWMON_T_LABEL | HWMON_T_MAX |
			   HWMON_T_MAX_ALARM | HWMON_T_CRIT | HWMON_T_CRIT_ALARM |
			   HWMON_T_EMERGENCY),
	HWMON_CHANNEL_INFO(power, HWMON_P_AVERAGE | HWMON_P_LABEL | HWMON_P_ALARM),
	HWMON_CHANNEL_INFO(energy, HWMON_E_INPUT | HWMON_E_LABEL),
	NULL
};

static const struct hwmon_chip_info atom_hwmon_chip = {
	.ops = &atom_hwmon_ops,
	.info = atom_hwmon_channels,
};

/**
 * atom_hwmon_init() - register the sensors; they go with the binding of the driver
 * @adev: device
 *
 * Return: 0 or an error.
 */
int atom_hwmon_init(struct atom_device *adev)
{
	struct device *hwmon;

	hwmon = devm_hwmon_device_register_with_info(adev->drm.dev, ATOM_DRIVER_NAME, adev,
						     &atom_hwmon_chip, NULL);
	return PTR_ERR_OR_ZERO(hwmon);
}
