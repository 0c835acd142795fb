// SPDX-License-Identifier: MIT
// What a hostile client says to the kernel: right, stale and absurd.
#pragma once

#include "commands.hpp"
#include "fuzz/pool.hpp"
#include "host_memory.hpp"
#include "uapi.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace vmtest {

/** Where in an address space its threads meet. */
inline constexpr std::uint64_t hostile_field_va = 1ull << 32, hostile_field_bytes = 512 * page;
/** Where its programs are, one a page; each copies from the field to the field. */
inline constexpr std::uint64_t hostile_program_va = 1ull << 33;
inline constexpr unsigned hostile_programs = 8;
inline constexpr std::uint32_t hostile_program_bytes =
	sizeof(atom_cmdbuf_header) + sizeof(atom_cmd_nop) + sizeof(atom_cmd_copy);

/** What its threads know of the file, and forked children too. */
struct hostile_ids {
	std::array<std::atomic<std::uint32_t>, 16> buffers;
	std::array<std::atomic<std::uint32_t>, 3> spaces;
	std::array<std::atomic<std::uint32_t>, 4> queues;
	std::array<std::atomic<std::uint64_t>, 8> offsets;
};

/** A number at the edge of something. */
std::uint64_t extreme(ioctl_fuzz::random_source &random);
/** A page of the field. */
std::uint64_t hostile_field(ioctl_fuzz::random_source &random);
/** Maps something; one in eight is absurd. @p shaky: memory that comes and goes meanwhile */
drm_atom_vm_bind_op hostile_binding(ioctl_fuzz::random_source &random, const hostile_ids &ids, const host_memory &shaky);
/** Runs a program, or what happens to be in the field. */
drm_atom_job hostile_job(ioctl_fuzz::random_source &random);
/** Too many elements, of no size or an absurd one, where there is nothing, or soon nothing any more. */
drm_atom_obj_array huge_array(ioctl_fuzz::random_source &random, const host_memory &shaky);
/** Whether the contract gives this error for a call on a file, an id, an address or an amount of memory that is wrong. */
bool is_harmless(int error);

} // namespace vmtest
