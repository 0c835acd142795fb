// SPDX-License-Identifier: MIT
#include "tensor.hpp"

#include <cstring>

#include "onnx/onnx_pb.h"

namespace atom_onnx {
namespace {

[[noreturn]] void refuse(reason why, const onnx::TensorProto &from, const std::string &what)
{
	throw unsupported(why, "tensor '" + from.name() + "': " + what);
}

// Narrow types travel in fields of 32 bits; the low bytes are the element.
template <class Field>
std::vector<std::byte> narrowed(const Field &field, std::size_t size)
{
	std::vector<std::byte> bytes(static_cast<std::size_t>(field.size()) * size);
	for (int i = 0; i < field.size(); ++i) {
		const auto value = field.Get(i);
		std::memcpy(&bytes[static_cast<std::size_t>(i) * size], &value, size);
	}
	return bytes;
}

std::vector<std::byte> bytes_of(const onnx::TensorProto &from, element_type type)
{
	if (from.has_raw_data()) {
		const auto *data = reinterpret_cast<const std::byte *>(from.raw_data().data());
		return {data, data + from.raw_data().size()};
	}
	const std::size_t size = element_bytes(type);
	switch (type) {
	case element_type::f32:
		return narrowed(from.float_data(), size);
	case element_type::f64:
		return narrowed(from.double_data(), size);
	case element_type::i64:
		return narrowed(from.int64_data(), size);
	case element_type::u32:
	case element_type::u64:
		return narrowed(from.uint64_data(), size);
	default:
		return narrowed(from.int32_data(), size);
	}
}

} // namespace

host_tensor to_tensor(const onnx::TensorProto &from)
{
	const auto type = static_cast<element_type>(from.data_type());
	if (type == element_type::string)
		refuse(reason::string, from, "strings");
	if (from.data_location() == onnx::TensorProto::EXTERNAL)
		refuse(reason::invalid_model, from, "its data lies in another file");
	if (element_bytes(type) == 0 || type == element_type::complex64 ||
	    type == element_type::complex128)
		refuse(reason::dtype, from, name_of(type));
	return {type, shape(from.dims().begin(), from.dims().end()), bytes_of(from, type)};
}

} // namespace atom_onnx
