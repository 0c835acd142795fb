// SPDX-License-Identifier: MIT
#include "tensor.hpp"

namespace atom_ort {

std::optional<atom_onnx::host_tensor> to_host(const Ort::ConstValue &from)
{
	const auto info = from.GetTensorTypeAndShapeInfo();
	const auto type = static_cast<atom_onnx::element_type>(info.GetElementType());
	if (atom_onnx::element_bytes(type) == 0)
		return std::nullopt;
	const std::size_t bytes = from.GetTensorSizeInBytes();
	const auto *data = static_cast<const std::byte *>(from.GetTensorRawData());
	return atom_onnx::host_tensor(type, info.GetShape(),
	                              bytes == 0 ? std::vector<std::byte>()
	                                         : std::vector<std::byte>(data, data + bytes));
}

} // namespace atom_ort
