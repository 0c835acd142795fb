// SPDX-License-Identifier: MIT
#include "decode/decode.hpp"

#include <algorithm>
#include <cstring>

#include "atom/hw/command.h"
#include "atom/hw/queue.h"
#include "decode/describe.hpp"

namespace atom::decode {
namespace {

using bytes_view = std::span<const std::byte>;

constexpr std::size_t problems_max = 1000;

template <class T>
bool load(bytes_view bytes, std::size_t offset, T &out)
{
	if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
		return false;
	std::memcpy(&out, bytes.data() + offset, sizeof(T));
	return true;
}

bool all_zero(bytes_view bytes)
{
	return std::all_of(bytes.begin(), bytes.end(),
	                   [](std::byte b) { return b == std::byte{0}; });
}

decoded finish(const char *kind, value::object members, std::vector<std::string> problems)
{
	if (problems.size() > problems_max) {
		problems.resize(problems_max);
		problems.emplace_back("there are more problems");
	}
	value::array texts(problems.begin(), problems.end());
	members.emplace(members.begin(), "kind", kind);
	members.emplace_back("problems", std::move(texts));
	return {value(std::move(members)), std::move(problems)};
}

value flag_names(words known, std::uint16_t flags, const std::string &place,
                 std::vector<std::string> &problems)
{
	const field f{"flags", 0, kind::u16, 1, nullptr, {}, known};
	const structure one{"flags", sizeof(flags), {&f, 1}};
	if (known.empty() && flags == 0)
		return value::array();
	const value v = decode_structure(one, std::as_bytes(std::span(&flags, 1)), place, problems);
	const value *found = v.find("flags");
	return found != nullptr ? *found : value(value::array());
}

value command(bytes_view bytes, std::size_t offset, std::uint32_t index,
              const atom_cmd_header &header, std::vector<std::string> &problems)
{
	const command_layout *known = find_command(header.opcode);
	const std::string name =
		known != nullptr ? known->layout->name : "opcode " + std::to_string(header.opcode);
	const std::string place = name + " (command " + std::to_string(index) + ", byte " +
	                          std::to_string(offset) + "): ";
	value::object members{
		{"index", index},        {"opcode", name},    {"offset", std::uint64_t{offset}},
		{"bytes", header.bytes}, {"tag", header.tag},
	};
	if (header.reserved != 0)
		problems.push_back(place + "header.reserved must be zero");
	if (known == nullptr) {
		problems.push_back(place + "there is no such command");
		return members;
	}
	members.emplace_back("flags", flag_names(known->flags, header.flags, place, problems));
	const bytes_view body = bytes.subspan(offset, header.bytes);
	const std::uint32_t size = known->layout->bytes;
	if (body.size() < size)
		problems.push_back(place + std::to_string(body.size()) +
		                   " bytes are less than its " + std::to_string(size));
	else if (!all_zero(body.subspan(size)))
		problems.push_back(place +
		                   "it is longer than version 1.0 knows, and what is beyond "
		                   "is not zero");
	value fields = decode_structure(*known->layout, body, place, problems);
	if (!std::get<value::object>(fields.data).empty())
		members.emplace_back("fields", std::move(fields));
	return members;
}

} // namespace

decoded decode_command_buffer(std::span<const std::byte> bytes)
{
	return decode_command_buffer(bytes, bytes.size());
}

decoded decode_command_buffer(std::span<const std::byte> bytes, std::uint64_t whole)
{
	const bool cut_off = bytes.size() < whole;
	std::vector<std::string> problems;
	atom_cmdbuf_header header{};
	if (!load(bytes, 0, header)) {
		problems.push_back("a command buffer begins with a header of " +
		                   std::to_string(sizeof(header)) + " bytes; here are " +
		                   std::to_string(bytes.size()));
		return finish("command-buffer", {}, std::move(problems));
	}
	if (header.magic != ATOM_CMDBUF_MAGIC) {
		problems.emplace_back("this is no command buffer: it does not begin with \"ACMD\"");
		return finish("command-buffer", {}, std::move(problems));
	}
	if (header.major != ATOM_CMDBUF_MAJOR)
		problems.push_back("header: version " + std::to_string(header.major) +
		                   " is not known, only 1");
	if (header.bytes != whole)
		problems.push_back("header: it says " + std::to_string(header.bytes) +
		                   " bytes; here are " + std::to_string(whole));
	if (header.reserved0 != 0 || header.reserved1 != 0)
		problems.emplace_back("header: reserved fields must be zero");

	value::array commands;
	std::size_t offset = sizeof(header);
	std::uint32_t index = 0;
	for (; index < header.commands && offset < bytes.size() && problems.size() <= problems_max;
	     ++index) {
		atom_cmd_header next{};
		const std::string place = "command " + std::to_string(index) + ", byte " +
		                          std::to_string(offset) + ": ";
		if (!load(bytes, offset, next)) {
			if (!cut_off)
				problems.push_back(place + "its header is cut off");
			break;
		}
		if (next.bytes < sizeof(next) || next.bytes % 8 != 0 ||
		    next.bytes > whole - offset) {
			problems.push_back(place + "a size of " + std::to_string(next.bytes) +
			                   " bytes; at least 16, a multiple of 8, and no more than "
			                   "the " +
			                   std::to_string(whole - offset) + " left");
			break;
		}
		if (next.bytes > bytes.size() - offset)
			break; // the rest is elsewhere
		commands.push_back(command(bytes, offset, index, next, problems));
		offset += next.bytes;
	}
	if (commands.size() < header.commands && !cut_off)
		problems.push_back("header: it says " + std::to_string(header.commands) +
		                   " commands; here are " + std::to_string(commands.size()));
	else if (offset < bytes.size() && !cut_off)
		problems.push_back("byte " + std::to_string(offset) + ": " +
		                   std::to_string(bytes.size() - offset) +
		                   " bytes behind the last command");
	return finish(
		"command-buffer",
		{{"version", std::to_string(header.major) + "." + std::to_string(header.minor)},
	         {"bytes", header.bytes},
	         {"slots", header.slots},
	         {"commands", std::move(commands)}},
		std::move(problems));
}

decoded decode_ring(std::span<const std::byte> bytes)
{
	std::vector<std::string> problems;
	value::array descriptors;
	constexpr std::size_t size = sizeof(atom_ring_desc);
	if (bytes.empty() || bytes.size() % size != 0)
		problems.push_back("a ring is a whole number of " + std::to_string(size) +
		                   "-byte descriptors; here are " + std::to_string(bytes.size()) +
		                   " bytes");
	for (std::size_t slot = 0; slot < bytes.size() / size; ++slot) {
		const bytes_view one = bytes.subspan(slot * size, size);
		if (all_zero(one))
			continue; // never written
		value v = decode_structure(ring_desc_layout, one,
		                           "slot " + std::to_string(slot) + ": ", problems);
		auto &members = std::get<value::object>(v.data);
		members.emplace(members.begin(), "slot", std::uint64_t{slot});
		descriptors.push_back(std::move(v));
	}
	return finish("ring",
	              {{"entries", std::uint64_t{bytes.size() / size}},
	               {"descriptors", std::move(descriptors)}},
	              std::move(problems));
}

decoded decode_completions(std::span<const std::byte> bytes)
{
	std::vector<std::string> problems;
	value::array records;
	constexpr std::size_t size = sizeof(atom_cpl_record);
	constexpr std::size_t start = sizeof(atom_cpl_header);
	if (bytes.size() < start || bytes.size() % size != 0) {
		problems.push_back("a completion area is a header of 64 bytes and whole records of "
		                   "64; here are " +
		                   std::to_string(bytes.size()) + " bytes");
		if (bytes.size() < start)
			return finish("completions", {}, std::move(problems));
	}
	value header =
		decode_structure(cpl_header_layout, bytes.first(start), "header: ", problems);
	const std::size_t entries = (bytes.size() - start) / size;
	for (std::size_t slot = 0; slot < entries; ++slot) {
		atom_cpl_record r{};
		const bytes_view one = bytes.subspan(start + slot * size, size);
		if (all_zero(one))
			continue; // never written
		load(one, 0, r);
		value v = decode_structure(cpl_record_layout, one,
		                           "slot " + std::to_string(slot) + ": ", problems);
		auto &members = std::get<value::object>(v.data);
		members.emplace(members.begin(), "slot", std::uint64_t{slot});
		if (r.fault_code != 0)
			members.emplace_back(
				"fault",
				describe_fault({r.fault_code, r.fault_where, r.fault_opcode, 0,
			                        r.fault_command, r.fault_field, r.fault_va}));
		records.push_back(std::move(v));
	}
	return finish("completions",
	              {{"header", std::move(header)},
	               {"entries", std::uint64_t{entries}},
	               {"records", std::move(records)}},
	              std::move(problems));
}

} // namespace atom::decode
