// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * debugfs: what there is at this moment (DOC: Debugging). Each object is held by a
 * reference while it is printed, so that files may close, queues end and the device
 * leave meanwhile.
 */
#include <linux/pm_runtime.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>

#include "atom_bo.h"
#include "atom_debugfs.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_vm.h"

static int atom_debugfs_queues(struct seq_file *m, void *unused)
{
	struct atom_device *adev = atom_debugfs_device(m);
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		u64 busy = atom_queue_busy_ns(queue);

		spin_lock_irq(&queue->fence_lock);
		seq_printf(m, "queue %u asid %u name \"%s\" priority %u flags %#x generation %u",
			   queue->hw_id, queue->vm->mmu.asid, queue->name, queue->priority,
			   queue->flags, queue->generation);
		seq_printf(m, " emitted %llu completed %llu outstanding %d busy_ns %llu resets %u\n",
			   queue->emitted, queue->completed, atomic_read(&queue->outstanding),
			   busy, queue->resets);
		if (queue->fault.error)
			seq_printf(m, "  job %llu failed: %s at %#llx, command %u, error %u\n",
				   queue->fault.seqno, atom_fault_name(queue->fault.code),
				   queue->fault.va, queue->fault.command, queue->fault.error);
		spin_unlock_irq(&queue->fence_lock);
		atom_queue_put(queue);
	}
	return 0;
}

/* With a reference, or NULL behind the last one. */
static struct atom_vm *atom_debugfs_vm_at(struct atom_device *adev, u32 index)
{
	struct atom_vm *vm;

	mutex_lock(&adev->lists_lock);
	list_for_each_entry(vm, &adev->vms, link) {
		if (index--)
			continue;
		/* On the list it has the reference of its file's table. */
		drm_gpuvm_get(&vm->base);
		mutex_unlock(&adev->lists_lock);
		return vm;
	}
	mutex_unlock(&adev->lists_lock);
	return NULL;
}

static int atom_debugfs_vms(struct seq_file *m, void *unused)
{
	static const char * const places[] = { "system", "local", "shm" };
	struct atom_device *adev = atom_debugfs_device(m);
	struct drm_gpuva *va;
	struct atom_vm *vm;
	u32 index;

	for (index = 0; (vm = atom_debugfs_vm_at(adev, index)); index++) {
		mutex_lock(&vm->lock);
		seq_printf(m, "vm asid %u\n", vm->mmu.asid);
		drm_gpuvm_for_each_va(va, &vm->base) {
			struct atom_bo *bo = to_atom_bo(va->gem.obj);

			if (va == &vm->base.kernel_alloc_node)
				continue;
			seq_printf(m, "  %#llx bytes %#llx offset %#llx %s%s%s\n", va->va.addr,
				   va->va.range, va->gem.offset, places[bo->placement],
				   to_atom_va(va)->readonly ? " readonly" : "",
				   bo->userptr ? " userptr" : "");
		}
		mutex_unlock(&vm->lock);
		atom_vm_put(vm);
	}
	return 0;
}

static void atom_debugfs_file_buffers(struct seq_file *m, struct drm_file *file)
{
	struct drm_gem_object *obj;
	int handle = 0;

	while ((obj = atom_bo_next(file, &handle))) {
		struct drm_printer p = drm_seq_file_printer(m);
		struct atom_bo *bo = to_atom_bo(obj);

		seq_printf(m, "client %llu handle %d bytes %zu handles %u flags %#x\n",
			   file->client_id, handle, obj->size, obj->handle_count, bo->flags);
		mutex_lock(&bo->lock);
		obj->funcs->print_info(&p, 1, obj);
		mutex_unlock(&bo->lock);
		drm_gem_object_put(obj);
		handle++;
	}
}

static int atom_debugfs_buffers(struct seq_file *m, void *unused)
{
	struct drm_device *drm = &atom_debugfs_device(m)->drm;
	struct drm_file *file;
	int ret;

	ret = mutex_lock_interruptible(&drm->filelist_mutex);
	if (ret)
		return ret;
	list_for_each_entry(file, &drm->filelist, lhead)
		atom_debugfs_file_buffers(m, file);
	mutex_unlock(&drm->filelist_mutex);
	return 0;
}

static void atom_debugfs_print_registers(struct seq_file *m, struct atom_device *adev)
{
	static const struct {
		const char *name;
		u32 offset;
		u32 bytes;
	} registers[] = {
		{ "magic", ATOM_REG_MAGIC, 4 },
		{ "version", ATOM_REG_VERSION, 4 },
		{ "fw_version", ATOM_REG_FW_VERSION, 4 },
		{ "caps", ATOM_REG_CAPS, 8 },
		{ "ctrl", ATOM_REG_CTRL, 4 },
		{ "status", ATOM_REG_STATUS, 4 },
		{ "error_code", ATOM_REG_ERROR_CODE, 4 },
		{ "generation", ATOM_REG_GENERATION, 4 },
		{ "timestamp", ATOM_REG_TIMESTAMP, 8 },
		{ "intr_mask", ATOM_REG_INTR_MASK, 4 },
		{ "admin_log2", ATOM_REG_ADMIN_LOG2, 4 },
		{ "fault_log2", ATOM_REG_FAULT_LOG2, 4 },
		{ "fault_tail", ATOM_REG_FAULT_TAIL, 8 },
		{ "fault_head", ATOM_REG_FAULT_HEAD, 8 },
		{ "fault_lost", ATOM_REG_FAULT_LOST, 4 },
		{ "jobs_done", ATOM_REG_JOBS_DONE, 8 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(registers); i++)
		seq_printf(m, "%s %#llx\n", registers[i].name, registers[i].bytes == 8 ?
			   atom_read64(adev, registers[i].offset) :
			   (u64)atom_read32(adev, registers[i].offset));
	for (i = 0; i <= adev->limits.num_queues; i++) {
		u32 block = ATOM_REG_QUEUE(i);

		seq_printf(m, "queue %u state %u seqno %llu head %llu progress %llu command %#x fault %u\n",
			   i, atom_read32(adev, block + ATOM_QREG_STATE),
			   atom_read64(adev, block + ATOM_QREG_SEQNO),
			   atom_read64(adev, block + ATOM_QREG_HEAD),
			   atom_read64(adev, block + ATOM_QREG_PROGRESS),
			   atom_read32(adev, block + ATOM_QREG_COMMAND),
			   atom_read32(adev, block + ATOM_QREG_FAULT_CODE));
	}
}

/* A look must not wake the device; one that has no registers now says why. */
static int atom_debugfs_registers(struct seq_file *m, void *unused)
{
	struct atom_device *adev = atom_debugfs_device(m);
	struct device *dev = adev->drm.dev;
	int awake, idx;

	if (!drm_dev_enter(&adev->drm, &idx))
		return -ENODEV;
	/* Negative: the system has no runtime PM, or it is off for this device. */
	awake = pm_runtime_get_if_active(dev);
	if (!awake) {
		seq_puts(m, "asleep\n");
	} else if (atom_device_is_dead(adev)) {
		seq_puts(m, "dead\n");
	} else if (!atom_hw_try_enter(adev)) {
		seq_puts(m, "out of service\n");
	} else {
		atom_debugfs_print_registers(m, adev);
		atom_hw_exit(adev);
	}
	if (awake > 0)
		pm_runtime_put(dev);
	drm_dev_exit(idx);
	return 0;
}

/* Records stay in the FIFO until others need their place, or the device is reset. */
static int atom_debugfs_faults(struct seq_file *m, void *unused)
{
	struct atom_device *adev = atom_debugfs_device(m);
	struct atom_fault_fifo *fifo = &adev->fault;
	u64 head, first;
	int idx;

	if (!drm_dev_enter(&adev->drm, &idx))
		return -ENODEV;
	head = READ_ONCE(fifo->head);
	first = head - min(head, 1ull << fifo->log2);
	for (; first < head; first++) {
		struct atom_fault_record record = fifo->records[first & ((1ull << fifo->log2) - 1)];

		if (le64_to_cpu(record.seq) != first + 1)
			continue;
		seq_printf(m, "fault %llu queue %u job %llu asid %u: %s at %#llx access %#x command %u field %u\n",
			   first + 1, le32_to_cpu(record.queue), le64_to_cpu(record.desc_seq),
			   le32_to_cpu(record.asid), atom_fault_name(le16_to_cpu(record.code)),
			   le64_to_cpu(record.va), le32_to_cpu(record.access),
			   le32_to_cpu(record.command), le32_to_cpu(record.field_offset));
	}
	drm_dev_exit(idx);
	return 0;
}

static int atom_debugfs_rings(struct seq_file *m, void *unused)
{
	struct atom_device *adev = atom_debugfs_device(m);
	struct atom_queue *queue;
	u32 id = 0;
	int idx;

	if (!drm_dev_enter(&adev->drm, &idx))
		return -ENODEV;
	seq_printf(m, "firmware %#x interface %#x platform %u\n", adev->limits.fw_version,
		   adev->limits.version, adev->limits.platform);
	seq_printf(m, "admin emitted %llu completed %llu\n", READ_ONCE(adev->admin.seq),
		   le64_to_cpu(READ_ONCE(adev->admin.header->seqno)));
	seq_printf(m, "faults consumed %llu of %llu slots\n", READ_ONCE(adev->fault.head),
		   1ull << adev->fault.log2);
	while ((queue = atom_queue_next(adev, &id))) {
		spin_lock_irq(&queue->fence_lock);
		if (queue->alive_irq)
			seq_printf(m, "queue %u slots %u tail %llu seqno %llu\n", queue->hw_id,
				   queue->entries, queue->emitted,
				   le64_to_cpu(READ_ONCE(atom_queue_header(queue)->seqno)));
		spin_unlock_irq(&queue->fence_lock);
		atom_queue_put(queue);
	}
	drm_dev_exit(idx);
	return 0;
}

/**
 * atom_debugfs_state_init() - add the files that tell what there is
 * @adev: device, not registered yet
 */
void atom_debugfs_state_init(struct atom_device *adev)
{
	drm_debugfs_add_file(&adev->drm, "queues", atom_debugfs_queues, NULL);
	drm_debugfs_add_file(&adev->drm, "vms", atom_debugfs_vms, NULL);
	drm_debugfs_add_file(&adev->drm, "buffers", atom_debugfs_buffers, NULL);
	drm_debugfs_add_file(&adev->drm, "registers", atom_debugfs_registers, NULL);
	drm_debugfs_add_file(&adev->drm, "faults", atom_debugfs_faults, NULL);
	drm_debugfs_add_file(&adev->drm, "rings", atom_debugfs_rings, NULL);
}
