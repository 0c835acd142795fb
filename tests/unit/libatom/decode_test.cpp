// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>

#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "decode/decode.hpp"
#include "decode/describe.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

using namespace decode;

template <class T>
std::vector<std::byte> bytes_of(const T &object)
{
	const auto *p = reinterpret_cast<const std::byte *>(&object);
	return {p, p + sizeof(T)};
}

std::vector<std::byte> joined(std::initializer_list<std::vector<std::byte>> parts)
{
	std::vector<std::byte> all;
	for (const auto &p : parts)
		all.insert(all.end(), p.begin(), p.end());
	return all;
}

template <class T>
std::vector<std::byte> one_command(T command)
{
	atom_cmdbuf_header h{};
	h.magic = ATOM_CMDBUF_MAGIC;
	h.major = 1;
	h.bytes = sizeof(h) + sizeof(T);
	h.commands = 1;
	h.slots = 1;
	command.header.bytes = sizeof(T);
	return joined({bytes_of(h), bytes_of(command)});
}

TEST(the_layouts, cover_every_byte_of_every_command_once)
{
	EXPECT_EQ(all_commands().size(), 20U);
	const auto check = [](const structure &s) {
		std::uint32_t expected = 0;
		for (const field &f : s.fields) {
			EXPECT_EQ(f.offset, expected) << s.name << '.' << f.name;
			expected += f.count * (f.type == kind::nested ? f.layout->bytes
			                                              : decode::bytes_of(f.type));
		}
		EXPECT_EQ(expected, s.bytes) << s.name;
	};
	for (const command_layout &c : all_commands())
		check(*c.layout);
	for (const structure *s :
	     {&cmdbuf_header_layout, &cmd_header_layout, &ref_layout, &quant_layout, &tensor_layout,
	      &ring_desc_layout, &arg_layout, &cpl_header_layout, &cpl_record_layout})
		check(*s);
}

TEST(a_field, has_the_name_that_its_offset_says)
{
	const structure &gemm = *find_command("gemm")->layout;
	EXPECT_EQ(field_name(gemm, 16), "alpha");
	EXPECT_EQ(field_name(gemm, offsetof(atom_cmd_gemm, b)), "b");
	EXPECT_EQ(field_name(gemm, offsetof(atom_cmd_gemm, b) + 16 + 8), "b.dims[1]");
	EXPECT_EQ(field_name(gemm, offsetof(atom_cmd_gemm, epilogue) +
	                                   offsetof(atom_epilogue, bias) +
	                                   offsetof(atom_tensor, quant) + 4),
	          "epilogue.bias.quant.scale");
	EXPECT_EQ(field_name(gemm, 4), "header.bytes");
	EXPECT_EQ(field_name(gemm, sizeof(atom_cmd_gemm)), "");
	EXPECT_EQ(field_name(gemm, 0xffffffff), "");
}

TEST(a_fault, is_told_by_command_field_and_meaning)
{
	EXPECT_EQ(describe_fault({ATOM_FAULT_NOT_PRESENT, ATOM_WHERE_DATA, ATOM_OP_COPY,
	                          ATOM_ACCESS_WRITE, 2, offsetof(atom_cmd_copy, out), 0x1000}),
	          "COPY (command 2), data of out: NOT_PRESENT, the address is not mapped "
	          "(write to address 0x1000)");
	EXPECT_EQ(
		describe_fault({ATOM_FAULT_BAD_DESCRIPTOR, ATOM_WHERE_DESCRIPTOR, 0, 0, 0,
	                        offsetof(atom_ring_desc, reserved0), 0}),
		"descriptor, field reserved0: BAD_DESCRIPTOR, the descriptor has a bad type, flag, "
		"alignment or reserved field");
	EXPECT_EQ(
		describe_fault({ATOM_FAULT_VA_RANGE, ATOM_WHERE_ARGS, 0, 0, 0, 24, 0}),
		"argument of slot 2, field bytes: VA_RANGE, the address is beyond 48 bits, or the "
		"range wraps");
	EXPECT_EQ(describe_fault({999, 77, 0, 0, 0, 0, 0}), "job: fault code 999");
	EXPECT_EQ(
		describe_fault({ATOM_FAULT_BAD_FIELD, ATOM_WHERE_COMMAND, 0xee, 0,
	                        ATOM_COMMAND_NONE, 4000, 0}),
		"opcode 0xee, byte 4000: BAD_FIELD, the value is out of range, or a reserved field "
		"is not zero");
}

TEST(every_fault_code, has_a_name_and_a_meaning)
{
	for (const word &w : fault_code_words())
		EXPECT_NE(fault_meaning(static_cast<std::uint16_t>(w.value)), nullptr) << w.name;
}

class a_decoded_buffer : public on_fake_kernel {};

TEST_F(a_decoded_buffer, says_in_words_what_the_builder_was_told)
{
	gemm_options o;
	o.epilogue.activation = function::gelu_erf;
	tensor b(slot(2), dtype::i8, {64, 32});
	b.quantise(0.5F, 3);
	const command_buffer c = command_builder(ctx)
	                                 .tag(9)
	                                 .gemm(tensor(slot(1), dtype::i8, {16, 64}), b,
	                                       tensor(slot(3), dtype::f32, {16, 32}), o)
	                                 .barrier()
	                                 .timestamp(slot(4))
	                                 .finish();
	const decoded d = decode_command_buffer({c.bytes().data(), c.bytes().size()});
	EXPECT_TRUE(d.problems.empty()) << d.problems.front();
	const std::string text = to_text(d.tree);
	for (const char *part :
	     {"opcode: GEMM", "tag: 9", "a: i8[16, 64] in slot 1 + 0, strides [64, 1]",
	      "b: i8[64, 32] in slot 2 + 0, strides [32, 1], scale 0.5, zero point 3",
	      "activation: gelu erf", "residual: absent", "opcode: FENCE", "opcode: TIMESTAMP",
	      "out: in slot 4 + 0"})
		EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
	const std::string json = to_json(d.tree);
	EXPECT_NE(json.find("\"dims\":[16,64]"), std::string::npos) << json;
	EXPECT_NE(json.find("\"problems\":[]"), std::string::npos) << json;
}

TEST(a_decoder, finds_what_the_device_would_refuse)
{
	atom_cmd_unary u{};
	u.header.opcode = ATOM_OP_UNARY;
	u.header.flags = 4;
	u.header.reserved = 1;
	u.function = 31;
	u.reserved = 2;
	u.in.dtype = 200;
	u.in.rank = 9;
	u.out.slot = 1; // absent, yet not zero
	const decoded d = decode_command_buffer(one_command(u));
	std::string all;
	for (const std::string &p : d.problems)
		all += p + "\n";
	for (const char *part :
	     {"UNARY (command 0, byte 32): header.reserved must be zero",
	      "flags must be zero, but is 0x4", "function has the unknown value 31",
	      "reserved must be zero, but is 0x2", "in.rank 9 is more than 5",
	      "in.dtype has the unknown value 200",
	      "out.dtype is none, but not all of the tensor is zero"})
		EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
}

TEST(a_decoder, survives_every_truncation)
{
	for (const command_layout &c : all_commands()) {
		atom_cmdbuf_header h{};
		h.magic = ATOM_CMDBUF_MAGIC;
		h.major = 1;
		h.commands = 1;
		h.bytes = sizeof(h) + c.layout->bytes;
		atom_cmd_header head{};
		head.opcode = c.opcode;
		head.bytes = c.layout->bytes;
		std::vector<std::byte> all = joined({bytes_of(h), bytes_of(head)});
		all.resize(h.bytes);
		EXPECT_EQ(to_text(decode_command_buffer(all).tree).find("no such"),
		          std::string::npos);
		for (std::size_t n = 0; n < all.size(); ++n)
			EXPECT_FALSE(
				decode_command_buffer(std::span(all).first(n)).problems.empty())
				<< c.layout->name << " cut to " << n;
	}
}

TEST(a_decoder, says_what_garbage_is_not)
{
	const std::vector<std::byte> garbage(64, std::byte{0x5a});
	EXPECT_EQ(decode_command_buffer(garbage).problems.front(),
	          "this is no command buffer: it does not begin with \"ACMD\"");
	EXPECT_EQ(decode_command_buffer({}).problems.front(),
	          "a command buffer begins with a header of 32 bytes; here are 0");
	EXPECT_FALSE(decode_ring(std::span(garbage).first(63)).problems.empty());
	EXPECT_FALSE(decode_ring(garbage).problems.empty());
	EXPECT_FALSE(decode_completions(std::span(garbage).first(10)).problems.empty());
}

TEST(a_decoder, does_not_follow_sizes_that_lie)
{
	atom_cmdbuf_header h{};
	h.magic = ATOM_CMDBUF_MAGIC;
	h.major = 1;
	h.commands = 0xffffffff;
	atom_cmd_header head{};
	for (const std::uint32_t size : {0U, 8U, 17U, 0xfffffff8U, 64U}) {
		head.bytes = size;
		const decoded d = decode_command_buffer(joined({bytes_of(h), bytes_of(head)}));
		EXPECT_FALSE(d.problems.empty()) << size;
	}
}

TEST(a_ring, is_printed_without_its_empty_slots)
{
	atom_ring_desc desc{};
	desc.type = ATOM_DESC_EXECUTE;
	desc.flags = ATOM_DESC_IRQ;
	desc.cmd_bytes = 64;
	desc.cmd_va = 0xabc000;
	desc.seq = 12;
	const decoded d = decode_ring(joined({bytes_of(atom_ring_desc{}), bytes_of(desc)}));
	EXPECT_TRUE(d.problems.empty());
	const std::string text = to_text(d.tree);
	for (const char *part : {"entries: 2", "slot: 1", "type: execute", "flags: irq",
	                         "cmd_va: 0xabc000", "seq: 12"})
		EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
	EXPECT_EQ(text.find("slot: 0"), std::string::npos);
}

TEST(a_completion_area, is_printed_with_its_faults_in_words)
{
	atom_cpl_header h{};
	h.seqno = 3;
	h.state = ATOM_QUEUE_FAULTED;
	atom_cpl_record r{};
	r.seq = 3;
	r.status = ATOM_CPL_FAULT;
	r.fault_code = ATOM_FAULT_BAD_SHAPE;
	r.fault_where = ATOM_WHERE_COMMAND;
	r.fault_opcode = ATOM_OP_GEMM;
	r.fault_field = offsetof(atom_cmd_gemm, b);
	const decoded d =
		decode_completions(joined({bytes_of(h), bytes_of(atom_cpl_record{}), bytes_of(r)}));
	const std::string text = to_text(d.tree);
	for (const char *part : {"seqno: 3", "state: faulted", "status: fault",
	                         "fault: GEMM (command 0), field b: BAD_SHAPE, rank or dimensions "
	                         "do not fit together"})
		EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(json, says_what_it_cannot_say_as_text)
{
	EXPECT_EQ(to_json(value(std::string("a\"b\\c\n"))), "\"a\\\"b\\\\c\\u000a\"");
	EXPECT_EQ(to_json(value(std::nan(""))), "\"nan\"");
	EXPECT_EQ(to_json(value()), "null");
	EXPECT_EQ(to_json(value(std::uint64_t{18446744073709551615U})), "18446744073709551615");
}

} // namespace
} // namespace atom::test
