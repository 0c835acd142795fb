/* SPDX-License-Identifier: MIT */
/*
 * The tensor engine from a command's bytes on (see engine_input.h): a fault that
 * names a field, or a run inside of the operands, even if memory changes meanwhile.
 */
#include "engine_input.h"

using namespace atom::engine;
using namespace atom::engine::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < engine_input::head)
		return 0;
	const engine_input input(data, size);
	const auto &c = input.command;
	arena mem = input.start();
	const atom_arg args[] = {whole(mem), {memory_va + 8, 4096}};
	fault why;
	const options how{.reference = input.reference, .macs_log2_max = fuzz_macs_log2_max};
	const auto op = decode(c, args, how, why);
	check((op == nullptr) == static_cast<bool>(why), "a fault without a reason, or with an operation");
	if (!op) {
		check(why.where == ATOM_WHERE_COMMAND && (why.field < c.size() || c.size() < sizeof(atom_cmd_header)),
		      "the fault names no field of the command");
		return 0;
	}
	fake_memory m(mem.bytes(), op->operands(), input.how);
	std::minstd_rand random(input.seed);
	if (input.changes)
		m.before_access = [&] {
			/* Indices and parameters lie everywhere: between any two reads each may change. */
			for (unsigned n = 0; n < 16; ++n)
				mem.poke(random() % (engine_input::memory_bytes / 4) * 4,
					 n % 2 ? static_cast<std::uint32_t>(random() << 1) : 0xffffffffu << random() % 32);
		};
	run_tiles(*op, m, input.interrupts ? 2 : 0);
	check(m.breach().empty(), m.breach().c_str());
	return 0;
}
