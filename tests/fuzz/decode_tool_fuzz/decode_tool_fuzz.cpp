// SPDX-License-Identifier: MIT
// What atom-decode makes of any file: every decoder, both printers, every field name.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "atom/hw/command.h"
#include "atom/hw/coredump.h"
#include "decode/decode.hpp"
#include "decode/describe.hpp"
#include "decode/dump.hpp"

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

// The input as sections behind a good header: types that exist, and lengths that fit more often than not.
std::vector<std::byte> with_dump_header(std::span<const std::byte> input)
{
	atom_dump_header h{};
	h.magic = ATOM_DUMP_MAGIC;
	h.major = ATOM_DUMP_MAJOR;
	h.header_bytes = sizeof(h);
	std::vector<std::byte> all(sizeof(h));
	while (input.size() >= 4) {
		atom_dump_section s{};
		s.type = static_cast<std::uint32_t>(input[0]) % 9;
		s.queue = static_cast<std::uint32_t>(input[1]) % 2;
		s.bytes = (static_cast<std::uint64_t>(input[2]) % 64) * 16;
		s.whole = s.bytes + static_cast<std::uint64_t>(input[3]);
		input = input.subspan(4);
		const auto size = std::min<std::size_t>(s.bytes, input.size());
		const auto *head = reinterpret_cast<const std::byte *>(&s);
		all.insert(all.end(), head, head + sizeof(s));
		all.insert(all.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
		all.resize((all.size() + 7) / 8 * 8);
		input = input.subspan(size);
	}
	h.bytes = all.size();
	std::memcpy(all.data(), &h, sizeof(h));
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
	print(decode_dump(bytes));
	print(decode_dump(with_dump_header(bytes)));
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
