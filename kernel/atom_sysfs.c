// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Attributes of the PCI function, for operators and their tools. All are
 * world-readable, one value each; root may write the time-outs and
 * the quotas.
 * Documentation/ABI/testing/sysfs-driver-atom_npu
 * describes them; a test compares it with what is there.
 *
 * The driver core makes the files after probe and removes them, waiting for their
 * readers, before remove: struct atom_device is there.
 */
#include <linux/device.h>
#include <linux/pm_runtime.h>
#include <linux/sysfs.h>

#include "atom_device.h"
#include "atom_sysfs.h"

/* What the driver knows by itself: a format and its values, of which most use adev. */
#define ATOM_ATTR(_name, _format, ...)						\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct atom_device *adev __maybe_unused = dev_get_drvdata(dev);		\
										\
	return sysfs_emit(buf, _format "\n", __VA_ARGS__);			\
}										\
static DEVICE_ATTR_RO(_name)

/* A reading of the device. */
#define ATOM_ATTR_TELEMETRY(_name, _format, _value)				\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct drm_atom_dev_telemetry now;					\
	int ret = atom_telemetry_get(dev_get_drvdata(dev), &now);		\
										\
	return ret ?: sysfs_emit(buf, _format "\n", _value);			\
}										\
static DEVICE_ATTR_RO(_name)

/* A size that changes under the memory's lock. */
#define ATOM_ATTR_MEMORY(_name, _field)						\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *buf)						\
{										\
	struct atom_device *adev = dev_get_drvdata(dev);			\
	u64 bytes;								\
										\
	mutex_lock(&adev->vram.lock);						\
	bytes = adev->vram._field;						\
	mutex_unlock(&adev->vram.lock);						\
	return sysfs_emit(buf, "%llu\n", bytes);				\
}										\
static DEVICE_ATTR_RO(_name)

static const char *atom_sysfs_platform(const struct atom_device *adev)
{
	switch (adev->limits.platform) {
	case ATOM_PLATFORM_SILICON: return "silicon";
	case ATOM_PLATFORM_EMULATOR: return "emulator";
	case ATOM_PLATFORM_INPROCESS: return "in-process";
	default: return "unknown";
	}
}

static const char *atom_sysfs_state(struct atom_device *adev)
{
	if (atom_device_is_dead(adev))
		return "dead";
	if (pm_runtime_suspended(adev->drm.dev))
		return "asleep";
	return READ_ONCE(adev->reset.needed) || READ_ONCE(adev->reset.down) ? "resetting" : "ok";
}

ATOM_ATTR(serial, "%016llx", adev->limits.serial);
ATOM_ATTR(uuid, "%pUb", adev->limits.uuid);
ATOM_ATTR(fw_version, "%u", adev->limits.fw_version);
ATOM_ATTR(interface_version, "%u.%u", ATOM_VERSION_MAJOR(adev->limits.version),
	  ATOM_VERSION_MINOR(adev->limits.version));
ATOM_ATTR(platform, "%s", atom_sysfs_platform(adev));
ATOM_ATTR(state, "%s", atom_sysfs_state(adev));
ATOM_ATTR(clients, "%d", atomic_read(&adev->counters.clients));
ATOM_ATTR(contexts, "%d", atomic_read(&adev->counters.asids));
ATOM_ATTR(contexts_max, "%u", adev->limits.num_asids - 1);
ATOM_ATTR(queues, "%d", atomic_read(&adev->counters.hw_queues));
ATOM_ATTR(queues_max, "%u", adev->limits.num_queues);
ATOM_ATTR(jobs, "%d", atomic_read(&adev->counters.jobs));
ATOM_ATTR_TELEMETRY(jobs_done, "%llu", now.jobs_done);
ATOM_ATTR_TELEMETRY(utilisation_permille, "%u", now.utilisation_permille);
ATOM_ATTR_TELEMETRY(busy_time_us, "%llu", now.busy_compute_ns / NSEC_PER_USEC);
ATOM_ATTR_TELEMETRY(dma_busy_time_us, "%llu", now.busy_dma_ns / NSEC_PER_USEC);
ATOM_ATTR_TELEMETRY(pstate, "P%u", now.pstate);

static ssize_t throttle_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const reasons[] = { "thermal", "power", "abort" };
	struct drm_atom_dev_telemetry now;
	ssize_t length = 0;
	int i, ret;

	ret = atom_telemetry_get(dev_get_drvdata(dev), &now);
	if (ret)
		return ret;

	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (now.throttle & BIT(i))
			length += sysfs_emit_at(buf, length, "%s%s", length ? " " : "",
						reasons[i]);
	return length + sysfs_emit_at(buf, length, "%s\n", length ? "" : "none");
}
static DEVICE_ATTR_RO(throttle);

/*
 * Time-outs of queues that are made from now on. Two writers at once may leave the
 * default above the maximum, which then holds for those who ask for one.
 */
static ssize_t atom_timeout_store(u32 *timeout, u32 min, u32 max, const char *buf, size_t count)
{
	u32 ms;
	int ret;

	ret = kstrtou32(buf, 0, &ms);
	if (ret)
		return ret;
	if (ms < min || ms > max)
		return -EINVAL;
	WRITE_ONCE(*timeout, ms);
	return count;
}

static ssize_t job_timeout_ms_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(adev->job_timeout_ms));
}

static ssize_t job_timeout_ms_store(struct device *dev, struct device_attribute *attr,
				    const char *buf, size_t count)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	return atom_timeout_store(&adev->job_timeout_ms, 1, READ_ONCE(adev->job_timeout_max_ms),
				  buf, count);
}
static DEVICE_ATTR_RW(job_timeout_ms);

static ssize_t job_timeout_max_ms_show(struct device *dev, struct device_attribute *attr,
				       char *buf)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(adev->job_timeout_max_ms));
}

static ssize_t job_timeout_max_ms_store(struct device *dev, struct device_attribute *attr,
					const char *buf, size_t count)
{
	struct atom_device *adev = dev_get_drvdata(dev);

	return atom_timeout_store(&adev->job_timeout_max_ms, READ_ONCE(adev->job_timeout_ms),
				  ATOM_JOB_TIMEOUT_LIMIT_MS, buf, count);
}
static DEVICE_ATTR_RW(job_timeout_max_ms);

static struct attribute *atom_sysfs_attrs[] = {
	&dev_attr_serial.attr,
	&dev_attr_uuid.attr,
	&dev_attr_fw_version.attr,
	&dev_attr_interface_version.attr,
	&dev_attr_platform.attr,
	&dev_attr_state.attr,
	&dev_attr_clients.attr,
	&dev_attr_contexts.attr,
	&dev_attr_contexts_max.attr,
	&dev_attr_queues.attr,
	&dev_attr_queues_max.attr,
	&dev_attr_jobs.attr,
	&dev_attr_jobs_done.attr,
	&dev_attr_job_timeout_ms.attr,
	&dev_attr_job_timeout_max_ms.attr,
	&dev_attr_utilisation_permille.attr,
	&dev_attr_busy_time_us.attr,
	&dev_attr_dma_busy_time_us.attr,
	&dev_attr_pstate.attr,
	&dev_attr_throttle.attr,
	NULL
};

static const struct attribute_group atom_sysfs_group = {
	.attrs = atom_sysfs_attrs,
};

ATOM_ATTR_MEMORY(local_total, local_size);
ATOM_ATTR_MEMORY(local_used, local_used);
ATOM_ATTR_MEMORY(local_visible_total, local_visible);
ATOM_ATTR_MEMORY(local_visible_used, local_visible_used);
ATOM_ATTR_MEMORY(shm_total, shm_size);
ATOM_ATTR_MEMORY(shm_used, shm_used);

static struct attribute *atom_sysfs_memory_attrs[] = {
	&dev_attr_local_total.attr,
	&dev_attr_local_used.attr,
	&dev_attr_local_visible_total.attr,
	&dev_attr_local_visible_used.attr,
	&dev_attr_shm_total.attr,
	&dev_attr_shm_used.attr,
	NULL
};

static const struct attribute_group atom_sysfs_memory_group = {
	.name = "memory",
	.attrs = atom_sysfs_memory_attrs,
};

ATOM_ATTR_TELEMETRY(cp_khz, "%u", now.clocks_khz[0]);
ATOM_ATTR_TELEMETRY(ne0_khz, "%u", now.clocks_khz[1]);
ATOM_ATTR_TELEMETRY(ne1_khz, "%u", now.clocks_khz[2]);
ATOM_ATTR_TELEMETRY(bus_khz, "%u", now.clocks_khz[3]);
ATOM_ATTR_TELEMETRY(shm_khz, "%u", now.clocks_khz[4]);

static struct attribute *atom_sysfs_clock_attrs[] = {
	&dev_attr_cp_khz.attr,
	&dev_attr_ne0_khz.attr,
	&dev_attr_ne1_khz.attr,
	&dev_attr_bus_khz.attr,
	&dev_attr_shm_khz.attr,
	NULL
};

static const struct attribute_group atom_sysfs_clock_group = {
	.name = "clock",
	.attrs = atom_sysfs_clock_attrs,
};

ATOM_ATTR(queue_resets, "%d", atomic_read(&adev->counters.queue_resets));
ATOM_ATTR(device_resets, "%d", atomic_read(&adev->counters.device_resets));
ATOM_ATTR(job_faults, "%d", atomic_read(&adev->counters.faults));
ATOM_ATTR(job_timeouts, "%d", atomic_read(&adev->counters.timeouts));
ATOM_ATTR(lost_interrupts, "%d", atomic_read(&adev->counters.lost_interrupts));
ATOM_ATTR_TELEMETRY(ecc_corrected, "%u", now.ecc_ce);
ATOM_ATTR_TELEMETRY(ecc_uncorrected, "%u", now.ecc_ue);

static struct attribute *atom_sysfs_errors_attrs[] = {
	&dev_attr_queue_resets.attr,
	&dev_attr_device_resets.attr,
	&dev_attr_job_faults.attr,
	&dev_attr_job_timeouts.attr,
	&dev_attr_lost_interrupts.attr,
	&dev_attr_ecc_corrected.attr,
	&dev_attr_ecc_uncorrected.attr,
	NULL
};

static const struct attribute_group atom_sysfs_errors_group = {
	.name = "errors",
	.attrs = atom_sysfs_errors_attrs,
};

struct atom_quota_attribute {
	struct device_attribute attr;
	enum atom_quota_kind kind;
};

static struct atom_quota_attribute *to_quota_attribute(struct device_attribute *attr)
{
	return container_of(attr, struct atom_quota_attribute, attr);
}

static ssize_t atom_quota_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", atom_quota_limit(dev_get_drvdata(dev),
							  to_quota_attribute(attr)->kind));
}

static ssize_t atom_quota_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	u64 limit;
	int ret;

	ret = kstrtou64(buf, 0, &limit);
	if (ret)
		return ret;
	atom_quota_set_limit(dev_get_drvdata(dev), to_quota_attribute(attr)->kind, limit);
	return count;
}

#define ATOM_ATTR_QUOTA(_name, _kind)						\
static struct atom_quota_attribute atom_quota_attr_##_name = {			\
	.attr = __ATTR(_name, 0644, atom_quota_show, atom_quota_store),		\
	.kind = _kind,								\
}

ATOM_ATTR_QUOTA(contexts, ATOM_QUOTA_CONTEXTS);
ATOM_ATTR_QUOTA(queues, ATOM_QUOTA_QUEUES);
ATOM_ATTR_QUOTA(local, ATOM_QUOTA_LOCAL);
ATOM_ATTR_QUOTA(shm, ATOM_QUOTA_SHM);
ATOM_ATTR_QUOTA(system, ATOM_QUOTA_SYSTEM);

static struct attribute *atom_sysfs_quota_attrs[] = {
	&atom_quota_attr_contexts.attr.attr,
	&atom_quota_attr_queues.attr.attr,
	&atom_quota_attr_local.attr.attr,
	&atom_quota_attr_shm.attr.attr,
	&atom_quota_attr_system.attr.attr,
	NULL
};

static const struct attribute_group atom_sysfs_quota_group = {
	.name = "quota",
	.attrs = atom_sysfs_quota_attrs,
};

const struct attribute_group *atom_sysfs_groups[] = {
	&atom_sysfs_group,
	&atom_sysfs_memory_group,
	&atom_sysfs_clock_group,
	&atom_sysfs_errors_group,
	&atom_sysfs_quota_group,
	NULL
};
