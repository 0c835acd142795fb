// SPDX-License-Identifier: MIT
#include "decode/describe.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "decode/layouts.hpp"

namespace atom::decode {
namespace {

constexpr word codes[] = {
	{ATOM_FAULT_NONE, "NONE"},
	{ATOM_FAULT_NOT_PRESENT, "NOT_PRESENT"},
	{ATOM_FAULT_PERMISSION, "PERMISSION"},
	{ATOM_FAULT_RESERVED_BIT, "RESERVED_BIT"},
	{ATOM_FAULT_APERTURE_RANGE, "APERTURE_RANGE"},
	{ATOM_FAULT_TABLE_WALK, "TABLE_WALK"},
	{ATOM_FAULT_VA_RANGE, "VA_RANGE"},
	{ATOM_FAULT_NO_ASID, "NO_ASID"},
	{ATOM_FAULT_TAIL_RANGE, "TAIL_RANGE"},
	{ATOM_FAULT_BAD_DESCRIPTOR, "BAD_DESCRIPTOR"},
	{ATOM_FAULT_BAD_HEADER, "BAD_HEADER"},
	{ATOM_FAULT_BAD_OPCODE, "BAD_OPCODE"},
	{ATOM_FAULT_BAD_SIZE, "BAD_SIZE"},
	{ATOM_FAULT_BAD_FIELD, "BAD_FIELD"},
	{ATOM_FAULT_BAD_DTYPE, "BAD_DTYPE"},
	{ATOM_FAULT_BAD_SHAPE, "BAD_SHAPE"},
	{ATOM_FAULT_BAD_STRIDE, "BAD_STRIDE"},
	{ATOM_FAULT_BAD_QUANT, "BAD_QUANT"},
	{ATOM_FAULT_BAD_SLOT, "BAD_SLOT"},
	{ATOM_FAULT_ARG_RANGE, "ARG_RANGE"},
	{ATOM_FAULT_MISALIGNED, "MISALIGNED"},
	{ATOM_FAULT_OVERLAP, "OVERLAP"},
	{ATOM_FAULT_TOO_LARGE, "TOO_LARGE"},
	{ATOM_FAULT_INDEX_RANGE, "INDEX_RANGE"},
	{ATOM_FAULT_DMA_ERROR, "DMA_ERROR"},
	{ATOM_FAULT_POISON, "POISON"},
	{ATOM_FAULT_ECC_UE, "ECC_UE"},
	{ATOM_FAULT_HANG, "HANG"},
	{ATOM_FAULT_ABORTED, "ABORTED"},
	{ATOM_FAULT_THERMAL, "THERMAL"},
	{ATOM_FAULT_POWER, "POWER"},
	{ATOM_FAULT_ADMIN_OPCODE, "ADMIN_OPCODE"},
	{ATOM_FAULT_ADMIN_FIELD, "ADMIN_FIELD"},
	{ATOM_FAULT_ADMIN_ID, "ADMIN_ID"},
	{ATOM_FAULT_ADMIN_STATE, "ADMIN_STATE"},
	{ATOM_FAULT_INTERNAL, "INTERNAL"},
};

constexpr word meanings[] = {
	{ATOM_FAULT_NONE, "no fault"},
	{ATOM_FAULT_NOT_PRESENT, "the address is not mapped"},
	{ATOM_FAULT_PERMISSION, "the mapping does not allow this access"},
	{ATOM_FAULT_RESERVED_BIT, "a page table entry has a reserved bit set"},
	{ATOM_FAULT_APERTURE_RANGE, "a page table entry points beyond device memory"},
	{ATOM_FAULT_TABLE_WALK, "a page table could not be read"},
	{ATOM_FAULT_VA_RANGE, "the address is beyond 48 bits, or the range wraps"},
	{ATOM_FAULT_NO_ASID, "the address space has no page table"},
	{ATOM_FAULT_TAIL_RANGE, "the ring's tail is out of range"},
	{ATOM_FAULT_BAD_DESCRIPTOR,
         "the descriptor has a bad type, flag, alignment or reserved field"},
	{ATOM_FAULT_BAD_HEADER, "the header of the command buffer is wrong"},
	{ATOM_FAULT_BAD_OPCODE, "the device does not have this command"},
	{ATOM_FAULT_BAD_SIZE, "the size of the command or buffer does not fit"},
	{ATOM_FAULT_BAD_FIELD, "the value is out of range, or a reserved field is not zero"},
	{ATOM_FAULT_BAD_DTYPE, "the element type is unknown or not allowed here"},
	{ATOM_FAULT_BAD_SHAPE, "rank or dimensions do not fit together"},
	{ATOM_FAULT_BAD_STRIDE, "the stride is no multiple of the element, or overflows"},
	{ATOM_FAULT_BAD_QUANT, "the quantisation parameters are wrong"},
	{ATOM_FAULT_BAD_SLOT, "the argument slot is beyond the table"},
	{ATOM_FAULT_ARG_RANGE, "the access is outside of the argument's bytes"},
	{ATOM_FAULT_MISALIGNED, "the address is not aligned to the element"},
	{ATOM_FAULT_OVERLAP, "the output overlaps an input in a forbidden way"},
	{ATOM_FAULT_TOO_LARGE, "the work is over the limit of one command"},
	{ATOM_FAULT_INDEX_RANGE, "an index is out of its range"},
	{ATOM_FAULT_DMA_ERROR, "access to system memory failed on the bus"},
	{ATOM_FAULT_POISON, "the data was poisoned"},
	{ATOM_FAULT_ECC_UE, "an uncorrectable memory error"},
	{ATOM_FAULT_HANG, "the engine stopped making progress"},
	{ATOM_FAULT_ABORTED, "retired by a reset"},
	{ATOM_FAULT_THERMAL, "the device was too hot"},
	{ATOM_FAULT_POWER, "the device was not powered up"},
	{ATOM_FAULT_ADMIN_OPCODE, "unknown admin command"},
	{ATOM_FAULT_ADMIN_FIELD, "bad field of an admin command"},
	{ATOM_FAULT_ADMIN_ID, "bad id of an admin command"},
	{ATOM_FAULT_ADMIN_STATE, "the id of an admin command is in the wrong state"},
	{ATOM_FAULT_INTERNAL, "the device found itself inconsistent"},
};
static_assert(std::size(codes) == std::size(meanings));

std::string hex(std::uint64_t value)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
	return text;
}

std::string place_of(const fault_data &f)
{
	const auto named = [&f](const structure &layout, const char *what) {
		const std::string name = field_name(layout, f.field);
		return std::string(what) +
		       (name.empty() ? ", byte " + std::to_string(f.field) : ", field " + name);
	};
	switch (f.where) {
	case ATOM_WHERE_RING:
		return "ring";
	case ATOM_WHERE_DESCRIPTOR:
		return named(ring_desc_layout, "descriptor");
	case ATOM_WHERE_ARGS:
		return "argument of slot " + std::to_string(f.field / arg_layout.bytes + 1) +
		       ", field " + field_name(arg_layout, f.field % arg_layout.bytes);
	case ATOM_WHERE_HEADER:
		return named(cmdbuf_header_layout, "header of the command buffer");
	case ATOM_WHERE_COMMAND:
	case ATOM_WHERE_DATA: {
		const command_layout *c = find_command(f.opcode);
		const std::string command =
			(c != nullptr ? c->layout->name : "opcode " + hex(f.opcode)) +
			(f.command != ATOM_COMMAND_NONE
		                 ? " (command " + std::to_string(f.command) + ")"
		                 : "");
		const char *data = f.where == ATOM_WHERE_DATA ? ", data of " : ", field ";
		const std::string name = c != nullptr ? field_name(*c->layout, f.field) : "";
		return command + (name.empty() ? ", byte " + std::to_string(f.field) : data + name);
	}
	default:
		return "job";
	}
}

} // namespace

words fault_code_words() { return codes; }

const char *fault_meaning(std::uint16_t code) { return find_name(meanings, code); }

std::string describe_fault(const fault_data &fault)
{
	const char *code = find_name(codes, fault.code);
	const char *meaning = fault_meaning(fault.code);
	std::string text = place_of(fault) + ": ";
	text += code != nullptr ? code : "fault code " + std::to_string(fault.code);
	if (meaning != nullptr)
		text += std::string(", ") + meaning;
	if (fault.address != 0) {
		const char *access = fault.access == ATOM_ACCESS_READ    ? "read of "
		                     : fault.access == ATOM_ACCESS_WRITE ? "write to "
		                                                         : "";
		text += std::string(" (") + access + "address " + hex(fault.address) + ")";
	}
	return text;
}

} // namespace atom::decode
