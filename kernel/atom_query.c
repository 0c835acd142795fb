// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * DEV_QUERY: properties and readings of the device.
 */
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include <drm/atom_accel.h>

#include <atom/hw/mmu.h>

#include "atom_device.h"
#include "atom_drv.h"
#include "atom_query.h"
#include "atom_submit.h"
#include "atom_uapi.h"
#include "atom_userptr.h"
#include "atom_vm.h"

#define ATOM_TIMESTAMP_TRIES	4

static u64 atom_query_caps(const struct atom_device *adev)
{
	return DRM_ATOM_CAP_PRIME | DRM_ATOM_CAP_EVENTS | DRM_ATOM_CAP_PERF |
	       (ATOM_HAVE_USERPTR ? DRM_ATOM_CAP_USERPTR : 0) |
	       (adev->vram.shm_size ? DRM_ATOM_CAP_SHM : 0);
}

static void atom_query_info(struct atom_device *adev, struct drm_atom_dev_info *info)
{
	const struct atom_limits *limits = &adev->limits;

	*info = (struct drm_atom_dev_info) {
		.interface_version = limits->version,
		.fw_version = limits->fw_version,
		.device_caps = limits->caps,
		.kernel_caps = atom_query_caps(adev),
		.dtypes = limits->dtypes,
		.serial = limits->serial,
		.platform = limits->platform,
		.generation = READ_ONCE(adev->reset.count),
		.va_start = ATOM_VA_START,
		.va_end = ATOM_VA_END,
		.page_sizes = limits->page_sizes,
		.queues_max = limits->num_queues,
		.vms_max = limits->num_asids - 1,
		.ring_entries = 1u << limits->ring_log2,
		.submit_jobs_max = atom_submit_jobs_max(limits),
		.syncs_max = ATOM_SYNCS_MAX,
		.binds_max = ATOM_BINDS_MAX,
		.cmd_bytes_max = limits->cmd_bytes_max,
		.args_max = limits->args_max,
		.job_timeout_ms = READ_ONCE(adev->job_timeout_ms),
		.job_timeout_max_ms = READ_ONCE(adev->job_timeout_max_ms),
		.engines = limits->engines,
		.macs_log2_max = limits->macs_log2_max,
	};
	memcpy(info->opcodes, limits->opcodes, sizeof(info->opcodes));
	memcpy(info->uuid, limits->uuid, sizeof(info->uuid));
}

static void atom_query_memory(struct atom_device *adev, struct drm_atom_dev_memory *memory)
{
	struct atom_vram *vram = &adev->vram;

	mutex_lock(&vram->lock);
	*memory = (struct drm_atom_dev_memory) {
		.local_size = vram->local_size,
		.local_used = vram->local_used,
		.local_visible_size = vram->local_visible,
		.local_visible_used = vram->local_visible_used,
		.shm_size = vram->shm_size,
		.shm_used = vram->shm_used,
	};
	mutex_unlock(&vram->lock);
}

/* The best of a few tries: a hypervisor may stop the processor between two readings. */
static void atom_query_timestamp(struct atom_device *adev, struct drm_atom_dev_timestamp *stamp)
{
	int i;

	for (i = 0; i < ATOM_TIMESTAMP_TRIES; i++) {
		u64 before, after, device, uncertainty;

		preempt_disable();
		before = ktime_get_ns();
		device = atom_read64(adev, ATOM_REG_TIMESTAMP);
		after = ktime_get_ns();
		preempt_enable();

		uncertainty = (after - before + 1) / 2;
		if (i && uncertainty >= stamp->uncertainty_ns)
			continue;
		stamp->device_ns = device;
		stamp->monotonic_ns = before + (after - before) / 2;
		stamp->uncertainty_ns = uncertainty;
	}
}

/**
 * atom_ioctl_dev_query() - DRM_IOCTL_ATOM_DEV_QUERY
 * @drm: device
 * @data: struct drm_atom_dev_query
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct drm_atom_dev_query *args = data;
	union {
		struct drm_atom_dev_info info;
		struct drm_atom_dev_memory memory;
		struct drm_atom_dev_timestamp timestamp;
		struct drm_atom_dev_telemetry telemetry;
	} answer = {};
	u32 size = 0;
	int ret, idx;

	ret = atom_ioctl_enter(drm, &idx);
	if (ret)
		return ret;
	/* Its lock is held while memory is allocated, so that it comes before the hardware's. */
	if (args->type == DRM_ATOM_DEV_QUERY_MEMORY)
		atom_query_memory(adev, &answer.memory);
	if (!atom_hw_enter(adev)) {
		ret = fatal_signal_pending(current) ? -EINTR :
		      READ_ONCE(adev->removing) ? -ENODEV : -EIO;
		goto exit;
	}

	switch (args->type) {
	case DRM_ATOM_DEV_QUERY_INFO:
		size = sizeof(answer.info);
		atom_query_info(adev, &answer.info);
		break;
	case DRM_ATOM_DEV_QUERY_MEMORY:
		size = sizeof(answer.memory);
		break;
	case DRM_ATOM_DEV_QUERY_TIMESTAMP:
		size = sizeof(answer.timestamp);
		atom_query_timestamp(adev, &answer.timestamp);
		break;
	case DRM_ATOM_DEV_QUERY_TELEMETRY:
		size = sizeof(answer.telemetry);
		ret = atom_telemetry_get(adev, &answer.telemetry);
		break;
	default:
		ret = -EINVAL;
		break;
	}
	/* Read last: the device was there for all of the answer. */
	if (!ret && atom_read32(adev, ATOM_REG_MAGIC) == U32_MAX)
		ret = -ENODEV;
	atom_hw_exit(adev);
exit:
	drm_dev_exit(idx);
	return ret ?: atom_uobj_put(args->pointer, &args->size, &answer, size);
}
