// SPDX-License-Identifier: MIT
// Commands written field by field, as a driver developer reads them in atom/hw/command.h.
#pragma once

#include "atom/hw/command.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace vmtest {

/** Bytes of an element; 0 for block dtypes and unknown ones. */
std::size_t dtype_bytes(std::uint8_t dtype);

/** A dense row-major tensor at @p offset of @p slot (slot 0: a VA). */
atom_tensor tensor(std::uint8_t dtype, std::initializer_list<std::uint64_t> dims, std::uint64_t offset,
		   std::uint16_t slot = 0);

atom_cmd_nop make_nop(std::uint32_t tag = 0);
atom_cmd_fence make_fence();
atom_cmd_timestamp make_timestamp(std::uint64_t va);
atom_cmd_copy make_copy(const atom_tensor &in, const atom_tensor &out);
/** @p bytes from one VA to another. */
atom_cmd_copy make_copy_bytes(std::uint64_t from, std::uint64_t to, std::uint64_t bytes);
atom_cmd_copy make_fill(const atom_tensor &out, std::uint64_t element);
atom_cmd_cast make_cast(const atom_tensor &in, const atom_tensor &out);
atom_cmd_gemm make_gemm(const atom_tensor &a, const atom_tensor &b, const atom_tensor &out);
atom_cmd_binary make_binary(std::uint32_t kind, const atom_tensor &a, const atom_tensor &b,
			    const atom_tensor &out);
atom_cmd_unary make_unary(std::uint32_t function, const atom_tensor &in, const atom_tensor &out);

/** A command buffer in the making. */
class command_list {
public:
	command_list() : bytes_(sizeof(atom_cmdbuf_header)) {}
	template <class... Commands> explicit command_list(const Commands &...commands) : command_list()
	{
		(add(commands), ...);
	}

	/** Appends a command; what it says of its own size is kept. @return its offset in the buffer */
	template <class Command> std::size_t add(const Command &command)
	{
		return add_bytes({reinterpret_cast<const std::byte *>(&command), sizeof(command)});
	}
	std::size_t add_bytes(std::span<const std::byte> command);
	/** Slots that the commands name: 1 + the highest. */
	void set_slots(std::uint32_t slots) { slots_ = slots; }
	/** The buffer, with its header. */
	std::vector<std::byte> finish() const;

private:
	std::vector<std::byte> bytes_;
	std::uint32_t commands_ = 0;
	std::uint32_t slots_ = 1;
};

} // namespace vmtest
