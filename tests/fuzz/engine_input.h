/* SPDX-License-Identifier: MIT */
/**
 * @file engine_input.h
 * @brief What a fuzzer's input says to the tensor engine.
 *
 * Byte 0: bit 0 the reference engine, bits 1-2 what the host can map, bit 3 the
 * model interrupts, bit 4 memory changes while the command runs, bits 5-6 what
 * is in memory. Byte 1: a command that is valid before the edits, or none. Byte 2:
 * the seed of the memory. Then either the command itself, or edits of 4 bytes:
 * offset (16 bits), value, and bit 0 of the last: a word of all ones or zeros
 * instead of the byte.
 */
#pragma once

#include <cstdio>
#include <cstdlib>

#include "differences.h"
#include "valid_commands.h"

namespace atom::engine::test {

struct engine_input {
	static constexpr std::size_t head = 3;
	static constexpr std::size_t memory_bytes = 16384;

	bool reference = false;
	fake_memory::mapping how = fake_memory::mapping::whole;
	bool interrupts = false;
	bool changes = false;
	content memory = content::any;
	unsigned seed = 0;
	std::vector<std::byte> command;

	/** @p size is at least head. */
	engine_input(const std::uint8_t *data, std::size_t size)
		: reference(data[0] & 1), how(static_cast<fake_memory::mapping>((data[0] >> 1 & 3) % 3)),
		  interrupts(data[0] & 8), changes(data[0] & 16), memory(static_cast<content>((data[0] >> 5 & 3) % 3)),
		  seed(data[2])
	{
		static const auto commands = [] {
			auto all = valid_commands();
			const auto control = control_commands();
			all.insert(all.end(), control.begin(), control.end());
			return all;
		}();
		const std::span<const std::uint8_t> rest(data + head, size - head);
		if (data[1] < commands.size()) {
			command = commands[data[1]];
			edit(rest);
		} else {
			const auto bytes = std::as_bytes(rest);
			command.assign(bytes.begin(), bytes.end());
		}
	}

	/** Memory as the input says, with indices where the valid commands have them. */
	arena start() const
	{
		arena mem(memory_bytes);
		fill(mem, memory, seed);
		put_indices(mem);
		return mem;
	}

private:
	void edit(std::span<const std::uint8_t> edits)
	{
		for (; edits.size() >= 4; edits = edits.subspan(4)) {
			const std::size_t at = (edits[0] | edits[1] << 8) % command.size();
			if (edits[3] & 1)
				std::memset(command.data() + at / 8 * 8, edits[2] & 1 ? 0xff : 0, 8);
			else
				command[at] = static_cast<std::byte>(edits[2]);
		}
	}
};

/** A small limit of work: a fuzzer looks for depth, not for long sums. */
inline constexpr std::uint32_t fuzz_macs_log2_max = 14;

inline void check(bool good, const char *what)
{
	if (good)
		return;
	std::fprintf(stderr, "engine: %s\n", what);
	std::abort();
}

} // namespace atom::engine::test
