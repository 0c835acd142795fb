/* SPDX-License-Identifier: MIT */
#include "bo.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <cerrno>
#include <cstring>

#include "file.h"
#include "offset.h"

namespace atom::inprocess {

namespace {

constexpr std::uint64_t size_max = 1ull << 47;
constexpr std::uint32_t label_max = 63;

static_assert(DRM_ATOM_BO_SYSTEM == ATOM_APERTURE_SYSTEM && DRM_ATOM_BO_LOCAL == ATOM_APERTURE_LOCAL &&
	      DRM_ATOM_BO_SHM == ATOM_APERTURE_SHM);

/* What the kernel refuses too: more than the machine could ever give. */
bool exceeds_machine(std::uint64_t bytes)
{
	struct sysinfo info;
	return sysinfo(&info) == 0 && bytes / info.mem_unit > info.totalram;
}

memory &memory_of(device &d, std::uint32_t placement)
{
	switch (placement) {
	case DRM_ATOM_BO_LOCAL:
		return d.local();
	case DRM_ATOM_BO_SHM:
		return d.shm();
	default:
		return d.system();
	}
}

/* The CPU cannot clear it, and another buffer may have been there. */
bool clear_shm(device &d, const memory_range &range)
{
	atom_admin_desc command{};
	command.opcode = ATOM_ADMIN_MEM_CLEAR;
	command.mem_clear.address = range.address();
	command.mem_clear.bytes = range.bytes();
	command.mem_clear.aperture = ATOM_APERTURE_SHM;
	return d.admin(command);
}

} // namespace

int bo_create(file &f, drm_atom_bo_create &c)
{
	if (c.size == 0 || c.placement > DRM_ATOM_BO_SHM || c.flags & ~DRM_ATOM_BO_NO_MMAP)
		return -EINVAL;
	if (c.size > size_max)
		return -E2BIG;
	const bool system = c.placement == DRM_ATOM_BO_SYSTEM;
	if (system && exceeds_machine(c.size))
		return -ENOMEM;
	auto b = std::make_shared<bo>();
	b->range = memory_of(f.device(), c.placement).allocate(c.size);
	if (!b->range)
		return system ? -ENOMEM : -ENOSPC;
	if (c.placement == DRM_ATOM_BO_SHM && !clear_shm(f.device(), b->range))
		return -EIO;
	if (c.vm_id && !f.vms.find(c.vm_id))
		return -ENOENT;
	b->placement = c.placement;
	b->flags = c.flags;
	b->vm_id = c.vm_id;
	c.size = b->size();
	c.handle = f.bos.add(std::move(b));
	return 0;
}

int bo_mmap_offset(file &f, drm_atom_bo_mmap_offset &m)
{
	if (m.pad)
		return -EINVAL;
	const std::shared_ptr<bo> b = f.bos.find(m.handle);
	if (!b)
		return -ENOENT;
	if (b->flags & DRM_ATOM_BO_NO_MMAP || b->placement == DRM_ATOM_BO_SHM)
		return -EINVAL;
	m.offset = offset::make(offset::kind::buffer, m.handle);
	return 0;
}

int bo_info(file &f, drm_atom_bo_info &i)
{
	const std::shared_ptr<bo> b = f.bos.find(i.handle);
	if (!b)
		return -ENOENT;
	i.placement = b->placement;
	i.flags = b->flags;
	i.vm_id = b->vm_id;
	i.size = b->size();
	return 0;
}

/* Nobody shows labels here: only the checks are left. */
int bo_set_label(file &f, const drm_atom_bo_set_label &l)
{
	if (l.bytes > label_max)
		return -E2BIG;
	if (l.bytes && strnlen(user<const char>(l.label), l.bytes) != l.bytes)
		return -EINVAL;
	return f.bos.find(l.handle) ? 0 : -ENOENT;
}

int gem_close(file &f, const drm_gem_close &c)
{
	return f.bos.take(c.handle) ? 0 : -EINVAL;
}

} // namespace atom::inprocess
