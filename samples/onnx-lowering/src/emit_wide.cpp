// SPDX-License-Identifier: MIT
// Arithmetic on i64, which the device only moves: exact, on its halves of 32 bits.
#include <limits>

#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using atom::dtype;

view low_half(const view &v)
{
	view half = v;
	half.type = dtype::i32;
	return half;
}

view high_half(const view &v)
{
	view half = low_half(v);
	half.offset += block_bytes(dtype::i32);
	return half;
}

// Order of i32 that stand for unsigned numbers.
view compare_unsigned(emitter &e, binary_kind kind, const view &a, const view &b)
{
	const view flip = e.scalar(dtype::i32, std::numeric_limits<std::int32_t>::min());
	return e.binary(kind, e.binary(binary_kind::bitwise_xor, a, flip),
	                e.binary(binary_kind::bitwise_xor, b, flip));
}

view compare(emitter &e, binary_kind kind, const view &a, const view &b)
{
	const view low = kind == binary_kind::eq || kind == binary_kind::ne
	                         ? e.binary(kind, low_half(a), low_half(b))
	                         : compare_unsigned(e, kind, low_half(a), low_half(b));
	if (kind == binary_kind::ne)
		return e.binary(binary_kind::logical_or, low,
		                e.binary(kind, high_half(a), high_half(b)));
	const view same = e.binary(
		binary_kind::logical_and, low,
		e.binary(binary_kind::eq, high_half(a), high_half(b)));
	if (kind == binary_kind::eq)
		return same;
	const bool less = kind == binary_kind::lt || kind == binary_kind::le;
	return e.binary(binary_kind::logical_or, same,
	                e.binary(less ? binary_kind::lt : binary_kind::gt, high_half(a),
	                         high_half(b)));
}

void sum(emitter &e, const view &a, const view &b, const view &out)
{
	e.binary_into(binary_kind::add, low_half(a), low_half(b), low_half(out));
	const view carry = compare_unsigned(e, binary_kind::lt, low_half(out), low_half(a));
	e.binary_into(binary_kind::add, e.add(high_half(a), high_half(b)),
	              e.cast(carry, dtype::i32), high_half(out));
}

void difference(emitter &e, const view &a, const view &b, const view &out)
{
	const view borrow = compare_unsigned(e, binary_kind::lt, low_half(a), low_half(b));
	e.binary_into(binary_kind::sub, low_half(a), low_half(b), low_half(out));
	e.binary_into(binary_kind::sub, e.sub(high_half(a), high_half(b)),
	              e.cast(borrow, dtype::i32), high_half(out));
}

// The high half of the product of unsigned numbers, by products of 16 bits.
view multiply_high(emitter &e, const view &a, const view &b)
{
	const view mask = e.scalar(dtype::i32, 0xffff);
	const view shift = e.scalar(dtype::i32, 16);
	const auto low = [&](const view &v) { return e.binary(binary_kind::bitwise_and, v, mask); };
	const auto high = [&](const view &v) { return low(e.binary(binary_kind::shr, v, shift)); };
	const view a0 = low(a);
	const view a1 = high(a);
	const view b0 = low(b);
	const view b1 = high(b);
	const view cross = e.mul(a0, b1);
	const view other = e.mul(a1, b0);
	const view middle = e.add(high(e.mul(a0, b0)), e.add(low(cross), low(other)));
	return e.add(e.add(e.mul(a1, b1), high(middle)), e.add(high(cross), high(other)));
}

void product(emitter &e, const view &a, const view &b, const view &out)
{
	e.binary_into(binary_kind::mul, low_half(a), low_half(b), low_half(out));
	e.binary_into(binary_kind::add, multiply_high(e, low_half(a), low_half(b)),
	              e.add(e.mul(low_half(a), high_half(b)), e.mul(high_half(a), low_half(b))),
	              high_half(out));
}

} // namespace

view emitter::wide_binary(binary_kind kind, const view &a, const view &b)
{
	if (a.type != b.type)
		throw unsupported(reason::dtype, "i64 together with another type");
	const shape dims = broadcast_shape(a.dims, b.dims);
	const auto into = [&](auto work) {
		const view out = allocate_like(dtype::i64, dims, a.dims == dims ? a : b);
		work(*this, a, b, out);
		return out;
	};
	switch (kind) {
	case binary_kind::eq:
	case binary_kind::ne:
	case binary_kind::lt:
	case binary_kind::le:
	case binary_kind::gt:
	case binary_kind::ge:
		return compare(*this, kind, a, b);
	case binary_kind::min:
		return select(compare(*this, binary_kind::lt, a, b), a, b);
	case binary_kind::max:
		return select(compare(*this, binary_kind::gt, a, b), a, b);
	case binary_kind::add:
		return into(sum);
	case binary_kind::sub:
		return into(difference);
	case binary_kind::mul:
		return into(product);
	default:
		throw unsupported(reason::dtype, "this arithmetic on i64");
	}
}

} // namespace atom_onnx
