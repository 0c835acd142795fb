// SPDX-License-Identifier: MIT
/**
 * @file types.hpp
 * @brief Element types, shapes and constant tensors of a graph.
 */
#ifndef ATOM_ONNX_TYPES_HPP
#define ATOM_ONNX_TYPES_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atom/dtype.hpp"

namespace atom_onnx {

/** Dimensions, outermost first; -1 where it is not known. */
using shape = std::vector<std::int64_t>;

/** The values of ONNX's TensorProto.DataType. */
enum class element_type : int {
	undefined = 0,
	f32 = 1,
	u8 = 2,
	i8 = 3,
	u16 = 4,
	i16 = 5,
	i32 = 6,
	i64 = 7,
	string = 8,
	boolean = 9,
	f16 = 10,
	f64 = 11,
	u32 = 12,
	u64 = 13,
	complex64 = 14,
	complex128 = 15,
	bf16 = 16,
	f8e4m3fn = 17,
	f8e4m3fnuz = 18,
	f8e5m2 = 19,
	f8e5m2fnuz = 20,
	u4 = 21,
	i4 = 22,
	f4e2m1 = 23,
	f8e8m0 = 24,
	u2 = 25,
	i2 = 26,
};

/** "f32", "bool", ..; "type 99" for what ONNX does not define. */
[[nodiscard]] std::string name_of(element_type type);

/** The device's type for it (bool is u8); empty if the device has none. */
[[nodiscard]] std::optional<atom::dtype> device_type(element_type type) noexcept;

/** The element type of a device's type; bool is told as u8. */
[[nodiscard]] element_type element_of(atom::dtype type) noexcept;

/** Bytes of one element; 0 for strings and for types of less than a byte. */
[[nodiscard]] std::size_t element_bytes(element_type type) noexcept;

[[nodiscard]] bool is_float(element_type type) noexcept;

/** "[2, 3]". */
[[nodiscard]] std::string to_string(const shape &dims);

/**
 * Number of elements.
 * @throws unsupported invalid_model: a negative dimension, or more elements than memory can hold
 */
std::int64_t count_of(const shape &dims);

/** A tensor whose elements the host knows. Copies share the elements. */
class host_tensor {
public:
	host_tensor() = default;
	/** @throws unsupported invalid_model: the bytes are not those of the type and dimensions */
	host_tensor(element_type type, shape dims, std::vector<std::byte> bytes);

	/** Elements converted to @p type: integers wrap, f16 and bf16 round to nearest even. */
	[[nodiscard]] static host_tensor of(element_type type, shape dims,
	                                    const std::vector<std::int64_t> &values);
	[[nodiscard]] static host_tensor of(element_type type, shape dims,
	                                    const std::vector<double> &values);

	[[nodiscard]] element_type type() const noexcept { return type_; }
	[[nodiscard]] const shape &dims() const noexcept { return dims_; }
	[[nodiscard]] const std::vector<std::byte> &bytes() const noexcept { return *bytes_; }
	[[nodiscard]] std::int64_t count() const noexcept { return count_; }

	/** All elements, floats cut toward zero. @throws unsupported dtype: strings and the like */
	[[nodiscard]] std::vector<std::int64_t> integers() const;
	[[nodiscard]] std::vector<double> reals() const;

	/** The same elements in other dimensions. @throws unsupported invalid_model: other count */
	[[nodiscard]] host_tensor reshaped(shape dims) const;

private:
	element_type type_ = element_type::undefined;
	shape dims_;
	std::int64_t count_ = 0;
	std::shared_ptr<const std::vector<std::byte>> bytes_ =
		std::make_shared<const std::vector<std::byte>>();
};

} // namespace atom_onnx

#endif
