// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a dump tells of a queue. All that programs and the device can write is read
 * once and copied as it is, in bounds that are the driver's own.
 */
#include <linux/delay.h>
#include <linux/scatterlist.h>

#include "atom_bo.h"
#include "atom_coredump.h"
#include "atom_device.h"
#include "atom_queue.h"
#include "atom_vm.h"

/* How often an address space is asked for, a millisecond apart. */
#define ATOM_DUMP_TRIES	10

static void atom_dump_fill_queue(struct atom_dump_queue *to, struct atom_queue *queue, u64 job,
				 u32 running)
{
	const struct atom_queue_fault *fault = &queue->fault;
	u32 command = fault->error ? fault->command : ATOM_COMMAND_NONE;

	memcpy(to->name, queue->name, sizeof(to->name));
	to->asid = cpu_to_le32(queue->vm->mmu.asid);
	to->entries = cpu_to_le32(queue->entries);
	to->generation = cpu_to_le32(queue->generation);
	to->resets = cpu_to_le32(queue->resets);
	to->flags = cpu_to_le32(queue->flags);
	to->error = cpu_to_le32(fault->error);
	to->submitted = cpu_to_le64(queue->submitted);
	to->emitted = cpu_to_le64(queue->emitted);
	to->completed = cpu_to_le64(queue->completed);
	to->job = cpu_to_le64(job);
	to->fault_va = cpu_to_le64(fault->va);
	to->fault_code = cpu_to_le16(fault->code);
	to->fault_where = cpu_to_le16(fault->where);
	to->fault_opcode = cpu_to_le16(fault->opcode);
	to->fault_access = cpu_to_le16(fault->access);
	to->command = cpu_to_le32(command == ATOM_COMMAND_NONE ? running : command);
	to->fault_field = cpu_to_le32(fault->field);
}

static void atom_dump_ring(struct atom_dump *dump, struct atom_queue *queue, u64 first, u64 count)
{
	u64 whole = queue->entries;
	struct atom_cpl_record *records;
	struct atom_ring_desc *descs;
	u64 i;

	descs = atom_dump_add(dump, ATOM_DUMP_RING, queue->hw_id, first, count * sizeof(*descs),
			      whole * sizeof(*descs));
	for (i = 0; descs && i < count; i++)
		descs[i] = queue->ring[atom_seqno_slot(first + i, queue->entries)];
	records = atom_dump_add(dump, ATOM_DUMP_COMPLETIONS, queue->hw_id, first,
				count * sizeof(*records), whole * sizeof(*records));
	for (i = 0; records && i < count; i++)
		records[i] = *atom_queue_record(queue, first + i);
}

/* Returns the descriptor of the job that failed; all zero if none is on the ring. */
static struct atom_ring_desc atom_dump_state(struct atom_dump *dump, struct atom_queue *queue,
					     u32 running, u32 jobs)
{
	struct atom_ring_desc desc = {};
	struct atom_dump_queue *to;
	u64 job, first, oldest;

	spin_lock_irq(&queue->fence_lock);
	job = queue->fault.error && queue->fault.seqno > queue->lost_seqno ?
	      queue->fault.seqno : queue->completed + 1;
	to = atom_dump_add(dump, ATOM_DUMP_QUEUE, queue->hw_id, 0, sizeof(*to), sizeof(*to));
	if (to)
		atom_dump_fill_queue(to, queue, job, running);
	/* Without it, ring and area may have been freed. */
	if (queue->alive_irq) {
		oldest = queue->emitted > queue->entries ? queue->emitted - queue->entries + 1 : 1;
		first = max(oldest, job > jobs / 4 ? job - jobs / 4 : 1);
		if (first <= queue->emitted)
			atom_dump_ring(dump, queue, first,
				       min_t(u64, jobs, queue->emitted - first + 1));
		if (job >= oldest && job <= queue->emitted)
			desc = queue->ring[atom_seqno_slot(job, queue->entries)];
	}
	spin_unlock_irq(&queue->fence_lock);
	return desc;
}

/* Copies what the device would read at @va; returns how much of it can be read here. */
static size_t atom_dump_memory(struct atom_vm *vm, u64 va, void *to, size_t bytes)
{
	size_t done = 0;

	lockdep_assert_held(&vm->lock);

	while (done < bytes) {
		struct drm_gpuva *gpuva = drm_gpuva_find_first(&vm->base, va + done, 1);
		u64 inside, length;
		struct atom_bo *bo;

		if (!gpuva || !gpuva->gem.obj)
			break;
		bo = to_atom_bo(gpuva->gem.obj);
		/* Device memory, and memory of others, are not the CPU's to read. */
		if (!bo->sgt || bo->dma_buf)
			break;
		inside = va + done - gpuva->va.addr;
		length = min(bytes - done, gpuva->va.range - inside);
		length = sg_pcopy_to_buffer(bo->sgt->sgl, bo->sgt->orig_nents, to + done, length,
					    gpuva->gem.offset + inside);
		if (!length)
			break;
		done += length;
	}
	return done;
}

static void atom_dump_add_memory(struct atom_dump *dump, struct atom_queue *queue, u32 type,
				 u64 va, u64 whole, u64 bytes)
{
	void *to;

	if (!whole)
		return;
	bytes = min(bytes, whole);
	to = atom_dump_add(dump, type, queue->hw_id, va, bytes, whole);
	if (to)
		atom_dump_shrink(dump, to, atom_dump_memory(queue->vm, va, to, bytes));
}

static void atom_dump_mapping(struct atom_dump_mapping *to, struct drm_gpuva *gpuva)
{
	struct atom_bo *bo = to_atom_bo(gpuva->gem.obj);
	u32 flags = 0;

	if (to_atom_va(gpuva)->readonly)
		flags |= ATOM_DUMP_MAPPING_READONLY;
	if (bo->userptr)
		flags |= ATOM_DUMP_MAPPING_USERPTR;
	if (bo->dma_buf)
		flags |= ATOM_DUMP_MAPPING_IMPORTED;
	to->va = cpu_to_le64(gpuva->va.addr);
	to->bytes = cpu_to_le64(gpuva->va.range);
	to->offset = cpu_to_le64(gpuva->gem.offset);
	to->placement = cpu_to_le32(bo->placement);
	to->flags = cpu_to_le32(flags);
	/* A label that is being changed is left out. */
	if (mutex_trylock(&bo->lock)) {
		strscpy(to->label, bo->label, sizeof(to->label));
		mutex_unlock(&bo->lock);
	}
}

static void atom_dump_mappings(struct atom_dump *dump, struct atom_queue *queue, u32 limit)
{
	struct atom_vm *vm = queue->vm;
	struct atom_dump_mapping *to;
	struct drm_gpuva *gpuva;
	u32 total = 0, count = 0;

	lockdep_assert_held(&vm->lock);

	drm_gpuvm_for_each_va(gpuva, &vm->base)
		total += gpuva->gem.obj ? 1 : 0;
	limit = min(limit, total);
	to = atom_dump_add(dump, ATOM_DUMP_MAPPINGS, queue->hw_id, 0, limit * sizeof(*to),
			   total * sizeof(*to));
	if (!to)
		return;
	drm_gpuvm_for_each_va(gpuva, &vm->base)
		if (gpuva->gem.obj && count < limit)
			atom_dump_mapping(&to[count++], gpuva);
}

/* Who holds it may wait for memory, and memory for our fences: no waiting without an end. */
static bool atom_dump_lock_vm(struct atom_vm *vm)
{
	int i;

	for (i = 0; i < ATOM_DUMP_TRIES; i++) {
		if (mutex_trylock(&vm->lock))
			return true;
		usleep_range(1000, 2000);
	}
	return false;
}

/**
 * atom_dump_queue() - add all sections of a queue
 * @dump: dump
 * @queue: queue, perhaps on its way out
 * @running: index of the command that its hardware runs, or ATOM_COMMAND_NONE
 * @limits: how much
 */
void atom_dump_queue(struct atom_dump *dump, struct atom_queue *queue, u32 running,
		     const struct atom_dump_limits *limits)
{
	struct atom_ring_desc desc = atom_dump_state(dump, queue, running, limits->jobs);

	if (!atom_dump_lock_vm(queue->vm)) {
		dump->flags |= ATOM_DUMP_BUSY;
		return;
	}
	atom_dump_add_memory(dump, queue, ATOM_DUMP_COMMANDS, le64_to_cpu(desc.cmd_va),
			     le32_to_cpu(desc.cmd_bytes), limits->commands);
	atom_dump_add_memory(dump, queue, ATOM_DUMP_ARGUMENTS, le64_to_cpu(desc.args_va),
			     (u64)le32_to_cpu(desc.arg_count) * sizeof(struct atom_arg),
			     limits->commands / 4);
	atom_dump_mappings(dump, queue, limits->mappings);
	mutex_unlock(&queue->vm->lock);
}
