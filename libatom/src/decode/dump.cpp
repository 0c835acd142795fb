// SPDX-License-Identifier: MIT
#include "decode/dump.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "decode/describe.hpp"
#include "decode/dump_words.hpp"

namespace atom::decode {
namespace {

using bytes_view = std::span<const std::byte>;

template <class T>
T load(bytes_view bytes, std::size_t offset)
{
	T out{};
	std::memcpy(&out, bytes.data() + offset, sizeof(T));
	return out;
}

value hex(std::uint64_t number)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(number));
	value v = number;
	v.summary = text;
	return v;
}

/** Up to the first NUL; nothing that a terminal would obey. */
template <std::size_t size>
std::string text(const char (&from)[size])
{
	std::string out(from, strnlen(from, size));
	std::replace_if(
		out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
	return out;
}

value named(words names, std::uint32_t number)
{
	const char *name = find_name(names, number);
	return name != nullptr ? value(name) : value(number);
}

value flags(words names, std::uint32_t bits)
{
	value::array out;
	for (const word &w : names)
		if ((bits & w.value) != 0)
			out.emplace_back(w.name);
	return out;
}

value registers(bytes_view content)
{
	value::object out;
	for (std::size_t at = 0; at < content.size(); at += sizeof(atom_dump_register)) {
		const auto r = load<atom_dump_register>(content, at);
		const bool of_queue = r.offset >= ATOM_REG_QUEUE_BASE;
		const char *name =
			of_queue ? find_name(queue_register_table,
		                             (r.offset - ATOM_REG_QUEUE_BASE) % ATOM_REG_QUEUE_STRIDE)
				 : find_name(register_table, r.offset);
		out.emplace_back(name != nullptr ? name : hex(r.offset).summary, hex(r.value));
	}
	return out;
}

value queue_members(const atom_dump_queue &q)
{
	return value::object{
		{"name", text(q.name)},
		{"asid", q.asid},
		{"entries", q.entries},
		{"generation", q.generation},
		{"resets", q.resets},
		{"flags", flags(queue_flag_table, q.flags)},
		{"error", q.error},
		{"submitted", std::uint64_t{q.submitted}},
		{"emitted", std::uint64_t{q.emitted}},
		{"completed", std::uint64_t{q.completed}},
	};
}

/** Structures that belong to jobs, the first one to job @p start. */
value of_jobs(const structure &layout, bytes_view content, std::uint64_t start)
{
	value::array out;
	std::vector<std::string> problems;
	for (std::size_t i = 0; i < content.size() / layout.bytes; ++i) {
		value one = decode_structure(
			layout, content.subspan(i * layout.bytes, layout.bytes), "", problems);
		auto &members = std::get<value::object>(one.data);
		members.emplace(members.begin(), "job", start + i);
		out.push_back(std::move(one));
	}
	return out;
}

value arguments(bytes_view content)
{
	value::array out;
	for (std::size_t i = 0; i < content.size() / sizeof(atom_arg); ++i) {
		const auto a = load<atom_arg>(content, i * sizeof(atom_arg));
		out.push_back(value::object{
			{"slot", std::uint64_t{i + 1}}, {"va", hex(a.va)}, {"bytes", std::uint64_t{a.bytes}}});
	}
	return out;
}

value mappings(bytes_view content)
{
	value::array out;
	for (std::size_t at = 0; at < content.size(); at += sizeof(atom_dump_mapping)) {
		const auto m = load<atom_dump_mapping>(content, at);
		out.push_back(value::object{
			{"va", hex(m.va)},
			{"bytes", std::uint64_t{m.bytes}},
			{"offset", std::uint64_t{m.offset}},
			{"placement", named(placement_table, m.placement)},
			{"flags", flags(mapping_flag_table, m.flags)},
			{"label", text(m.label)},
		});
	}
	return out;
}

struct section {
	atom_dump_section header;
	bytes_view content;
};

/** Bytes of one element of a section's content; 1 if there is no such type. */
std::size_t element_bytes(std::uint32_t type)
{
	switch (type) {
	case ATOM_DUMP_REGISTERS:
		return sizeof(atom_dump_register);
	case ATOM_DUMP_QUEUE:
		return sizeof(atom_dump_queue);
	case ATOM_DUMP_RING:
		return sizeof(atom_ring_desc);
	case ATOM_DUMP_COMPLETIONS:
		return sizeof(atom_cpl_record);
	case ATOM_DUMP_ARGUMENTS:
		return sizeof(atom_arg);
	case ATOM_DUMP_MAPPINGS:
		return sizeof(atom_dump_mapping);
	default:
		return 1;
	}
}

value content_of(const section &s)
{
	switch (s.header.type) {
	case ATOM_DUMP_REGISTERS:
		return registers(s.content);
	case ATOM_DUMP_QUEUE:
		return queue_members(load<atom_dump_queue>(s.content, 0));
	case ATOM_DUMP_RING:
		return of_jobs(ring_desc_layout, s.content, s.header.start);
	case ATOM_DUMP_COMPLETIONS:
		return of_jobs(cpl_record_layout, s.content, s.header.start);
	case ATOM_DUMP_COMMANDS:
		return decode_command_buffer(s.content, s.header.whole).tree;
	case ATOM_DUMP_ARGUMENTS:
		return arguments(s.content);
	case ATOM_DUMP_MAPPINGS:
		return mappings(s.content);
	default:
		return {};
	}
}

/** All that are whole. */
std::vector<section> split(bytes_view bytes, std::size_t offset, std::vector<std::string> &problems)
{
	std::vector<section> out;
	while (offset < bytes.size()) {
		const std::string place = "section at byte " + std::to_string(offset) + ": ";
		const std::size_t left = bytes.size() - offset;
		if (left < sizeof(atom_dump_section)) {
			problems.push_back(place + "its header is cut off");
			break;
		}
		section s{load<atom_dump_section>(bytes, offset), {}};
		const std::uint64_t size = s.header.bytes;
		if (size > left - sizeof(s.header)) {
			problems.push_back(place + std::to_string(size) + " bytes of content, but " +
			                   std::to_string(left - sizeof(s.header)) + " are left");
			break;
		}
		s.content = bytes.subspan(offset + sizeof(s.header), size);
		const std::size_t element = element_bytes(s.header.type);
		if (size % element != 0 || (s.header.type == ATOM_DUMP_QUEUE && size != element) ||
		    s.header.whole < size)
			problems.push_back(place + std::to_string(size) + " bytes of " +
			                   std::to_string(s.header.whole) + " are no " +
			                   to_json(named(dump_section_table, s.header.type)));
		else
			out.push_back(s);
		offset += std::min(left, (sizeof(s.header) + size + 7) / 8 * 8);
	}
	return out;
}

/** What is known of command @p index of the commands that were decoded for @p queue. */
value find_failed_command(const value::array &sections, std::uint32_t queue, std::uint32_t index)
{
	for (const value &s : sections) {
		const value *of = s.find("queue");
		const value *content = s.find("command buffer");
		const value *commands = content != nullptr ? content->find("commands") : nullptr;
		if (commands == nullptr || to_json(*of) != std::to_string(queue))
			continue;
		const auto &list = std::get<value::array>(commands->data);
		if (index < list.size())
			return list[index];
	}
	return "it is not in the dump";
}

value job_of(const section &s, const value::array &sections)
{
	const auto q = load<atom_dump_queue>(s.content, 0);
	value::object out{
		{"queue", s.header.queue}, {"name", text(q.name)}, {"job", std::uint64_t{q.job}}};
	if (q.fault_code != 0)
		out.emplace_back("fault", describe_fault({q.fault_code, q.fault_where, q.fault_opcode,
		                                          q.fault_access, q.command, q.fault_field,
		                                          q.fault_va}));
	if (q.command != ATOM_COMMAND_NONE)
		out.emplace_back("command",
		                 find_failed_command(sections, s.header.queue, q.command));
	return out;
}

std::optional<atom_dump_header> read_header(bytes_view bytes, std::vector<std::string> &problems)
{
	if (!is_dump(bytes)) {
		problems.emplace_back("this is no dump: it does not begin with \"ATOMDUMP\"");
		return {};
	}
	if (bytes.size() < sizeof(atom_dump_header)) {
		problems.emplace_back("the header of the dump is cut off");
		return {};
	}
	const auto header = load<atom_dump_header>(bytes, 0);
	if (header.major != ATOM_DUMP_MAJOR) {
		problems.push_back("version " + std::to_string(header.major) + " is not known, only " +
		                   std::to_string(ATOM_DUMP_MAJOR));
		return {};
	}
	if (header.header_bytes < sizeof(header) || header.header_bytes % 8 != 0 ||
	    header.header_bytes > bytes.size()) {
		problems.push_back("a header of " + std::to_string(header.header_bytes) + " bytes");
		return {};
	}
	if (bytes.size() > ATOM_DUMP_BYTES_MAX) {
		problems.push_back(std::to_string(bytes.size()) + " bytes are more than any dump has");
		return {};
	}
	if (header.bytes != bytes.size())
		problems.push_back("the dump says that it has " + std::to_string(header.bytes) +
		                   " bytes; here are " + std::to_string(bytes.size()));
	return header;
}

} // namespace

bool is_dump(std::span<const std::byte> bytes)
{
	return bytes.size() >= sizeof(std::uint64_t) &&
	       load<std::uint64_t>(bytes, 0) == ATOM_DUMP_MAGIC;
}

decoded decode_dump(std::span<const std::byte> bytes)
{
	std::vector<std::string> problems;
	value::object members{{"kind", "coredump"}};
	if (const auto header = read_header(bytes, problems)) {
		const auto found = split(bytes, header->header_bytes, problems);
		value::array sections;
		for (const section &s : found) {
			const char *name = find_name(dump_section_table, s.header.type);
			value::object one{{"queue", s.header.queue}};
			if (s.header.bytes < s.header.whole)
				one.emplace_back("left_out_bytes",
				                 std::uint64_t{s.header.whole - s.header.bytes});
			one.emplace_back(name != nullptr
			                         ? name
			                         : "section " + std::to_string(s.header.type),
			                 content_of(s));
			sections.emplace_back(std::move(one));
		}
		value::array jobs;
		for (const section &s : found)
			if (s.header.type == ATOM_DUMP_QUEUE)
				jobs.push_back(job_of(s, sections));
		members.insert(
			members.end(),
			{{"reason", named(dump_reason_table, header->reason)},
		         {"text", text(header->text)},
		         {"device", text(header->device)},
		         {"serial", std::uint64_t{header->serial}},
		         {"interface", std::to_string(ATOM_VERSION_MAJOR(header->interface_version)) +
		                               "." +
		                               std::to_string(ATOM_VERSION_MINOR(
						       header->interface_version))},
		         {"firmware", header->fw_version},
		         {"driver", text(header->driver)},
		         {"kernel", text(header->kernel)},
		         {"resets", header->resets},
		         {"realtime_ns", std::uint64_t{header->realtime_ns}},
		         {"monotonic_ns", std::uint64_t{header->monotonic_ns}},
		         {"flags", flags(dump_flag_table, header->flags)},
		         {header->queue != 0 ? "failed" : "on_the_device", std::move(jobs)},
		         {"sections", std::move(sections)}});
	}
	members.emplace_back("problems", value::array(problems.begin(), problems.end()));
	return {value(std::move(members)), std::move(problems)};
}

} // namespace atom::decode
