// SPDX-License-Identifier: MIT
// Buffers and address spaces of the fake kernel.
#include <cerrno>

#include "fake_kernel.hpp"

namespace atom::test {
namespace {

constexpr std::uint64_t page = 4096;

template <class T>
const T *user(std::uint64_t pointer)
{
	return reinterpret_cast<const T *>(static_cast<std::uintptr_t>(pointer));
}

} // namespace

int fake_kernel::bo_create(drm_atom_bo_create &c)
{
	if (c.size == 0 || c.placement > DRM_ATOM_BO_SHM || (c.flags & ~DRM_ATOM_BO_NO_MMAP) != 0)
		return EINVAL;
	if (c.vm_id != 0 && vms_.count(c.vm_id) == 0)
		return ENOENT;
	if (c.size > 1ULL << 30)
		return c.placement == DRM_ATOM_BO_SYSTEM ? ENOMEM : ENOSPC;
	c.size = (c.size + page - 1) & ~(page - 1);
	c.handle = next_id_++;
	object &o = objects_[c.handle];
	o.create = c;
	o.memory = std::make_shared<std::vector<std::byte>>(c.size);
	return 0;
}

int fake_kernel::gem_close(const drm_gem_close &c)
{
	for (const auto &[id, vm] : vms_)
		for (const auto &[va, b] : vm)
			if (b.handle == c.handle && b.user == nullptr)
				return EBUSY; // the kernel would keep it; libatom unbinds first
	return objects_.erase(c.handle) == 1 ? 0 : EINVAL;
}

int fake_kernel::vm_create(drm_atom_vm_create &c)
{
	if (c.flags != 0)
		return EINVAL;
	if (vms_.size() == info.vms_max)
		return ENOSPC;
	c.vm_id = next_id_++;
	vms_[c.vm_id] = {};
	return 0;
}

int fake_kernel::vm_destroy(const drm_atom_vm_destroy &d)
{
	if (d.pad != 0)
		return EINVAL;
	return vms_.erase(d.vm_id) == 1 ? 0 : ENOENT;
}

int fake_kernel::vm_bind(const drm_atom_vm_bind &b)
{
	const auto vm = vms_.find(b.vm_id);
	if (vm == vms_.end())
		return ENOENT;
	if (b.flags != 0 || b.syncs.count != 0 || b.ops.stride != sizeof(drm_atom_vm_bind_op))
		return EINVAL;
	for (std::uint32_t i = 0; i < b.ops.count; ++i) {
		const drm_atom_vm_bind_op &op = user<drm_atom_vm_bind_op>(b.ops.array)[i];
		if (op.pad != 0 || op.bytes == 0 || op.bytes % page != 0 || op.va % page != 0 ||
		    op.va < info.va_start || op.va >= info.va_end || op.bytes > info.va_end - op.va)
			return EINVAL;
		if (op.op == DRM_ATOM_VM_BIND_OP_UNMAP) {
			if (op.bo_handle != 0 || op.bo_offset != 0 || op.flags != 0)
				return EINVAL;
			vm->second.erase(op.va);
			continue;
		}
		if (op.op == DRM_ATOM_VM_BIND_OP_MAP_USERPTR) {
			if (op.bo_handle != 0 || op.bo_offset % page != 0)
				return EINVAL;
			auto *memory = const_cast<std::byte *>(user<std::byte>(op.bo_offset));
			vm->second[op.va] = {0, op.bytes,
			                     (op.flags & DRM_ATOM_VM_BIND_READONLY) != 0, memory};
			continue;
		}
		const auto o = objects_.find(op.bo_handle);
		if (o == objects_.end())
			return ENOENT;
		if (op.bytes > o->second.memory->size())
			return EINVAL;
		vm->second[op.va] = {op.bo_handle, op.bytes,
		                     (op.flags & DRM_ATOM_VM_BIND_READONLY) != 0, nullptr};
	}
	return 0;
}

std::byte *fake_kernel::translate(std::uint32_t vm, std::uint64_t va, std::uint64_t bytes)
{
	const std::lock_guard lock(mutex_);
	return translate_locked(vm, va, bytes);
}

std::byte *fake_kernel::translate_locked(std::uint32_t vm, std::uint64_t va, std::uint64_t bytes)
{
	const auto space = vms_.find(vm);
	if (space == vms_.end())
		return nullptr;
	auto after = space->second.upper_bound(va);
	if (after == space->second.begin())
		return nullptr;
	const auto &[start, b] = *std::prev(after);
	if (va - start > b.bytes || bytes > b.bytes - (va - start))
		return nullptr;
	std::byte *memory = b.user != nullptr ? b.user : objects_.at(b.handle).memory->data();
	return memory + (va - start);
}

} // namespace atom::test
