// SPDX-License-Identifier: MIT
#include "atom_onnx/types.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "atom_onnx/unsupported.hpp"

namespace atom_onnx {
namespace {

// Far more than any device holds, and small enough that sums of sizes do not overflow.
constexpr std::int64_t count_max = std::int64_t{1} << 40;

struct type_facts {
	element_type type;
	const char *name;
	std::size_t bytes;
	atom::dtype device;
};

constexpr type_facts facts[] = {
	{element_type::f32, "f32", 4, atom::dtype::f32},
	{element_type::u8, "u8", 1, atom::dtype::u8},
	{element_type::i8, "i8", 1, atom::dtype::i8},
	{element_type::u16, "u16", 2, atom::dtype::none},
	{element_type::i16, "i16", 2, atom::dtype::i16},
	{element_type::i32, "i32", 4, atom::dtype::i32},
	{element_type::i64, "i64", 8, atom::dtype::i64},
	{element_type::string, "string", 0, atom::dtype::none},
	{element_type::boolean, "bool", 1, atom::dtype::u8},
	{element_type::f16, "f16", 2, atom::dtype::f16},
	{element_type::f64, "f64", 8, atom::dtype::none},
	{element_type::u32, "u32", 4, atom::dtype::none},
	{element_type::u64, "u64", 8, atom::dtype::none},
	{element_type::complex64, "complex64", 8, atom::dtype::none},
	{element_type::complex128, "complex128", 16, atom::dtype::none},
	{element_type::bf16, "bf16", 2, atom::dtype::bf16},
	{element_type::f8e4m3fn, "f8e4m3fn", 1, atom::dtype::none},
	{element_type::f8e4m3fnuz, "f8e4m3fnuz", 1, atom::dtype::none},
	{element_type::f8e5m2, "f8e5m2", 1, atom::dtype::none},
	{element_type::f8e5m2fnuz, "f8e5m2fnuz", 1, atom::dtype::none},
	{element_type::u4, "u4", 0, atom::dtype::none},
	{element_type::i4, "i4", 0, atom::dtype::none},
	{element_type::f4e2m1, "f4e2m1", 0, atom::dtype::none},
	{element_type::f8e8m0, "f8e8m0", 1, atom::dtype::none},
	{element_type::u2, "u2", 0, atom::dtype::none},
	{element_type::i2, "i2", 0, atom::dtype::none},
};

const type_facts *find(element_type type) noexcept
{
	for (const type_facts &f : facts)
		if (f.type == type)
			return &f;
	return nullptr;
}

float from_half(std::uint16_t h)
{
	const float sign = (h & 0x8000) != 0 ? -1.0F : 1.0F;
	const int exponent = h >> 10 & 31;
	const int fraction = h & 1023;
	if (exponent == 31)
		return fraction != 0 ? std::nanf("") : sign * INFINITY;
	if (exponent == 0)
		return sign * std::ldexp(static_cast<float>(fraction), -24);
	return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

std::uint16_t to_half(double value)
{
	const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
	const double magnitude = std::fabs(value);
	if (std::isnan(value))
		return 0x7e00;
	// The step between neighbours: that of the exponent, at least that of subnormals.
	const int exponent = magnitude > 0 && !std::isinf(magnitude)
	                             ? std::max(std::ilogb(magnitude), -14)
	                             : -14;
	const double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
	const double bits = units + (exponent + 14) * 1024.0;
	return sign | static_cast<std::uint16_t>(std::isinf(magnitude) || bits > 0x7c00 ? 0x7c00 : bits);
}

std::uint16_t to_brain(double value)
{
	const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
	if (std::isnan(value))
		return 0x7fc0;
	return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

template <class T>
T load(const std::byte *from)
{
	T value;
	std::memcpy(&value, from, sizeof(value));
	return value;
}

template <class T>
void store(std::byte *to, T value)
{
	std::memcpy(to, &value, sizeof(value));
}

template <class To>
To load_as(element_type type, const std::byte *from)
{
	switch (type) {
	case element_type::f32:
		return static_cast<To>(load<float>(from));
	case element_type::f64:
		return static_cast<To>(load<double>(from));
	case element_type::f16:
		return static_cast<To>(from_half(load<std::uint16_t>(from)));
	case element_type::bf16:
		return static_cast<To>(
			std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(from)} << 16));
	case element_type::u8:
	case element_type::boolean:
		return static_cast<To>(load<std::uint8_t>(from));
	case element_type::i8:
		return static_cast<To>(load<std::int8_t>(from));
	case element_type::u16:
		return static_cast<To>(load<std::uint16_t>(from));
	case element_type::i16:
		return static_cast<To>(load<std::int16_t>(from));
	case element_type::u32:
		return static_cast<To>(load<std::uint32_t>(from));
	case element_type::i32:
		return static_cast<To>(load<std::int32_t>(from));
	case element_type::u64:
		return static_cast<To>(load<std::uint64_t>(from));
	case element_type::i64:
		return static_cast<To>(load<std::int64_t>(from));
	default:
		throw unsupported(reason::dtype, name_of(type) + " on the host");
	}
}

template <class From>
void store_as(element_type type, std::byte *to, From value)
{
	switch (type) {
	case element_type::f32:
		return store(to, static_cast<float>(value));
	case element_type::f64:
		return store(to, static_cast<double>(value));
	case element_type::f16:
		return store(to, to_half(static_cast<double>(value)));
	case element_type::bf16:
		return store(to, to_brain(static_cast<double>(value)));
	case element_type::boolean:
		return store(to, static_cast<std::uint8_t>(value != 0));
	case element_type::u8:
	case element_type::i8:
		return store(to, static_cast<std::int8_t>(static_cast<std::int64_t>(value)));
	case element_type::u16:
	case element_type::i16:
		return store(to, static_cast<std::int16_t>(static_cast<std::int64_t>(value)));
	case element_type::u32:
	case element_type::i32:
		return store(to, static_cast<std::int32_t>(static_cast<std::int64_t>(value)));
	case element_type::u64:
	case element_type::i64:
		return store(to, static_cast<std::int64_t>(value));
	default:
		throw unsupported(reason::dtype, name_of(type) + " on the host");
	}
}

// A float beyond i64 has no integer; what C++ leaves undefined is made the nearest one.
std::int64_t saturated(double value)
{
	if (std::isnan(value))
		return 0;
	if (value >= 0x1p63)
		return INT64_MAX;
	return value < -0x1p63 ? INT64_MIN : static_cast<std::int64_t>(value);
}

template <class From>
host_tensor make(element_type type, shape dims, const std::vector<From> &values)
{
	const std::size_t size = element_bytes(type);
	std::vector<std::byte> bytes(values.size() * size);
	for (std::size_t i = 0; i < values.size(); ++i) {
		if constexpr (std::is_same_v<From, double>)
			if (!is_float(type) && type != element_type::boolean) {
				store_as(type, &bytes[i * size], saturated(values[i]));
				continue;
			}
		store_as(type, &bytes[i * size], values[i]);
	}
	return {type, std::move(dims), std::move(bytes)};
}

} // namespace

std::string name_of(element_type type)
{
	const type_facts *f = find(type);
	return f != nullptr ? f->name : "type " + std::to_string(static_cast<int>(type));
}

std::optional<atom::dtype> device_type(element_type type) noexcept
{
	const type_facts *f = find(type);
	if (f == nullptr || f->device == atom::dtype::none)
		return std::nullopt;
	return f->device;
}

element_type element_of(atom::dtype type) noexcept
{
	for (const type_facts &f : facts)
		if (f.device == type)
			return f.type;
	return element_type::undefined;
}

std::size_t element_bytes(element_type type) noexcept
{
	const type_facts *f = find(type);
	return f != nullptr ? f->bytes : 0;
}

bool is_float(element_type type) noexcept
{
	return type == element_type::f32 || type == element_type::f16 ||
	       type == element_type::bf16 || type == element_type::f64;
}

std::string to_string(const shape &dims)
{
	std::string text = "[";
	for (std::size_t i = 0; i < dims.size(); ++i)
		text += (i != 0 ? ", " : "") + std::to_string(dims[i]);
	return text + "]";
}

std::int64_t count_of(const shape &dims)
{
	std::int64_t spread = 1; // strides grow beside a dimension of 0 too
	bool empty = false;
	for (const std::int64_t d : dims) {
		if (d < 0 || (d != 0 && spread > count_max / d))
			throw unsupported(reason::invalid_model, "the shape " + to_string(dims));
		spread *= std::max<std::int64_t>(d, 1);
		empty = empty || d == 0;
	}
	return empty ? 0 : spread;
}

host_tensor::host_tensor(element_type type, shape dims, std::vector<std::byte> bytes)
	: type_(type), dims_(std::move(dims)), count_(count_of(dims_)),
	  bytes_(std::make_shared<const std::vector<std::byte>>(std::move(bytes)))
{
	if (static_cast<std::size_t>(count_) * element_bytes(type) != bytes_->size())
		throw unsupported(reason::invalid_model,
		                  "a tensor " + to_string(dims_) + " of " + name_of(type) + " with " +
		                          std::to_string(bytes_->size()) + " bytes");
}

host_tensor host_tensor::of(element_type type, shape dims, const std::vector<std::int64_t> &values)
{
	return make(type, std::move(dims), values);
}

host_tensor host_tensor::of(element_type type, shape dims, const std::vector<double> &values)
{
	return make(type, std::move(dims), values);
}

std::vector<std::int64_t> host_tensor::integers() const
{
	std::vector<std::int64_t> values(static_cast<std::size_t>(count_));
	const std::size_t size = element_bytes(type_);
	for (std::size_t i = 0; i < values.size(); ++i)
		values[i] = is_float(type_)
		                    ? saturated(load_as<double>(type_, bytes_->data() + i * size))
		                    : load_as<std::int64_t>(type_, bytes_->data() + i * size);
	return values;
}

std::vector<double> host_tensor::reals() const
{
	std::vector<double> values(static_cast<std::size_t>(count_));
	const std::size_t size = element_bytes(type_);
	for (std::size_t i = 0; i < values.size(); ++i)
		values[i] = load_as<double>(type_, bytes_->data() + i * size);
	return values;
}

host_tensor host_tensor::reshaped(shape dims) const
{
	if (count_of(dims) != count_)
		throw unsupported(reason::invalid_model,
		                  "reshape of " + to_string(dims_) + " to " + to_string(dims));
	host_tensor other = *this;
	other.dims_ = std::move(dims);
	return other;
}

} // namespace atom_onnx
