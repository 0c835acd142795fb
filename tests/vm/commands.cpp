// SPDX-License-Identifier: MIT
#include "commands.hpp"

#include <cstring>

namespace vmtest {

namespace {

template <class Command> Command make(std::uint16_t opcode)
{
	Command command{};
	command.header.opcode = opcode;
	command.header.bytes = sizeof(Command);
	return command;
}

} // namespace

std::size_t dtype_bytes(std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return 1;
	case ATOM_DTYPE_I16:
	case ATOM_DTYPE_F16:
	case ATOM_DTYPE_BF16:
		return 2;
	case ATOM_DTYPE_I32:
	case ATOM_DTYPE_F32:
		return 4;
	case ATOM_DTYPE_I64:
		return 8;
	}
	return 0;
}

atom_tensor tensor(std::uint8_t dtype, std::initializer_list<std::uint64_t> dims, std::uint64_t offset,
		   std::uint16_t slot)
{
	atom_tensor t{};
	t.slot = slot;
	t.dtype = dtype;
	t.rank = static_cast<__u8>(dims.size());
	t.offset = offset;
	std::size_t i = 0;
	for (const std::uint64_t dim : dims)
		t.dims[i++] = dim;
	std::uint64_t stride = dtype_bytes(dtype);
	while (i-- > 0) {
		t.strides[i] = stride;
		stride *= t.dims[i];
	}
	return t;
}

atom_cmd_nop make_nop(std::uint32_t tag)
{
	auto command = make<atom_cmd_nop>(ATOM_OP_NOP);
	command.header.tag = tag;
	return command;
}

atom_cmd_fence make_fence() { return make<atom_cmd_fence>(ATOM_OP_FENCE); }

atom_cmd_timestamp make_timestamp(std::uint64_t va)
{
	auto command = make<atom_cmd_timestamp>(ATOM_OP_TIMESTAMP);
	command.out.offset = va;
	return command;
}

atom_cmd_copy make_copy(const atom_tensor &in, const atom_tensor &out)
{
	auto command = make<atom_cmd_copy>(ATOM_OP_COPY);
	command.in = in;
	command.out = out;
	return command;
}

atom_cmd_copy make_copy_bytes(std::uint64_t from, std::uint64_t to, std::uint64_t bytes)
{
	return make_copy(tensor(ATOM_DTYPE_U8, {bytes}, from), tensor(ATOM_DTYPE_U8, {bytes}, to));
}

atom_cmd_copy make_fill(const atom_tensor &out, std::uint64_t element)
{
	auto command = make<atom_cmd_copy>(ATOM_OP_COPY);
	command.header.flags = ATOM_COPY_FILL;
	command.fill = element;
	command.out = out;
	return command;
}

atom_cmd_cast make_cast(const atom_tensor &in, const atom_tensor &out)
{
	auto command = make<atom_cmd_cast>(ATOM_OP_CAST);
	command.in = in;
	command.out = out;
	return command;
}

atom_cmd_gemm make_gemm(const atom_tensor &a, const atom_tensor &b, const atom_tensor &out)
{
	auto command = make<atom_cmd_gemm>(ATOM_OP_GEMM);
	command.alpha = 1.0f;
	command.a = a;
	command.b = b;
	command.out = out;
	return command;
}

atom_cmd_binary make_binary(std::uint32_t kind, const atom_tensor &a, const atom_tensor &b,
			    const atom_tensor &out)
{
	auto command = make<atom_cmd_binary>(ATOM_OP_BINARY);
	command.kind = kind;
	command.a = a;
	command.b = b;
	command.out = out;
	return command;
}

atom_cmd_unary make_unary(std::uint32_t function, const atom_tensor &in, const atom_tensor &out)
{
	auto command = make<atom_cmd_unary>(ATOM_OP_UNARY);
	command.function = function;
	command.in = in;
	command.out = out;
	return command;
}

std::size_t command_list::add_bytes(std::span<const std::byte> command)
{
	const std::size_t offset = bytes_.size();
	bytes_.insert(bytes_.end(), command.begin(), command.end());
	++commands_;
	return offset;
}

std::vector<std::byte> command_list::finish() const
{
	auto result = bytes_;
	atom_cmdbuf_header header{};
	header.magic = ATOM_CMDBUF_MAGIC;
	header.major = ATOM_CMDBUF_MAJOR;
	header.minor = ATOM_CMDBUF_MINOR;
	header.bytes = static_cast<__u32>(result.size());
	header.commands = commands_;
	header.slots = slots_;
	std::memcpy(result.data(), &header, sizeof(header));
	return result;
}

} // namespace vmtest
