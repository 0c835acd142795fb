/* SPDX-License-Identifier: MIT */
/*
 * One command (see engine_input.h) by the reference and by the fast engine, on
 * equal memories: both fault, or both write the same (see differences.h).
 */
#include "engine_input.h"

using namespace atom::engine;
using namespace atom::engine::test;

namespace {

/* @return whether all of it ran */
bool run_all(const operation &op, arena &mem, const engine_input &input, fake_memory::mapping how)
{
	fake_memory m(mem.bytes(), op.operands(), how);
	run_tiles(op, m, input.interrupts ? 2 : 0);
	check(m.breach().empty(), m.breach().c_str());
	return !m.failed();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < engine_input::head)
		return 0;
	const engine_input input(data, size);
	arena start = input.start();
	const atom_arg args[] = {whole(start), {memory_va + 8, 4096}};
	fault by_reference, by_vectors;
	const auto slow = decode(input.command, args, {.reference = true, .macs_log2_max = fuzz_macs_log2_max},
				 by_reference);
	const auto fast = decode(input.command, args, {.reference = false, .macs_log2_max = fuzz_macs_log2_max},
				 by_vectors);
	check(by_reference.code == by_vectors.code && by_reference.field == by_vectors.field &&
		      by_reference.va == by_vectors.va,
	      "the engines decode the command differently");
	/* What is not mapped may be read or not. */
	if (!slow || !is_mapped(*slow, start))
		return 0;
	arena expected = start, mem = start;
	const bool good = run_all(*slow, expected, input, fake_memory::mapping::never);
	check(run_all(*fast, mem, input, input.how) == good, "one engine faults, the other does not");
	if (good) {
		const std::string what = difference(input.command, *slow, input.memory, start, expected, mem);
		check(what.empty(), what.c_str());
	}
	return 0;
}
