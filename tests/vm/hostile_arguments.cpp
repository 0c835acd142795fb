// SPDX-License-Identifier: MIT
#include "hostile_arguments.hpp"

#include <cerrno>
#include <iterator>

namespace vmtest {

using ioctl_fuzz::below;
using ioctl_fuzz::one_in;
using ioctl_fuzz::random_source;

namespace {

constexpr std::uint64_t extremes[] = {
	0, 1, 7, page - 1, page + 1, 1ull << 31, 0xffffffff, 1ull << 32, (1ull << 47) - page, 1ull << 47, (1ull << 48) - page,
	1ull << 48, (1ull << 63) - page, 1ull << 63, ~0ull - page + 1, ~0ull,
};

} // namespace

std::uint64_t extreme(random_source &random) { return extremes[below(random, std::size(extremes))]; }

std::uint64_t hostile_field(random_source &random) { return hostile_field_va + below(random, hostile_field_bytes / page) * page; }

drm_atom_vm_bind_op hostile_binding(random_source &random, const hostile_ids &ids, const host_memory &shaky)
{
	drm_atom_vm_bind_op op{};
	op.va = hostile_field(random);
	op.bytes = (1 + below(random, 4)) * page;
	if (one_in(random, 8)) {
		op.op = DRM_ATOM_VM_BIND_OP_MAP_USERPTR;
		op.bo_offset = shaky.address() + below(random, shaky.size() / page) * page;
	} else {
		op.bo_handle = ids.buffers[below(random, ids.buffers.size())];
		op.bo_offset = below(random, 4) * page;
	}
	if (!one_in(random, 8))
		return op;
	const std::uint64_t value = extreme(random);
	switch (below(random, 5)) {
	case 0:
		op.va = value;
		break;
	case 1:
		op.bytes = value;
		break;
	case 2:
		op.bo_offset = value;
		break;
	case 3:
		op.bo_handle = static_cast<__u32>(value);
		break;
	default:
		op.op = static_cast<__u32>(value);
	}
	return op;
}

drm_atom_job hostile_job(random_source &random)
{
	drm_atom_job result{};
	result.cmd_va = one_in(random, 8) ? hostile_field(random) : hostile_program_va + below(random, hostile_programs) * page;
	result.cmd_bytes = hostile_program_bytes;
	if (one_in(random, 4))
		result.result_va = one_in(random, 4) ? extreme(random) & ~7ull : hostile_field(random);
	return result;
}

drm_atom_obj_array huge_array(random_source &random, const host_memory &shaky)
{
	static constexpr std::uint32_t strides[] = {0, 4, 8, 16, 40, 64, 256, 4096, 1u << 31, ~0u};
	static constexpr std::uint32_t counts[] = {1, 64, 128, 1024, 1025, 65536, 1u << 31, ~0u};
	drm_atom_obj_array array{};
	array.stride = strides[below(random, std::size(strides))];
	array.count = counts[below(random, std::size(counts))];
	array.array = one_in(random, 4) ? extreme(random)
					: shaky.address() + below(random, shaky.size() / 8) * 8;
	return array;
}

bool is_harmless(int error)
{
	switch (error) {
	case 0:
	case EINVAL:
	case ENOENT:
	case EFAULT:
	case E2BIG:
	case ENOSPC:
	case ENOMEM:
	case EACCES:
	case EPERM:
	case ECANCELED:
	case EOPNOTSUPP:
	case EBADF:
	case EMFILE:
	case ENOTTY: // the number of a file that was closed is another file's now
		return true;
	default:
		return false;
	}
}

} // namespace vmtest
