// SPDX-License-Identifier: MIT
// What atom-decode makes of any file: every decoder, both printers, every field name.
#include <cstdint>
#include <cstring>
#include <span>

#include "decode/decode.hpp"
#include "decode/describe.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace atom::decode;
	const std::span bytes(reinterpret_cast<const std::byte *>(data), size);
	for (const decoded &d :
	     {decode_command_buffer(bytes), decode_ring(bytes), decode_completions(bytes)}) {
		const std::string text = to_text(d.tree);
		const std::string json = to_json(d.tree);
		if (json.empty() || json.front() != '{')
			__builtin_trap();
	}
	fault_data f;
	if (size >= sizeof(f)) {
		std::memcpy(&f, data, sizeof(f));
		if (describe_fault(f).empty())
			__builtin_trap();
		if (const command_layout *c = find_command(f.opcode))
			if (field_name(*c->layout, f.field).empty() != (f.field >= c->layout->bytes))
				__builtin_trap();
	}
	return 0;
}
