// SPDX-License-Identifier: MIT
// Buffers as dma-bufs.
#include <fcntl.h>
#include <linux/dma-buf.h>

#include <drm/atom_accel.h>

#include "kmd/kmd.hpp"

namespace atom::kmd {

bool node::has_user_memory(const device_info &info)
{
	return (info.kernel_caps & DRM_ATOM_CAP_USERPTR) != 0;
}

int node::bo_info(std::uint32_t handle, bo_facts &out) const
{
	drm_atom_bo_info i{};
	i.handle = handle;
	if (const int error = call(DRM_IOCTL_ATOM_BO_INFO, &i))
		return error;
	out.where = static_cast<placement>(i.placement);
	out.mappable = (i.flags & DRM_ATOM_BO_NO_MMAP) == 0;
	out.imported = (i.flags & DRM_ATOM_BO_IMPORTED) != 0;
	out.bytes = i.size;
	return 0;
}

int node::bo_export(std::uint32_t handle, int &dmabuf) const
{
	drm_prime_handle p{};
	p.handle = handle;
	p.flags = O_CLOEXEC | O_RDWR;
	const int error = call(DRM_IOCTL_PRIME_HANDLE_TO_FD, &p);
	dmabuf = p.fd;
	return error;
}

int node::bo_import(int dmabuf, std::uint32_t &handle) const
{
	drm_prime_handle p{};
	p.fd = dmabuf;
	const int error = call(DRM_IOCTL_PRIME_FD_TO_HANDLE, &p);
	handle = p.handle;
	return error;
}

int node::dmabuf_sync(int dmabuf, bool end, bool read, bool write) const
{
	dma_buf_sync s{};
	s.flags = end ? DMA_BUF_SYNC_END : DMA_BUF_SYNC_START;
	s.flags |= read ? DMA_BUF_SYNC_READ : 0;
	s.flags |= write ? DMA_BUF_SYNC_WRITE : 0;
	return -fd_.system().ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s);
}

} // namespace atom::kmd
