/* SPDX-License-Identifier: MIT */
#include <cerrno>

#include "file.h"

namespace atom::inprocess {

namespace {

bool range_valid(std::uint64_t va, std::uint64_t bytes)
{
	return bytes && (va | bytes) % page_bytes == 0 && va >= va_start && va < va_end && bytes <= va_end - va;
}

int check(file &f, std::uint32_t vm_id, const drm_atom_vm_bind_op &op, bind_op &out)
{
	if (op.op == DRM_ATOM_VM_BIND_OP_MAP_USERPTR)
		return -EOPNOTSUPP;
	if (op.pad || !range_valid(op.va, op.bytes))
		return -EINVAL;
	out = {op.va, op.bytes, nullptr, op.bo_offset, (op.flags & DRM_ATOM_VM_BIND_READONLY) != 0};
	if (op.op == DRM_ATOM_VM_BIND_OP_UNMAP)
		return op.flags || op.bo_handle || op.bo_offset ? -EINVAL : 0;
	if (op.op != DRM_ATOM_VM_BIND_OP_MAP || op.flags & ~DRM_ATOM_VM_BIND_READONLY)
		return -EINVAL;
	out.bo = f.bos.find(op.bo_handle);
	if (!out.bo)
		return -ENOENT;
	const std::uint64_t size = out.bo->size();
	if (out.bo->vm_id && out.bo->vm_id != vm_id)
		return -EINVAL;
	if (op.bo_offset % page_bytes || op.bo_offset >= size || op.bytes > size - op.bo_offset)
		return -EINVAL;
	return 0;
}

} // namespace

int vm_create(file &f, drm_atom_vm_create &c)
{
	if (c.flags)
		return -EINVAL;
	const auto v = std::make_shared<vm>(f.device());
	if (const int error = v->start())
		return error;
	c.vm_id = f.vms.add(v);
	return 0;
}

int vm_destroy(file &f, const drm_atom_vm_destroy &d)
{
	if (d.pad)
		return -EINVAL;
	const std::shared_ptr<vm> v = f.vms.take(d.vm_id);
	if (!v)
		return -ENOENT;
	v->destroy();
	return 0;
}

int vm_bind(file &f, const drm_atom_vm_bind &b)
{
	if (b.flags & ~DRM_ATOM_VM_BIND_ASYNC)
		return -EINVAL;
	if (b.flags & DRM_ATOM_VM_BIND_ASYNC)
		return -EOPNOTSUPP;
	if (b.syncs.count)
		return -EINVAL;
	const std::shared_ptr<vm> v = f.vms.find(b.vm_id);
	if (!v)
		return -ENOENT;
	if (b.ops.count == 0)
		return 0;
	std::vector<drm_atom_vm_bind_op> given;
	if (const int error = get_array(b.ops, binds_max, sizeof(drm_atom_vm_bind_op), given))
		return error;
	std::vector<bind_op> ops(given.size());
	for (std::size_t i = 0; i < ops.size(); ++i)
		if (const int error = check(f, b.vm_id, given[i], ops[i]))
			return error;
	return v->bind(ops);
}

} // namespace atom::inprocess
