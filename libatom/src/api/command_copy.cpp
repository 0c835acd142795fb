// SPDX-License-Identifier: MIT
// The commands that move and convert.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/encoder.hpp"
#include "core/half.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

// As cast does: to nearest, ties to even, saturated.
template <class T>
std::uint64_t integer_bits(double value)
{
	using limits = std::numeric_limits<T>;
	if (std::isnan(value))
		return 0;
	const double rounded = std::nearbyint(value);
	T result = 0;
	if (rounded <= static_cast<double>(limits::min()))
		result = limits::min();
	else if (rounded >= static_cast<double>(limits::max()))
		result = limits::max();
	else
		result = static_cast<T>(rounded);
	return static_cast<std::make_unsigned_t<T>>(result);
}

std::uint64_t element_bits(const command &c, dtype type, double value)
{
	switch (type) {
	case dtype::i8:
		return integer_bits<std::int8_t>(value);
	case dtype::u8:
		return integer_bits<std::uint8_t>(value);
	case dtype::i16:
		return integer_bits<std::int16_t>(value);
	case dtype::i32:
		return integer_bits<std::int32_t>(value);
	case dtype::i64:
		return integer_bits<std::int64_t>(value);
	case dtype::f16:
		return core::to_f16(static_cast<float>(value));
	case dtype::bf16:
		return core::to_bf16(static_cast<float>(value));
	case dtype::f32:
		return std::bit_cast<std::uint32_t>(static_cast<float>(value));
	default:
		c.fail(errc::invalid_argument, "block types cannot be filled");
	}
}

void fill_with(command &c, const tensor &out, std::uint64_t bits)
{
	c.check(block_elements(out.type()) == 1, "block types cannot be filled");
	atom_cmd_copy e{};
	std::memcpy(&e.fill, &bits, std::min<std::size_t>(block_bytes(out.type()), sizeof(bits)));
	e.out = c.encode(out, use::output, "out");
	c.append(e, ATOM_COPY_FILL);
}

} // namespace

command_builder &command_builder::copy(const tensor &in, const tensor &out)
{
	command c(impl_, "copy", ATOM_OP_COPY);
	c.check(in.type() == out.type(), "in and out differ in type: use cast()");
	c.check_same_dims(in, out, "in and out");
	atom_cmd_copy e{};
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e);
	return *this;
}

command_builder &command_builder::fill(const tensor &out, double value)
{
	command c(impl_, "fill", ATOM_OP_COPY);
	fill_with(c, out, element_bits(c, out.type(), value));
	return *this;
}

command_builder &command_builder::fill_bits(const tensor &out, std::uint64_t bits)
{
	command c(impl_, "fill_bits", ATOM_OP_COPY);
	fill_with(c, out, bits);
	return *this;
}

command_builder &command_builder::cast(const tensor &in, const tensor &out,
                                       const cast_options &options)
{
	command c(impl_, "cast", ATOM_OP_CAST);
	c.check_same_dims(in, out, "in and out");
	atom_cmd_cast e{};
	e.rounding = options.toward_zero ? ATOM_ROUND_TOWARD_ZERO : ATOM_ROUND_NEAREST_EVEN;
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e, options.wrap ? ATOM_CAST_WRAP : 0);
	return *this;
}

} // namespace v1
} // namespace atom
