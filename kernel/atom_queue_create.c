// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * How queues come into being: memory, scheduler, hardware, and a number for programs.
 */
#include <linux/ctype.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_vm.h"

static size_t atom_queue_ring_bytes(struct atom_queue *queue)
{
	return queue->entries * sizeof(struct atom_ring_desc) + sizeof(*queue->tail);
}

static void atom_queue_free_ring(struct atom_queue *queue)
{
	if (queue->ring)
		dma_free_coherent(queue->adev->drm.dev, atom_queue_ring_bytes(queue), queue->ring,
				  queue->ring_dma);
	queue->ring = NULL;
}

/*
 * Comes last: as long as the queue is in the table an unplug finds it, and waits for whoever is
 * killing it, before workqueues and DMA go.
 */
static void atom_queue_free_id(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;

	spin_lock_irq(&adev->queue_lock);
	adev->queues[queue->hw_id] = NULL;
	spin_unlock_irq(&adev->queue_lock);
	ida_free(&adev->queue_ids, queue->hw_id);
	atomic_dec(&adev->counters.hw_queues);
}

/**
 * atom_queue_free_hw() - free what a queue has of the hardware
 * @queue: queue without jobs, which the hardware does not know
 */
void atom_queue_free_hw(struct atom_queue *queue)
{
	drm_sched_entity_fini(&queue->entity);
	drm_sched_fini(queue->sched);
	atom_queue_free_ring(queue);
	atom_queue_free_id(queue);
}

static int atom_queue_create_hw(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	struct atom_admin_desc desc = {
		.opcode = cpu_to_le16(ATOM_ADMIN_QUEUE_CREATE),
		.id = cpu_to_le32(queue->hw_id),
		.queue_create.ring_va = cpu_to_le64(queue->ring_dma),
		.queue_create.tail_va = cpu_to_le64(queue->ring_dma + queue->entries *
						    sizeof(struct atom_ring_desc)),
		.queue_create.completion_va = cpu_to_le64(queue->area->dma),
		.queue_create.job_asid = cpu_to_le16(queue->vm->mmu.asid),
		.queue_create.ring_asid = cpu_to_le16(ATOM_ASID_DRIVER),
		.queue_create.ring_log2 = ilog2(queue->entries),
		.queue_create.priority = queue->priority,
	};
	int ret;

	queue->generation = atom_queue_next_generation(adev);
	desc.queue_create.generation = cpu_to_le32(queue->generation);
	queue->alive_irq = true;
	spin_lock_irq(&adev->queue_lock);
	adev->queues[queue->hw_id] = queue;
	spin_unlock_irq(&adev->queue_lock);
	desc.queue_create.vector = cpu_to_le16(atom_irq_add_queue(adev, queue));

	ret = atom_admin_exec(adev, &desc);
	if (ret)
		atom_queue_hide(queue);
	else
		queue->alive = true;
	return ret == -EREMOTEIO ? -EIO : ret;
}

static int atom_queue_alloc_hw(struct atom_queue *queue, u32 timeout_ms)
{
	struct atom_device *adev = queue->adev;
	int ret;

	queue->ring = dma_alloc_coherent(adev->drm.dev, atom_queue_ring_bytes(queue),
					 &queue->ring_dma, GFP_KERNEL);
	if (!queue->ring)
		return -ENOMEM;
	queue->tail = (void *)&queue->ring[queue->entries];

	queue->area = atom_area_create(adev, ATOM_CPL_AREA_BYTES(ilog2(queue->entries)));
	if (IS_ERR(queue->area)) {
		ret = PTR_ERR(queue->area);
		queue->area = NULL;
		return ret;
	}

	ret = ida_alloc_range(&adev->queue_ids, 1, adev->limits.num_queues, GFP_KERNEL);
	if (ret < 0)
		return ret;
	queue->hw_id = ret;
	atomic_inc(&adev->counters.hw_queues);

	ret = atom_sched_init(queue, timeout_ms);
	if (ret)
		atom_queue_free_id(queue);
	return ret;
}

/**
 * atom_queue_init_locks() - make the locks of a queue
 * @queue: queue, or a stand-in of atom_lockdep_prime()
 */
void atom_queue_init_locks(struct atom_queue *queue)
{
	mutex_init(&queue->submit_lock);
	mutex_init(&queue->hw_lock);
	spin_lock_init(&queue->fence_lock);
}

static struct atom_queue *atom_queue_alloc(struct atom_device *adev, struct atom_vm *vm)
{
	struct atom_queue *queue = kzalloc_obj(*queue, GFP_KERNEL);

	if (!queue)
		return NULL;
	kref_init(&queue->ref);
	queue->adev = adev;
	drm_dev_get(&adev->drm);
	queue->vm = vm;
	drm_gpuvm_get(&vm->base);
	queue->entries = 1u << adev->limits.ring_log2;
	INIT_LIST_HEAD(&queue->vm_link);
	INIT_LIST_HEAD(&queue->vector_link);
	INIT_LIST_HEAD(&queue->fences);
	INIT_LIST_HEAD(&queue->waiting);
	atom_queue_init_locks(queue);
	init_waitqueue_head(&queue->space);
	init_waitqueue_head(&queue->idle);
	INIT_WORK(&queue->reset_work, atom_queue_reset_work);
	atomic_inc(&adev->counters.queues);
	return queue;
}

/* Create it for the hardware and in the VM, unless that was destroyed meanwhile. */
static int atom_queue_start(struct atom_queue *queue, const struct drm_atom_queue_create *args)
{
	struct atom_vm *vm = queue->vm;
	u32 timeout_ms = args->job_timeout_ms ?: READ_ONCE(vm->adev->job_timeout_ms);
	int ret;

	queue->priority = args->priority;
	ret = atom_queue_alloc_hw(queue, timeout_ms);
	if (ret) {
		atom_queue_free_ring(queue);
		return ret;
	}

	mutex_lock(&vm->lock);
	ret = vm->destroyed ? -ENOENT : atom_queue_create_hw(queue);
	if (!ret)
		list_add_tail(&queue->vm_link, &vm->queues);
	mutex_unlock(&vm->lock);
	if (!ret)
		return 0;

	/* While the hardware was asked, somebody may have found the queue, and wanted a reset. */
	spin_lock_irq(&queue->fence_lock);
	queue->killed = true;
	queue->banned = true;
	spin_unlock_irq(&queue->fence_lock);
	cancel_work_sync(&queue->reset_work);
	atom_queue_free_hw(queue);
	return ret;
}

/* It goes to the kernel's log: no line that looks like another's. */
static bool atom_queue_name_valid(const struct drm_atom_queue_create *args)
{
	u32 i;

	for (i = 0; i < sizeof(args->name) && args->name[i]; i++)
		if (!isascii(args->name[i]) || !isprint(args->name[i]))
			return false;
	return i < sizeof(args->name);
}

static int atom_queue_check_args(const struct atom_device *adev,
				 const struct drm_atom_queue_create *args)
{
	if (args->flags & ~DRM_ATOM_QUEUE_USER)
		return -EINVAL;
	if (args->flags & DRM_ATOM_QUEUE_USER)
		return -EOPNOTSUPP;
	if (args->priority > DRM_ATOM_QUEUE_PRIORITY_REALTIME ||
	    args->ring_va || args->ring_bytes ||
	    args->job_timeout_ms > READ_ONCE(adev->job_timeout_max_ms) ||
	    !atom_queue_name_valid(args))
		return -EINVAL;
	if (args->priority >= DRM_ATOM_QUEUE_PRIORITY_HIGH && !capable(CAP_SYS_NICE))
		return -EACCES;
	return 0;
}

/**
 * atom_ioctl_queue_create() - DRM_IOCTL_ATOM_QUEUE_CREATE
 * @drm: device
 * @data: struct drm_atom_queue_create
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct atom_file *afile = file->driver_priv;
	struct drm_atom_queue_create *args = data;
	struct atom_queue *queue;
	struct atom_vm *vm;
	int ret;

	ret = atom_queue_check_args(adev, args);
	if (ret)
		return ret;
	ret = atom_file_take_queue(afile);
	if (ret)
		return ret;
	vm = atom_vm_lookup(file, args->vm_id);
	if (!vm) {
		ret = -ENOENT;
		goto give;
	}
	queue = atom_queue_alloc(adev, vm);
	atom_vm_put(vm);
	if (!queue) {
		ret = -ENOMEM;
		goto give;
	}
	strscpy(queue->name, (const char *)args->name, sizeof(queue->name));
	queue->afile = afile;

	ret = atom_queue_start(queue, args);
	if (ret)
		goto put;
	ret = drm_vma_node_allow(&queue->area->base.vma_node, file);
	if (ret)
		goto kill;
	/* For us: the table's may be gone at once, if somebody guesses the id. */
	atom_queue_get(queue);
	ret = xa_alloc(&afile->queues, &queue->id, queue, xa_limit_31b, GFP_KERNEL);
	if (ret)
		goto revoke;

	args->queue_id = queue->id;
	args->ring_entries = 1u << adev->limits.ring_log2;
	args->completion_bytes = PAGE_ALIGN(ATOM_CPL_AREA_BYTES(adev->limits.ring_log2));
	args->doorbell_offset = 0;
	args->completion_offset = drm_vma_node_offset_addr(&queue->area->base.vma_node);
	atom_queue_put(queue);
	return 0;

revoke:
	atom_queue_put(queue);
	drm_vma_node_revoke(&queue->area->base.vma_node, file);
kill:
	atom_queue_kill(queue);
put:
	atom_queue_put(queue);
give:
	atom_file_give_queue(afile);
	return ret;
}
