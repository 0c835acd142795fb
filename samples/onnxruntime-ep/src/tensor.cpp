// SPDX-License-Identifier: MIT
#include "tensor.hpp"

namespace atom_ort {

atom_onnx::element_type element_type_of(ONNXTensorElementDataType type) noexcept
{
	using atom_onnx::element_type;
	switch (type) {
	case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2:
		return element_type::u2;
	case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2:
		return element_type::i2;
	case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0:
		return element_type::f8e8m0;
	default:
		return static_cast<element_type>(type);
	}
}

std::optional<atom_onnx::host_tensor> to_host(const Ort::ConstValue &from)
{
	const auto info = from.GetTensorTypeAndShapeInfo();
	const auto type = element_type_of(info.GetElementType());
	if (atom_onnx::element_bytes(type) == 0)
		return std::nullopt;
	const std::size_t bytes = from.GetTensorSizeInBytes();
	const auto *data = static_cast<const std::byte *>(from.GetTensorRawData());
	return atom_onnx::host_tensor(type, info.GetShape(),
	                              bytes == 0 ? std::vector<std::byte>()
	                                         : std::vector<std::byte>(data, data + bytes));
}

} // namespace atom_ort
