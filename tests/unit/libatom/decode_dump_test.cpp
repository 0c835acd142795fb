// SPDX-License-Identifier: MIT
// Dumps of the driver: what is read of them, and that bytes of any kind do no harm.
#include <cstring>
#include <random>

#include "atom/hw/command.h"
#include "atom/hw/coredump.h"
#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "atom/hw/regs.h"
#include "decode/dump.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

using namespace decode;

std::vector<std::byte> bytes_of(const void *object, std::size_t size)
{
	const auto *p = static_cast<const std::byte *>(object);
	return {p, p + size};
}

/** A dump in the making. */
class dump {
public:
	dump()
	{
		header_.magic = ATOM_DUMP_MAGIC;
		header_.major = ATOM_DUMP_MAJOR;
		header_.header_bytes = sizeof(header_);
		header_.reason = ATOM_DUMP_MMU_FAULT;
		header_.queue = 3;
		std::strcpy(header_.text, "address not mapped");
		std::strcpy(header_.device, "0000:00:03.0");
	}

	template <class T>
	void add(std::uint32_t type, const T &content, std::uint64_t start = 0)
	{
		add_bytes(type, bytes_of(&content, sizeof(content)), sizeof(content), start);
	}

	void add_bytes(std::uint32_t type, const std::vector<std::byte> &content,
	               std::uint64_t whole, std::uint64_t start = 0)
	{
		atom_dump_section s{};
		s.type = type;
		s.queue = 3;
		s.bytes = content.size();
		s.whole = whole;
		s.start = start;
		const auto head = bytes_of(&s, sizeof(s));
		sections_.insert(sections_.end(), head.begin(), head.end());
		sections_.insert(sections_.end(), content.begin(), content.end());
		sections_.resize((sections_.size() + 7) / 8 * 8);
	}

	[[nodiscard]] std::vector<std::byte> finish() const
	{
		atom_dump_header h = header_;
		h.bytes = sizeof(h) + sections_.size();
		auto all = bytes_of(&h, sizeof(h));
		all.insert(all.end(), sections_.begin(), sections_.end());
		return all;
	}

private:
	atom_dump_header header_{};
	std::vector<std::byte> sections_;
};

std::vector<std::byte> two_commands()
{
	struct {
		atom_cmdbuf_header header;
		atom_cmd_nop nop;
		atom_cmd_fence fence;
	} buffer{};
	buffer.header.magic = ATOM_CMDBUF_MAGIC;
	buffer.header.major = ATOM_CMDBUF_MAJOR;
	buffer.header.bytes = sizeof(buffer);
	buffer.header.commands = 2;
	buffer.header.slots = 1;
	buffer.nop.header.bytes = sizeof(buffer.nop);
	buffer.fence.header.opcode = ATOM_OP_FENCE;
	buffer.fence.header.bytes = sizeof(buffer.fence);
	buffer.fence.header.tag = 77;
	return bytes_of(&buffer, sizeof(buffer));
}

atom_dump_queue failed_queue()
{
	atom_dump_queue q{};
	std::strcpy(q.name, "guilty");
	q.flags = 1 | 8;
	q.error = 5;
	q.submitted = 12;
	q.emitted = 11;
	q.completed = 9;
	q.job = 9;
	q.fault_va = 0xdead000;
	q.fault_code = ATOM_FAULT_NOT_PRESENT;
	q.fault_where = ATOM_WHERE_DATA;
	q.fault_opcode = ATOM_OP_FENCE;
	q.fault_access = ATOM_ACCESS_READ;
	q.command = 1;
	return q;
}

std::vector<std::byte> whole_dump()
{
	dump d;
	const atom_dump_register registers[] = {
		{ATOM_REG_STATUS, 4, 3},
		{ATOM_REG_QUEUE(3) + ATOM_QREG_STATE, 4, ATOM_QUEUE_FAULTED},
		{0x3ff8, 8, 1}};
	d.add(ATOM_DUMP_REGISTERS, registers);
	d.add(ATOM_DUMP_QUEUE, failed_queue());
	atom_ring_desc descriptor{};
	descriptor.type = ATOM_DESC_EXECUTE;
	descriptor.cmd_va = 0x200000;
	d.add(ATOM_DUMP_RING, descriptor, 9);
	d.add(ATOM_DUMP_COMPLETIONS, atom_cpl_record{}, 9);
	d.add_bytes(ATOM_DUMP_COMMANDS, two_commands(), two_commands().size(), 0x200000);
	d.add(ATOM_DUMP_ARGUMENTS, atom_arg{0x400000, 64});
	atom_dump_mapping m{};
	m.va = 0x200000;
	m.bytes = 4096;
	m.flags = ATOM_DUMP_MAPPING_READONLY;
	std::strcpy(m.label, "weights\x1b[2J");
	d.add(ATOM_DUMP_MAPPINGS, m);
	d.add_bytes(99, std::vector<std::byte>(3), 3);
	return d.finish();
}

TEST(a_dump, names_the_command_that_failed)
{
	const decoded d = decode_dump(whole_dump());
	EXPECT_TRUE(d.problems.empty()) << d.problems.front();
	const value &failed = std::get<value::array>(d.tree.find("failed")->data).at(0);
	EXPECT_EQ(to_json(*failed.find("queue")), "3");
	EXPECT_EQ(to_json(*failed.find("name")), "\"guilty\"");
	EXPECT_EQ(to_json(*failed.find("job")), "9");
	EXPECT_EQ(to_json(*failed.find("command")->find("opcode")), "\"FENCE\"");
	EXPECT_EQ(to_json(*failed.find("command")->find("tag")), "77");
	EXPECT_NE(to_json(*failed.find("fault")).find("NOT_PRESENT"), std::string::npos);
}

TEST(a_dump, tells_all_of_its_sections)
{
	const std::string text = to_text(decode_dump(whole_dump()).tree);
	for (const char *expected :
	     {"reason: mmu fault", "text: address not mapped", "device: 0000:00:03.0", "STATUS: 0x3",
	      "STATE: 0x4", "0x3ff8: 0x1", "flags: fault, banned", "cmd_va: 0x200000",
	      "status: never written", "opcode: NOP", "va: 0x400000", "placement: system",
	      "flags: read-only", "section 99"})
		EXPECT_NE(text.find(expected), std::string::npos) << expected << " in\n" << text;
	EXPECT_NE(text.find("weights?[2J"), std::string::npos) << "a terminal would obey this";
}

TEST(a_dump, may_have_the_head_of_a_command_buffer_only)
{
	dump d;
	auto buffer = two_commands();
	const std::size_t whole = buffer.size();
	buffer.resize(whole - 8);
	d.add_bytes(ATOM_DUMP_COMMANDS, buffer, whole);
	d.add(ATOM_DUMP_QUEUE, failed_queue());
	const decoded read = decode_dump(d.finish());
	EXPECT_TRUE(read.problems.empty());
	const std::string text = to_text(read.tree);
	EXPECT_NE(text.find("left_out_bytes: 8"), std::string::npos) << text;
	EXPECT_NE(text.find("command: it is not in the dump"), std::string::npos) << text;
	EXPECT_EQ(text.find("FENCE\n"), std::string::npos) << text;
}

TEST(a_dump, that_is_wrong_says_where)
{
	const auto problem = [](const std::vector<std::byte> &bytes) {
		const decoded d = decode_dump(bytes);
		return d.problems.empty() ? std::string() : d.problems.front();
	};
	const auto changed = [](std::size_t offset, std::uint32_t word) {
		auto bytes = whole_dump();
		std::memcpy(bytes.data() + offset, &word, sizeof(word));
		return bytes;
	};
	auto cut = whole_dump();
	cut.resize(cut.size() - 8);
	EXPECT_EQ(problem({}), "this is no dump: it does not begin with \"ATOMDUMP\"");
	EXPECT_EQ(problem(changed(0, 1)), "this is no dump: it does not begin with \"ATOMDUMP\"");
	EXPECT_EQ(problem({cut.begin(), cut.begin() + 100}), "the header of the dump is cut off");
	EXPECT_EQ(problem(changed(8, 2)), "version 2 is not known, only 1");
	EXPECT_EQ(problem(changed(12, 0)), "a header of 0 bytes");
	EXPECT_NE(problem(cut).find("the dump says that it has"), std::string::npos);
	// The first section's length, then one that is no whole number of registers.
	EXPECT_NE(problem(changed(sizeof(atom_dump_header) + 8, 1U << 30)).find("are left"),
	          std::string::npos);
	EXPECT_EQ(problem(changed(sizeof(atom_dump_header) + 8, 40)),
	          "section at byte 264: 40 bytes of 48 are no \"registers\"");
	EXPECT_NE(problem(std::vector<std::byte>(cut.begin(), cut.begin() + 270)), "");
}

TEST(a_dump, of_any_bytes_does_no_harm)
{
	std::mt19937 random(5);
	const auto good = whole_dump();
	for (int i = 0; i < 3000; ++i) {
		auto bytes = good;
		for (unsigned n = random() % 8 + 1; n > 0; --n)
			bytes[random() % bytes.size()] = static_cast<std::byte>(random());
		if (random() % 4 == 0)
			bytes.resize(random() % bytes.size());
		const decoded d = decode_dump(bytes);
		EXPECT_FALSE(to_text(d.tree).empty());
		EXPECT_EQ(to_json(d.tree).front(), '{');
	}
}

} // namespace
} // namespace atom::test
