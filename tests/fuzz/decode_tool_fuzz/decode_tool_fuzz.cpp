// SPDX-License-Identifier: MIT
// What atom-decode makes of any file: every decoder, both printers, every field name.
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "atom/hw/command.h"
#include "decode/decode.hpp"
#include "decode/describe.hpp"

namespace {

using namespace atom::decode;

void print(const decoded &d)
{
	const std::string text = to_text(d.tree);
	const std::string json = to_json(d.tree);
	if (json.empty() || json.front() != '{')
		__builtin_trap();
}

// The input as commands behind a good header, so that most inputs get past the first checks.
std::vector<std::byte> with_header(std::span<const std::byte> commands)
{
	atom_cmdbuf_header h{};
	h.magic = ATOM_CMDBUF_MAGIC;
	h.major = ATOM_CMDBUF_MAJOR;
	h.bytes = static_cast<std::uint32_t>(sizeof(h) + commands.size());
	h.commands = 0xffffffff;
	std::vector<std::byte> all(h.bytes);
	std::memcpy(all.data(), &h, sizeof(h));
	if (!commands.empty())
		std::memcpy(all.data() + sizeof(h), commands.data(), commands.size());
	return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::span bytes(reinterpret_cast<const std::byte *>(data), size);
	print(decode_command_buffer(bytes));
	print(decode_command_buffer(with_header(bytes)));
	print(decode_ring(bytes));
	print(decode_completions(bytes));
	fault_data f;
	if (size >= sizeof(f)) {
		std::memcpy(&f, data, sizeof(f));
		if (describe_fault(f).empty())
			__builtin_trap();
		if (const command_layout *c = find_command(f.opcode))
			if (field_name(*c->layout, f.field).empty() !=
			    (f.field >= c->layout->bytes))
				__builtin_trap();
	}
	return 0;
}
