// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Module, PCI driver, DRM driver and the ioctl table.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include <drm/atom_accel.h>

#include "atom_aer.h"
#include "atom_bo.h"
#include "atom_debugfs.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_event.h"
#include "atom_fdinfo.h"
#include "atom_hwmon.h"
#include "atom_lockdep.h"
#include "atom_prime.h"
#include "atom_query.h"
#include "atom_queue.h"
#include "atom_quota.h"
#include "atom_submit.h"
#include "atom_sysfs.h"
#include "atom_vm.h"

/**
 * DOC: Locks
 *
 * From the outside in; who holds one may take those below it:
 *
 * - drm_dev_enter(): every entry point that touches the hardware. Waiting inside
 *   of it is bounded, or ends when struct atom_device.removing is set; so user
 *   memory is copied outside of it, which may take as long as its owner likes.
 * - mmap_lock (page faults)
 * - struct atom_queue.hw_lock: create, reset and destroy of a hardware queue. The
 *   ordered reset workqueue only tries it, because who holds it may wait for that
 *   workqueue's jobs.
 * - struct atom_vm.lock: mappings and page tables
 * - file->prime.lock and dev->object_name_lock of DRM, around dma-buf calls
 * - struct atom_bo.lock: memory of a buffer
 * - reservation (dma_resv) of a VM, or of a shared buffer: buffers linked to
 *   mappings, fences; then what the exporter of a dma-buf takes
 * - struct atom_vram.lock
 *
 * Memory is allocated, and fences are waited for, with these locks only. Reclaim may
 * call MMU notifiers and wait for fences, and what signals fences may want:
 *
 * - struct atom_vm.tables_lock: what page tables say. MMU notifiers take it
 * - a reset of the device, which may be waited for with all of the above (struct
 *   atom_reset.dep_map); in it struct atom_reset.hw (read also inside of mmap_lock:
 *   page faults make their page table before)
 * - struct atom_queue.submit_lock: order of jobs
 * - struct atom_device.lists_lock
 * - struct atom_admin.lock: one admin command, held until it is done
 * - struct atom_device.stop_lock
 * - struct atom_telemetry.lock, struct atom_events.lock, struct atom_perf.lock
 * - struct atom_quotas.lock, struct atom_vector.lock, struct atom_device.queue_lock
 *   (spinlocks)
 * - struct atom_queue.fence_lock (spinlock, taken in interrupts)
 * - struct atom_fence.lock, and what drm_sched takes when a fence signals
 *
 * Resets and sleep take struct atom_reset.lock around what they take of these.
 * Who writes a dump only tries struct atom_coredump.lock, atom_vm.lock and atom_bo.lock.
 *
 * No lock is held while user memory is copied, or while a job is waited for, but for
 * struct atom_queue.hw_lock in the latter case.
 *
 * Lockdep knows all this before anything happens (atom_lockdep_prime()), and that
 * run_job, time-outs, resets and the reading of faults are what fences wait for
 * (dma_fence_begin_signalling()).
 */

/**
 * DOC: Life and death
 *
 * A queue that fails is reset alone. A device that does not answer, contradicts
 * itself or does not end a queue's reset is reset as a whole, and goes on (DOC:
 * Reset of the device). If resets do not help it is stopped (function reset, bus
 * mastering off) and declared dead: fences signal -EIO, ioctls say -EIO, and the
 * uevent WEDGED=rebind,bus-reset tells the administrator: rebinding the driver
 * starts anew.
 *
 * Unplug (also rmmod and unbind): waiters go home, drm_dev_unplug() keeps all
 * entry points out and zaps all mappings, the device is stopped, and only then
 * everything that it could reach is freed. Open files, mappings and syncobjs may
 * live on; mappings then show dummy pages.
 */

uint atom_vectors;
module_param_named(vectors, atom_vectors, uint, 0444);
MODULE_PARM_DESC(vectors, "Interrupt vectors to ask for (default 0: one a queue and one more)");

uint atom_job_timeout_ms = 10000;
module_param_named(job_timeout_ms, atom_job_timeout_ms, uint, 0444);
MODULE_PARM_DESC(job_timeout_ms,
		 "Time without progress after which a job is given up (default 10000)");

uint atom_job_timeout_max_ms = 60000;
module_param_named(job_timeout_max_ms, atom_job_timeout_max_ms, uint, 0444);
MODULE_PARM_DESC(job_timeout_max_ms, "Largest time-out that a queue may ask for (default 60000)");

/* Count one more object: of the device's @total a file may hold half. */
static int atom_file_take(struct atom_file *afile, enum atom_quota_kind kind, atomic_t *held,
			  u32 total)
{
	int share = DIV_ROUND_UP(total, 2);
	int ret = -ENOSPC;

	if (atomic_inc_return(held) <= share || capable(CAP_SYS_RESOURCE))
		ret = atom_quota_take(afile->quota, kind, 1);
	if (ret)
		atomic_dec(held);
	return ret;
}

static void atom_file_give(struct atom_file *afile, enum atom_quota_kind kind, atomic_t *held)
{
	atom_quota_give(afile->quota, kind, 1);
	atomic_dec(held);
}

/**
 * atom_file_take_context() - count one more address space of a file
 * @afile: file
 *
 * Return: 0, or -ENOSPC if the file or its user has what one may have.
 */
int atom_file_take_context(struct atom_file *afile)
{
	return atom_file_take(afile, ATOM_QUOTA_CONTEXTS, &afile->vm_count,
			      afile->adev->limits.num_asids - 1);
}

/**
 * atom_file_give_context() - count one address space of a file less
 * @afile: file
 */
void atom_file_give_context(struct atom_file *afile)
{
	atom_file_give(afile, ATOM_QUOTA_CONTEXTS, &afile->vm_count);
}

/**
 * atom_file_take_queue() - count one more queue of a file
 * @afile: file
 *
 * Return: 0, or -ENOSPC if the file or its user has what one may have.
 */
int atom_file_take_queue(struct atom_file *afile)
{
	return atom_file_take(afile, ATOM_QUOTA_QUEUES, &afile->queue_count,
			      afile->adev->limits.num_queues);
}

/**
 * atom_file_give_queue() - count one queue of a file less
 * @afile: file
 */
void atom_file_give_queue(struct atom_file *afile)
{
	atom_file_give(afile, ATOM_QUOTA_QUEUES, &afile->queue_count);
}

static int atom_drv_open(struct drm_device *drm, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct atom_file *afile;
	int ret;

	afile = kzalloc_obj(*afile, GFP_KERNEL);
	if (!afile)
		return -ENOMEM;
	afile->quota = atom_quota_of_caller(adev);
	if (!afile->quota) {
		kfree(afile);
		return -ENOMEM;
	}
	/* Queues, address spaces and mappings need a device that is awake. */
	ret = atom_pm_get(adev);
	if (ret) {
		atom_quota_put(afile->quota);
		kfree(afile);
		return ret;
	}
	afile->adev = adev;
	xa_init_flags(&afile->vms, XA_FLAGS_ALLOC1);
	xa_init_flags(&afile->queues, XA_FLAGS_ALLOC1);
	file->driver_priv = afile;
	atom_event_open(afile, file);
	atomic_inc(&adev->counters.clients);
	return 0;
}

/* DRM throws away the events of a file first of all: none may come afterwards. */
static int atom_drv_release(struct inode *inode, struct file *filp)
{
	struct drm_file *file = filp->private_data;

	atom_event_close(file->driver_priv);
	return drm_release(inode, filp);
}

static void atom_drv_postclose(struct drm_device *drm, struct drm_file *file)
{
	struct atom_file *afile = file->driver_priv;
	struct atom_queue *queue;
	struct atom_vm *vm;
	unsigned long id;

	xa_for_each(&afile->queues, id, queue) {
		xa_erase(&afile->queues, id);
		drm_vma_node_revoke(&queue->area->base.vma_node, file);
		atom_queue_destroy(afile, queue);
	}
	xa_for_each(&afile->vms, id, vm) {
		xa_erase(&afile->vms, id);
		atom_vm_destroy(vm);
		atom_file_give_context(afile);
	}
	xa_destroy(&afile->queues);
	xa_destroy(&afile->vms);
	atomic_dec(&afile->adev->counters.clients);
	atom_pm_put(afile->adev);
	atom_quota_put(afile->quota);
	kfree(afile);
}

/**
 * atom_ioctl_enter() - drm_dev_enter() for an ioctl that needs a device in life
 * @drm: device
 * @idx: for drm_dev_exit()
 *
 * Return: 0, -ENODEV after an unplug, -EIO if the device is dead.
 */
int atom_ioctl_enter(struct drm_device *drm, int *idx)
{
	if (!drm_dev_enter(drm, idx))
		return -ENODEV;
	if (!atom_device_is_dead(to_atom_device(drm)))
		return 0;
	drm_dev_exit(*idx);
	return -EIO;
}

/*
 * drm_ioctl() copies the ioctl's structure before and after the handler. Handlers
 * that copy nothing themselves run inside of drm_dev_enter() as a whole.
 */
#define ATOM_IOCTL_INSIDE(handler)						\
static int atom_inside_##handler(struct drm_device *drm, void *data,		\
				 struct drm_file *file)				\
{										\
	int ret, idx;								\
										\
	ret = atom_ioctl_enter(drm, &idx);					\
	if (ret)								\
		return ret;							\
	ret = atom_ioctl_##handler(drm, data, file);				\
	drm_dev_exit(idx);							\
	return ret;								\
}

/* What works on a dead device: asking, and giving things back. */
#define ATOM_IOCTL_INSIDE_DEAD(handler)						\
static int atom_inside_##handler(struct drm_device *drm, void *data,		\
				 struct drm_file *file)				\
{										\
	int ret, idx;								\
										\
	if (!drm_dev_enter(drm, &idx))						\
		return -ENODEV;							\
	ret = atom_ioctl_##handler(drm, data, file);				\
	drm_dev_exit(idx);							\
	return ret;								\
}

ATOM_IOCTL_INSIDE(bo_create)
ATOM_IOCTL_INSIDE(bo_mmap_offset)
ATOM_IOCTL_INSIDE(bo_info)
ATOM_IOCTL_INSIDE(vm_create)
ATOM_IOCTL_INSIDE_DEAD(vm_destroy)
ATOM_IOCTL_INSIDE(queue_create)
ATOM_IOCTL_INSIDE_DEAD(queue_destroy)
ATOM_IOCTL_INSIDE_DEAD(queue_get_state)
ATOM_IOCTL_INSIDE(perf_open)

/* The label is the driver's own affair: no hardware, only the dead device's answer. */
static int atom_alive_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file)
{
	return atom_device_is_dead(to_atom_device(drm)) ? -EIO :
	       atom_ioctl_bo_set_label(drm, data, file);
}

#define ATOM_IOCTL(name, handler) \
	DRM_IOCTL_DEF_DRV(ATOM_##name, atom_##handler, DRM_RENDER_ALLOW)

/* Those called ioctl_ enter by themselves, between their copies of user memory. */
static const struct drm_ioctl_desc atom_ioctls[] = {
	ATOM_IOCTL(DEV_QUERY, ioctl_dev_query),
	ATOM_IOCTL(BO_CREATE, inside_bo_create),
	ATOM_IOCTL(BO_MMAP_OFFSET, inside_bo_mmap_offset),
	ATOM_IOCTL(BO_INFO, inside_bo_info),
	ATOM_IOCTL(BO_SET_LABEL, alive_bo_set_label),
	ATOM_IOCTL(VM_CREATE, inside_vm_create),
	ATOM_IOCTL(VM_DESTROY, inside_vm_destroy),
	ATOM_IOCTL(VM_BIND, ioctl_vm_bind),
	ATOM_IOCTL(QUEUE_CREATE, inside_queue_create),
	ATOM_IOCTL(QUEUE_DESTROY, inside_queue_destroy),
	ATOM_IOCTL(QUEUE_GET_STATE, inside_queue_get_state),
	ATOM_IOCTL(SUBMIT, ioctl_submit),
	ATOM_IOCTL(PERF_OPEN, inside_perf_open),
};

/* A longer structure than ours must end in zeros. */
static int atom_ioctl_check_tail(unsigned int cmd, const struct drm_ioctl_desc *desc,
				 const void __user *arg)
{
	unsigned int known = _IOC_SIZE(desc->cmd);
	unsigned int given = cmd & desc->cmd & IOC_IN ? _IOC_SIZE(cmd) : 0;
	int zero;

	if (given <= known)
		return 0;
	zero = check_zeroed_user(arg + known, given - known);
	return zero > 0 ? 0 : zero ?: -EINVAL;
}

/* drm_ioctl() refuses everything after an unplug; this one question is still answered. */
static long atom_ioctl_get_state_unplugged(struct drm_file *file, unsigned int cmd,
					   void __user *arg)
{
	struct drm_atom_queue_get_state state = {};
	size_t size = min_t(size_t, _IOC_SIZE(cmd), sizeof(state));
	int ret;

	if (copy_from_user(&state, arg, size))
		return -EFAULT;
	ret = atom_ioctl_queue_get_state(file->minor->dev, &state, file);
	if (!ret && copy_to_user(arg, &state, size))
		ret = -EFAULT;
	return ret;
}

/*
 * Not inside of drm_dev_enter(): user memory may be a file system's that never
 * answers, and an unplug of any DRM device waits for all sections.
 */
static long atom_drv_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct drm_file *file = filp->private_data;
	unsigned int index = DRM_IOCTL_NR(cmd) - DRM_COMMAND_BASE;
	long ret;

	if (_IOC_TYPE(cmd) != DRM_IOCTL_BASE || DRM_IOCTL_NR(cmd) < DRM_COMMAND_BASE ||
	    index >= ARRAY_SIZE(atom_ioctls))
		return drm_ioctl(filp, cmd, arg);

	index = array_index_nospec(index, ARRAY_SIZE(atom_ioctls));
	ret = atom_ioctl_check_tail(cmd, &atom_ioctls[index], (void __user *)arg);
	if (!ret)
		ret = drm_ioctl(filp, cmd, arg);
	if (ret == -ENODEV && index == DRM_ATOM_QUEUE_GET_STATE)
		ret = atom_ioctl_get_state_unplugged(file, cmd, (void __user *)arg);
	return ret;
}

#ifdef CONFIG_COMPAT
static long atom_drv_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	/* The driver's own structures are the same for 32-bit programs. */
	if (DRM_IOCTL_NR(cmd) >= DRM_COMMAND_BASE && DRM_IOCTL_NR(cmd) < DRM_COMMAND_END)
		return atom_drv_ioctl(filp, cmd, arg);
	return drm_compat_ioctl(filp, cmd, arg);
}
#endif

static const struct file_operations atom_drv_fops = {
	/* DRM_ACCEL_FOPS, but for the ioctls and the release. */
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = atom_drv_release,
	.unlocked_ioctl = atom_drv_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = atom_drv_compat_ioctl,
#endif
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = drm_gem_mmap,
	.show_fdinfo = drm_show_fdinfo,
	.fop_flags = FOP_UNSIGNED_OFFSET,
};

/*
 * 1.0: first version.
 */
static const struct drm_driver atom_drm_driver = {
	.driver_features = DRIVER_GEM | DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE |
			   DRIVER_COMPUTE_ACCEL | ATOM_DRIVER_GEM_GPUVA,
	.name = ATOM_DRIVER_NAME,
	.desc = "ATOM NPU",
	.major = 1,
	.minor = 0,
	.fops = &atom_drv_fops,
	.ioctls = atom_ioctls,
	.num_ioctls = ARRAY_SIZE(atom_ioctls),
	.open = atom_drv_open,
	.postclose = atom_drv_postclose,
	.show_fdinfo = atom_fdinfo_show,
	.gem_create_object = atom_bo_gem_create_object,
	.gem_prime_import = atom_prime_import,
};

static int atom_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct atom_device *adev;
	int ret;

	adev = devm_drm_dev_alloc(&pdev->dev, &atom_drm_driver, struct atom_device, drm);
	if (IS_ERR(adev))
		return PTR_ERR(adev);
	adev->pdev = pdev;
	pci_set_drvdata(pdev, adev);

	ret = atom_device_init(adev);
	if (ret)
		goto fini;
	atom_lockdep_prime(adev);
	atom_debugfs_init(adev);
	ret = drm_dev_register(&adev->drm, 0);
	if (ret)
		goto fini;
	/* A device without its sensors computes as well. */
	ret = atom_hwmon_init(adev);
	if (ret)
		drm_warn(&adev->drm, "no sensors: %d\n", ret);
	atom_pm_init(adev);

	drm_info(&adev->drm, "interface %u.%u, %u queues, %u vectors, %llu MiB LOCAL, %llu MiB SHM\n",
		 ATOM_VERSION_MAJOR(adev->limits.version), ATOM_VERSION_MINOR(adev->limits.version),
		 adev->limits.num_queues, adev->irq.count, adev->vram.local_size / SZ_1M,
		 adev->vram.shm_size / SZ_1M);
	return 0;
fini:
	atom_device_fini(adev);
	return ret;
}

static void atom_pci_remove(struct pci_dev *pdev)
{
	struct atom_device *adev = pci_get_drvdata(pdev);

	atom_pm_fini(adev);
	/* Those who wait inside of drm_dev_enter() must leave before it can end. */
	WRITE_ONCE(adev->removing, true);
	wake_up_all(&adev->reset.wait);
	atom_queue_wake_all(adev);
	drm_dev_unplug(&adev->drm);
	atom_perf_unplug(adev);

	/* Nobody enters any more. First the DMA ends, then its memory is freed. */
	atom_device_stop_hw(adev);
	atom_queue_kill_all(adev);
	atom_vm_unplug_all(adev);
	atom_area_unplug_all(adev);
	atom_bo_unplug(adev);
	atom_device_fini(adev);
}

static void atom_pci_shutdown(struct pci_dev *pdev)
{
	struct atom_device *adev = pci_get_drvdata(pdev);

	/* The next kernel must not find DMA going on. */
	WRITE_ONCE(adev->dead, true);
	atom_device_stop_hw(adev);
}

static const struct pci_device_id atom_pci_ids[] = {
	{ PCI_DEVICE(ATOM_PCI_VENDOR_ID, ATOM_PCI_DEVICE_ID_PF) },
	{ }
};
MODULE_DEVICE_TABLE(pci, atom_pci_ids);

static struct pci_driver atom_pci_driver = {
	.name = ATOM_DRIVER_NAME,
	.id_table = atom_pci_ids,
	.probe = atom_pci_probe,
	.remove = atom_pci_remove,
	.shutdown = atom_pci_shutdown,
	.dev_groups = atom_sysfs_groups,
	.driver.pm = pm_ptr(&atom_pm_ops),
	.err_handler = &atom_pci_error_handlers,
};

static int __init atom_module_init(void)
{
	if (drm_firmware_drivers_only())
		return -ENODEV;
	atom_job_timeout_max_ms = clamp(atom_job_timeout_max_ms, 1u, ATOM_JOB_TIMEOUT_LIMIT_MS);
	atom_job_timeout_ms = clamp(atom_job_timeout_ms, 1u, atom_job_timeout_max_ms);
	return pci_register_driver(&atom_pci_driver);
}

static void __exit atom_module_exit(void)
{
	pci_unregister_driver(&atom_pci_driver);
}

module_init(atom_module_init);
module_exit(atom_module_exit);

MODULE_DESCRIPTION("ATOM NPU");
MODULE_AUTHOR("The ATOM project");
MODULE_VERSION("1.0.0");
MODULE_LICENSE("Dual MIT/GPL");
