// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Sharing by dma-buf
 *
 * *Export.* A buffer that is not private to a VM can be exported, whatever its
 * placement. Importing it into the same device gives the same object. Another
 * device can attach to SYSTEM memory only: nothing migrates behind the owner's
 * back, and LOCAL and SHM memory has no address that another device could use
 * (-EOPNOTSUPP). For the CPU, LOCAL memory can be mapped through the dma-buf as
 * through the device file, and shows zeros after an unplug. There is no vmap of
 * it, since nobody could take that away from the kernel at an unplug.
 *
 * *Import.* Memory of others becomes a SYSTEM buffer without a CPU mapping of its
 * own. The attachment is static: the exporter pins its memory, until the buffer
 * is freed or the device is unplugged. With a dynamic one the exporter could move
 * the memory while jobs run, and a job names no buffers that could be moved back
 * before it starts; nor can the device resume a job that faulted.
 *
 * *Fences.* Synchronisation is explicit: SUBMIT neither waits for the fences in
 * the reservation of a shared buffer, nor adds its own for others to wait for.
 * DMA_BUF_IOCTL_EXPORT_SYNC_FILE and _IMPORT_SYNC_FILE carry them between a
 * dma-buf and a syncobj. As the memory is pinned, nobody needs a fence to know
 * when it may go.
 *
 * *Life.* A dma-buf holds its buffer and the struct drm_device of its exporter; an
 * imported buffer holds the dma-buf. Either side may close, or lose its device,
 * first.
 */
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_prime.h"
#include "atom_quota.h"

static int atom_dmabuf_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if (to_atom_bo(obj)->placement != DRM_ATOM_BO_SYSTEM)
		return -EOPNOTSUPP;
	return drm_gem_map_attach(dma_buf, attach);
}

static const struct dma_buf_ops atom_dmabuf_ops = {
	.attach = atom_dmabuf_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/**
 * atom_prime_export() - make a dma-buf of a buffer
 * @obj: buffer that was not imported
 * @flags: DRM_CLOEXEC, DRM_RDWR
 *
 * Return: dma-buf, -EINVAL if the buffer is private to a VM, or another error.
 */
struct dma_buf *atom_prime_export(struct drm_gem_object *obj, int flags)
{
	struct dma_buf_export_info info = {
		.exp_name = ATOM_DRIVER_NAME,
		.owner = THIS_MODULE,
		.ops = &atom_dmabuf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};

	/* It lives by the reservation of its VM, which outsiders must not lock. */
	if (to_atom_bo(obj)->vm_root)
		return ERR_PTR(-EINVAL);
	return drm_gem_dmabuf_export(obj->dev, &info);
}

static int atom_import_map(struct atom_bo *bo)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int ret;

	attach = dma_buf_attach(bo->dma_buf, bo->shmem.base.dev->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto detach;
	}
	ret = atom_bo_set_extents(bo, sgt);
	if (ret)
		goto unmap;
	bo->attach = attach;
	return 0;

unmap:
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
detach:
	dma_buf_detach(bo->dma_buf, attach);
	return ret;
}

static void atom_import_unmap(struct atom_bo *bo)
{
	dma_buf_unmap_attachment_unlocked(bo->attach, bo->sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(bo->dma_buf, bo->attach);
	bo->attach = NULL;
}

static void atom_import_free(struct atom_bo *bo)
{
	struct dma_buf *dma_buf = bo->dma_buf;

	drm_gem_object_release(&bo->shmem.base);
	kfree(bo);
	/* The reservation lock of the object was in it. */
	dma_buf_put(dma_buf);
}

static const struct atom_memory_ops atom_import_ops = {
	.map = atom_import_map,
	.unmap = atom_import_unmap,
	.free = atom_import_free,
};

static struct atom_bo *atom_import_create(struct atom_device *adev, struct dma_buf *dma_buf)
{
	struct atom_quota *quota;
	struct atom_bo *bo;
	int ret;

	/* The device maps whole pages, and must not reach what is behind the end. */
	if (!dma_buf->size || !PAGE_ALIGNED(dma_buf->size))
		return ERR_PTR(-EINVAL);

	bo = atom_bo_create_foreign(adev, dma_buf->size, &atom_import_ops);
	if (IS_ERR(bo))
		return bo;
	get_dma_buf(dma_buf);
	bo->dma_buf = dma_buf;
	bo->shmem.base.resv = dma_buf->resv;
	bo->flags = DRM_ATOM_BO_NO_MMAP | DRM_ATOM_BO_IMPORTED;

	quota = atom_quota_of_caller(adev);
	ret = quota ? atom_bo_charge(bo, quota) : -ENOMEM;
	if (quota)
		atom_quota_put(quota);
	if (!ret)
		ret = atom_bo_backing(bo);
	if (ret) {
		drm_gem_object_put(&bo->shmem.base);
		return ERR_PTR(ret);
	}
	return bo;
}

/**
 * atom_prime_import() - make a buffer of a dma-buf
 * @drm: device
 * @dma_buf: dma-buf
 *
 * Return: buffer with a reference for the caller, or an error pointer.
 */
struct drm_gem_object *atom_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct atom_bo *bo;
	int ret, idx;

	if (dma_buf->ops == &atom_dmabuf_ops) {
		struct drm_gem_object *obj = dma_buf->priv;

		if (obj->dev == drm) {
			drm_gem_object_get(obj);
			return obj;
		}
	}

	ret = atom_ioctl_enter(drm, &idx);
	if (ret)
		return ERR_PTR(ret);
	bo = atom_import_create(to_atom_device(drm), dma_buf);
	drm_dev_exit(idx);
	return IS_ERR(bo) ? ERR_CAST(bo) : &bo->shmem.base;
}

MODULE_IMPORT_NS("DMA_BUF");
