// SPDX-License-Identifier: MIT
// Files that stand for buffers and timelines of the fake kernel.
#include <algorithm>
#include <cerrno>

#include <linux/dma-buf.h>

#include "fake_kernel.hpp"

namespace atom::test {

int fake_kernel::new_file(fake_file what)
{
	files_[next_file_] = std::move(what);
	++open_files_;
	return next_file_++;
}

int fake_kernel::foreign_dmabuf(std::uint64_t bytes)
{
	const std::lock_guard lock(mutex_);
	fake_file f;
	f.memory = std::make_shared<std::vector<std::byte>>(bytes);
	f.foreign = true;
	return new_file(std::move(f));
}

int fake_kernel::share(int fd, unsigned long request, void *argument)
{
	switch (request) {
	case DRM_IOCTL_PRIME_HANDLE_TO_FD:
		return export_bo(*static_cast<drm_prime_handle *>(argument));
	case DRM_IOCTL_PRIME_FD_TO_HANDLE:
		return import_bo(*static_cast<drm_prime_handle *>(argument));
	case DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD:
		return export_syncobj(*static_cast<drm_syncobj_handle *>(argument));
	case DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE:
		return import_syncobj(*static_cast<drm_syncobj_handle *>(argument));
	case DRM_IOCTL_SYNCOBJ_TRANSFER:
		return transfer(*static_cast<drm_syncobj_transfer *>(argument));
	case DMA_BUF_IOCTL_SYNC: {
		const auto flags = static_cast<dma_buf_sync *>(argument)->flags;
		if (files_.count(fd) == 0 || !files_.at(fd).memory)
			return ENOTTY;
		dmabuf_accesses.push_back(((flags & DMA_BUF_SYNC_END) != 0 ? "end " : "start ") +
		                          std::to_string(flags & DMA_BUF_SYNC_RW));
		return 0;
	}
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_BO_INFO): {
		auto &i = *static_cast<drm_atom_bo_info *>(argument);
		const auto o = objects_.find(i.handle);
		if (o == objects_.end())
			return ENOENT;
		i.placement = o->second.create.placement;
		i.flags = o->second.create.flags;
		if (o->second.imported)
			i.flags |= DRM_ATOM_BO_IMPORTED;
		i.vm_id = o->second.create.vm_id;
		i.size = o->second.memory->size();
		return 0;
	}
	default:
		return ENOTTY;
	}
}

int fake_kernel::export_bo(drm_prime_handle &p)
{
	const auto o = objects_.find(p.handle);
	if (o == objects_.end())
		return ENOENT;
	if (o->second.create.vm_id != 0)
		return EINVAL;
	fake_file f;
	f.memory = o->second.memory;
	f.foreign = o->second.imported;
	p.fd = new_file(std::move(f));
	return 0;
}

int fake_kernel::import_bo(drm_prime_handle &p)
{
	const auto f = files_.find(p.fd);
	if (f == files_.end())
		return EBADF;
	if (!f->second.memory)
		return EINVAL;
	const auto same = std::find_if(objects_.begin(), objects_.end(), [&](const auto &o) {
		return o.second.memory == f->second.memory;
	});
	if (same != objects_.end()) {
		p.handle = same->first; // the same each time, as the kernel does
		return 0;
	}
	p.handle = next_id_++;
	object &o = objects_[p.handle];
	o.memory = f->second.memory;
	o.imported = f->second.foreign;
	o.create.flags = o.imported ? DRM_ATOM_BO_NO_MMAP : 0;
	return 0;
}

int fake_kernel::export_syncobj(drm_syncobj_handle &h)
{
	const auto s = syncobjs_.find(h.handle);
	if (s == syncobjs_.end())
		return EINVAL;
	fake_file f;
	f.timeline = s->second;
	if ((h.flags & DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE) != 0) {
		if (!s->second->moment)
			return EINVAL;
		f.timeline = s->second->moment->first;
		f.moment = s->second->moment->second;
	}
	h.fd = new_file(std::move(f));
	return 0;
}

int fake_kernel::import_syncobj(drm_syncobj_handle &h)
{
	const auto f = files_.find(h.fd);
	if (f == files_.end() || !f->second.timeline)
		return EINVAL;
	if ((h.flags & DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE) != 0) {
		if (!f->second.moment)
			return EINVAL;
		syncobjs_.at(h.handle)->moment = {f->second.timeline, *f->second.moment};
		return 0;
	}
	if (f->second.moment)
		return EINVAL;
	h.handle = next_id_++;
	syncobjs_[h.handle] = f->second.timeline;
	return 0;
}

int fake_kernel::transfer(const drm_syncobj_transfer &t)
{
	const auto from = syncobjs_.find(t.src_handle);
	const auto to = syncobjs_.find(t.dst_handle);
	if (from == syncobjs_.end() || to == syncobjs_.end())
		return ENOENT;
	if (t.dst_point == 0) {
		if (std::max(from->second->value, from->second->pending) < t.src_point)
			return EINVAL;
		to->second->moment = {from->second, t.src_point};
		return 0;
	}
	if (!from->second->moment)
		return EINVAL;
	to->second->pending = std::max<std::uint64_t>(to->second->pending, t.dst_point);
	// Good enough for tests: the moment must have come.
	const auto &[source, point] = *from->second->moment;
	if (source->value >= point)
		to->second->value = std::max<std::uint64_t>(to->second->value, t.dst_point);
	notify();
	return 0;
}

} // namespace atom::test
