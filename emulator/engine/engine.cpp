/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <array>
#include <cstring>

#include "decode/decoders.h"
#include "kernels/gemm.h"

namespace atom::engine {

namespace {

struct entry {
	std::uint16_t opcode;
	std::unique_ptr<operation> (*decode)(parser &);
};

constexpr entry decoders[] = {
	{ATOM_OP_NOP, decode_nop},   {ATOM_OP_FENCE, decode_fence}, {ATOM_OP_TIMESTAMP, decode_timestamp},
	{ATOM_OP_COPY, decode_copy}, {ATOM_OP_CAST, decode_cast},   {ATOM_OP_GEMM, decode_gemm},
	{ATOM_OP_GATHER, decode_gather}, {ATOM_OP_SCATTER, decode_scatter}, {ATOM_OP_ROPE, decode_rope},
	{ATOM_OP_CONV2D, decode_conv}, {ATOM_OP_CONVT2D, decode_conv},
	{ATOM_OP_BINARY, decode_binary}, {ATOM_OP_UNARY, decode_unary},
	{ATOM_OP_POOL2D, decode_pool}, {ATOM_OP_RESIZE2D, decode_resize},
	{ATOM_OP_SELECT, decode_select}, {ATOM_OP_GLU, decode_glu},
	{ATOM_OP_REDUCE, decode_reduce}, {ATOM_OP_SOFTMAX, decode_softmax}, {ATOM_OP_NORM, decode_norm},
};

constexpr std::array<std::uint64_t, 4> opcode_map = [] {
	std::array<std::uint64_t, 4> map{};
	for (const entry &e : decoders)
		map[e.opcode / 64] |= std::uint64_t{1} << e.opcode % 64;
	return map;
}();

} // namespace

std::unique_ptr<operation> decode(std::span<const std::byte> command, std::span<const atom_arg> args,
				  const options &how, fault &why)
{
	why = fault{};
	parser in(command, args, how, why);
	atom_cmd_header header;
	if (command.size() < sizeof header) {
		in.fail(ATOM_FAULT_BAD_SIZE, offsetof(atom_cmd_header, bytes));
		return nullptr;
	}
	std::memcpy(&header, command.data(), sizeof header);
	if (header.bytes != command.size() || header.bytes % 8 != 0) {
		in.fail(ATOM_FAULT_BAD_SIZE, offsetof(atom_cmd_header, bytes));
		return nullptr;
	}
	for (const entry &e : decoders)
		if (e.opcode == header.opcode)
			return e.decode(in);
	in.fail(ATOM_FAULT_BAD_OPCODE, offsetof(atom_cmd_header, opcode));
	return nullptr;
}

std::span<const std::uint64_t, 4> opcodes() { return opcode_map; }

std::uint64_t dtypes() { return all_dtypes; }

const char *isa_name() { return kernels::name(kernels::selected()); }

} // namespace atom::engine
