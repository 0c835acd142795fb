/* SPDX-License-Identifier: MIT */
/*
 * The tensor engine from a command's bytes on. Byte 0 of the input: bit 0 the
 * reference engine, bits 1-2 what the host can map, bits 3-7 a command that is
 * valid before the edits, or none. Then either the command itself, or edits of
 * 4 bytes: offset (16 bits), value, and bit 0 of the last: a word of all
 * ones or zeros instead of the byte.
 */
#include <cstdio>
#include <cstdlib>

#include "valid_commands.h"

namespace {

using namespace atom::engine;
using namespace atom::engine::test;

constexpr std::size_t memory_bytes = 16384;

std::vector<std::byte> edited(std::vector<std::byte> c, std::span<const std::uint8_t> edits)
{
	for (; edits.size() >= 4; edits = edits.subspan(4)) {
		const std::size_t at = (edits[0] | edits[1] << 8) % c.size();
		if (edits[3] & 1)
			std::memset(c.data() + at / 8 * 8, edits[2] & 1 ? 0xff : 0, 8);
		else
			c[at] = static_cast<std::byte>(edits[2]);
	}
	return c;
}

void check(bool good, const char *what)
{
	if (good)
		return;
	std::fprintf(stderr, "decode_fuzz: %s\n", what);
	std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static const auto commands = valid_commands();
	if (size == 0)
		return 0;
	const std::span<const std::uint8_t> rest(data + 1, size - 1);
	const std::size_t which = data[0] >> 3;
	std::vector<std::byte> c;
	if (which < commands.size())
		c = edited(commands[which], rest);
	else
		c.assign(reinterpret_cast<const std::byte *>(rest.data()),
			 reinterpret_cast<const std::byte *>(rest.data() + rest.size()));

	arena mem(memory_bytes);
	put_indices(mem);
	const atom_arg args[] = {whole(mem), {memory_va + 8, 4096}};
	fault why;
	/* A small limit of work: a fuzzer looks for depth, not for long sums. */
	const options how{.reference = (data[0] & 1) != 0, .macs_log2_max = 14};
	const auto op = decode(c, args, how, why);
	check((op == nullptr) == static_cast<bool>(why), "a fault without a reason, or with an operation");
	if (!op) {
		check(why.where == ATOM_WHERE_COMMAND && (why.field < c.size() || c.size() < sizeof(atom_cmd_header)),
		      "the fault names no field of the command");
		return 0;
	}
	fake_memory m(mem.bytes(), op->operands(), static_cast<fake_memory::mapping>((data[0] >> 1 & 3) % 3));
	m.interrupts = data[0] & 8 ? 2 : 0;
	scratch work;
	for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile)
		op->run(tile, m, work);
	check(m.breach().empty(), m.breach().c_str());
	return 0;
}
