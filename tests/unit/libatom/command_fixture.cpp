// SPDX-License-Identifier: MIT
#include "command_fixture.hpp"

#include <vector>

#include "atom/hw/queue.h"
#include "decode/describe.hpp"
#include "engine/engine.h"

namespace atom::test {

std::string refused_by_engine(const command_buffer &c)
{
	// Arguments far apart from each other, and from what has an address of its own.
	std::vector<atom_arg> args(c.argument_count());
	for (std::size_t i = 0; i < args.size(); ++i)
		args[i] = {(i + 1) << 40, 1ULL << 32};
	const auto known = engine::opcodes();
	std::size_t at = sizeof(atom_cmdbuf_header);
	for (std::uint32_t i = 0; i < c.size(); ++i) {
		atom_cmd_header header;
		std::memcpy(&header, c.bytes().data() + at, sizeof(header));
		const std::span<const std::byte> bytes(c.bytes().data() + at, header.bytes);
		at += header.bytes;
		if ((known[header.opcode / 64] >> header.opcode % 64 & 1) == 0)
			continue;
		engine::fault why;
		if (!engine::decode(bytes, args, {}, why))
			return decode::describe_fault({.code = why.code,
			                               .where = why.where,
			                               .opcode = header.opcode,
			                               .command = i,
			                               .field = why.field,
			                               .address = why.va});
	}
	return "";
}

} // namespace atom::test
