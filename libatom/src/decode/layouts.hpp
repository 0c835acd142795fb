// SPDX-License-Identifier: MIT
// The structures of atom/hw/*.h as tables, so that a byte offset has a name and a value has a word.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace atom::decode {

enum class kind : std::uint8_t {
	u8,
	u16,
	u32,
	i32,
	u64,
	i64,
	f32,
	nested,
};

struct word {
	std::uint32_t value;
	const char *name;
};
/** Names of an enum's values, or of the bits of flags. */
using words = std::span<const word>;

struct structure;

struct field {
	const char *name;
	std::uint32_t offset;
	kind type;
	std::uint32_t count = 1;           ///< elements of an array
	const structure *layout = nullptr; ///< of kind::nested
	words values{};                    ///< of an enum
	words bits{};                      ///< of flags
};

struct structure {
	const char *name;
	std::uint32_t bytes;
	std::span<const field> fields;
};

struct command_layout {
	std::uint16_t opcode;
	const structure *layout;
	words flags;
};

extern const structure cmdbuf_header_layout;
extern const structure cmd_header_layout;
extern const structure ref_layout;
extern const structure quant_layout;
extern const structure tensor_layout;
extern const structure ring_desc_layout;
extern const structure arg_layout;
extern const structure cpl_header_layout;
extern const structure cpl_record_layout;

/** Bytes of one element of @p type; 0 for kind::nested. */
std::uint32_t bytes_of(kind type);

/** All of command.h, by rising opcode. */
std::span<const command_layout> all_commands();
/** nullptr if there is no such command. */
const command_layout *find_command(std::uint16_t opcode);
/** By name, in any case: "gemm". nullptr if there is none. */
const command_layout *find_command(std::string_view name);

/** "b.strides[1]"; empty if the offset is in no field. */
std::string field_name(const structure &layout, std::uint32_t offset);

/** nullptr if @p value has no name. */
const char *find_name(words names, std::uint32_t value);
words dtype_words();
words fault_code_words();
words fault_where_words();

/** What a fault code means, in a sentence; nullptr if there is no such code. */
const char *fault_meaning(std::uint16_t code);

} // namespace atom::decode
