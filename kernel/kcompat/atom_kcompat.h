/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Presents the newest kernel's spelling to the driver, on the older kernels too.
 * Which one is there is found out by probe.sh; nothing here asks for a version.
 * A driver that moves into the tree drops this header.
 */
#ifndef ATOM_KCOMPAT_H
#define ATOM_KCOMPAT_H

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

#include "atom_kcompat_config.h"

#if ATOM_HAVE_GPU_BUDDY
#include <linux/gpu_buddy.h>
#else
#include <drm/drm_buddy.h>

#define gpu_buddy			drm_buddy
#define gpu_buddy_block			drm_buddy_block
#define gpu_buddy_init			drm_buddy_init
#define gpu_buddy_fini			drm_buddy_fini
#define gpu_buddy_alloc_blocks		drm_buddy_alloc_blocks
#define gpu_buddy_free_list		drm_buddy_free_list
#define gpu_buddy_block_offset		drm_buddy_block_offset
#define gpu_buddy_block_size		drm_buddy_block_size
#define GPU_BUDDY_RANGE_ALLOCATION	DRM_BUDDY_RANGE_ALLOCATION
#define GPU_BUDDY_TOPDOWN_ALLOCATION	DRM_BUDDY_TOPDOWN_ALLOCATION
#endif

/* The name of a namespace became a string; an older kernel would quote it twice. */
#if ATOM_HAVE_IMPORT_NS_IDENT
#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns)		MODULE_INFO(import_ns, ns)
#endif

/* The feature bit went when all drivers had it: the list is always there now. */
#if ATOM_HAVE_DRIVER_GEM_GPUVA
#define ATOM_DRIVER_GEM_GPUVA		DRIVER_GEM_GPUVA
#else
#define ATOM_DRIVER_GEM_GPUVA		0
#endif

/* Older kernels print what is active in any case. */
#if !ATOM_HAVE_GEM_OBJECT_ACTIVE
#define DRM_GEM_OBJECT_ACTIVE		0
#endif

/* Flags of a mapping became a type of their own. */
#if ATOM_HAVE_SHMEM_VMA_FLAGS
#define ATOM_SHMEM_NORESERVE		mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define ATOM_SHMEM_NORESERVE		VM_NORESERVE
#endif

#if !ATOM_HAVE_WQ_PERCPU
#define WQ_PERCPU			0
#endif

#if !ATOM_HAVE_ALLOC_OBJ
#define kmalloc_obj(var, gfp)		kmalloc(sizeof(var), gfp)
#define kzalloc_obj(var, gfp)		kzalloc(sizeof(var), gfp)
#define kvzalloc_obj(var, gfp)		kvzalloc(sizeof(var), gfp)
#endif

#if !ATOM_HAVE_SCHED_JOB_INIT_CLIENT_ID
#define drm_sched_job_init(job, entity, credits, owner, client_id) \
	((void)(client_id), drm_sched_job_init(job, entity, credits, owner))
#endif

#if !ATOM_HAVE_SCHED_INIT_ARGS
struct drm_sched_init_args {
	const struct drm_sched_backend_ops *ops;
	struct workqueue_struct *submit_wq;
	struct workqueue_struct *timeout_wq;
	u32 num_rqs;
	u32 credit_limit;
	unsigned int hang_limit;
	long timeout;
	atomic_t *score;
	const char *name;
	struct device *dev;
};

static inline int atom_kcompat_sched_init(struct drm_gpu_scheduler *sched,
					  const struct drm_sched_init_args *args)
{
	return drm_sched_init(sched, args->ops, args->submit_wq, args->num_rqs,
			      args->credit_limit, args->hang_limit,
			      args->timeout, args->timeout_wq, args->score,
			      args->name, args->dev);
}

#define drm_sched_init(sched, args)	atom_kcompat_sched_init(sched, args)
#endif

/**
 * atom_kcompat_sched_no_hang() - what timedout_job returns to keep a job
 * @job: the job that timedout_job was given; not to be touched afterwards
 *
 * The scheduler takes the job back, and frees it if it is done. Kernels without
 * DRM_GPU_SCHED_STAT_NO_HANG forget it when the driver does not put it back on
 * the list itself.
 */
static inline enum drm_gpu_sched_stat
atom_kcompat_sched_no_hang(struct drm_sched_job *job)
{
#if ATOM_HAVE_SCHED_NO_HANG
	return DRM_GPU_SCHED_STAT_NO_HANG;
#else
	struct drm_gpu_scheduler *sched = job->sched;

	spin_lock(&sched->job_list_lock);
	list_add(&job->list, &sched->pending_list);
	spin_unlock(&sched->job_list_lock);

	/* Should it have ended meanwhile, nobody else would look at it again. */
	if (!READ_ONCE(sched->pause_submit))
		queue_work(sched->submit_wq, &sched->work_free_job);

	return DRM_GPU_SCHED_STAT_NOMINAL;
#endif
}

#if !ATOM_HAVE_GPUVM_MAP_REQ
struct drm_gpuvm_map_req {
	struct drm_gpuva_op_map map;
};

static inline int atom_kcompat_gpuvm_sm_map(struct drm_gpuvm *gpuvm, void *priv,
					    const struct drm_gpuvm_map_req *req)
{
	return drm_gpuvm_sm_map(gpuvm, priv, req->map.va.addr,
				req->map.va.range, req->map.gem.obj,
				req->map.gem.offset);
}

#define drm_gpuvm_sm_map(gpuvm, priv, req) \
	atom_kcompat_gpuvm_sm_map(gpuvm, priv, req)
#endif

#if !ATOM_HAVE_GPUVM_BO_OBTAIN_LOCKED
#define drm_gpuvm_bo_obtain_locked(gpuvm, obj)	drm_gpuvm_bo_obtain(gpuvm, obj)
#endif

#endif
