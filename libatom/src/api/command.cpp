// SPDX-License-Identifier: MIT
#include "atom/command.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "core/access.hpp"
#include "core/encoder.hpp"
#include "core/failure.hpp"
#include "core/half.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

core::encoder &live(const std::unique_ptr<core::encoder> &e)
{
	if (!e)
		core::fail(errc::invalid_argument,
		           "command builder: it was moved from or finished; make a new one");
	return *e;
}

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

command_builder::command_builder(const context &ctx)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "command builder: the context is empty");
	impl_ = std::make_unique<core::encoder>(core::access::ctx(ctx));
}
command_builder::command_builder(command_builder &&) noexcept = default;
command_builder &command_builder::operator=(command_builder &&) noexcept = default;
command_builder::~command_builder() = default;

command_builder &command_builder::tag(std::uint32_t value)
{
	live(impl_).tag = value;
	return *this;
}

command_builder &command_builder::nop()
{
	command c(live(impl_), "nop", ATOM_OP_NOP);
	atom_cmd_nop e{};
	c.append(e);
	return *this;
}

command_builder &command_builder::barrier()
{
	command c(live(impl_), "barrier", ATOM_OP_FENCE);
	atom_cmd_fence e{};
	c.append(e);
	return *this;
}

command_builder &command_builder::timestamp(const location &out)
{
	command c(live(impl_), "timestamp", ATOM_OP_TIMESTAMP);
	atom_cmd_timestamp e{};
	e.out = c.encode(out, sizeof(atom_timestamp), alignof(std::uint64_t), "out");
	c.append(e);
	return *this;
}

command_builder &command_builder::copy(const tensor &in, const tensor &out)
{
	command c(live(impl_), "copy", ATOM_OP_COPY);
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
	command c(live(impl_), "fill", ATOM_OP_COPY);
	fill_with(c, out, element_bits(c, out.type(), value));
	return *this;
}

command_builder &command_builder::fill_bits(const tensor &out, std::uint64_t bits)
{
	command c(live(impl_), "fill_bits", ATOM_OP_COPY);
	fill_with(c, out, bits);
	return *this;
}

command_builder &command_builder::cast(const tensor &in, const tensor &out,
                                       const cast_options &options)
{
	command c(live(impl_), "cast", ATOM_OP_CAST);
	c.check_same_dims(in, out, "in and out");
	atom_cmd_cast e{};
	e.rounding = options.toward_zero ? ATOM_ROUND_TOWARD_ZERO : ATOM_ROUND_NEAREST_EVEN;
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e, options.wrap ? ATOM_CAST_WRAP : 0);
	return *this;
}

command_builder &command_builder::gemm(const tensor &a, const tensor &b, const tensor &out,
                                       const gemm_options &options)
{
	command c(live(impl_), "gemm", ATOM_OP_GEMM);
	const unsigned r = out.rank();
	c.check(r >= 2 && a.rank() == r && b.rank() == r,
	        "a, b and out must have the same rank, 2 to 5");
	const auto leading = [r](const tensor &t) { return t.dims().subspan(0, r - 2); };
	const auto same = [](span<const std::uint64_t> x, span<const std::uint64_t> y) {
		return std::equal(x.begin(), x.end(), y.begin(), y.end());
	};
	const std::uint64_t rows = out.dims()[r - 2];
	const std::uint64_t columns = out.dims()[r - 1];
	if (a.dims()[r - 2] != rows || b.dims()[r - 1] != columns ||
	    a.dims()[r - 1] != b.dims()[r - 2] || !same(leading(a), leading(out)) ||
	    !same(leading(b), leading(out)))
		c.fail(errc::invalid_argument,
		       "dimensions do not fit: a " + core::to_string(a.dims()) + ", b " +
		               core::to_string(b.dims()) + ", out " + core::to_string(out.dims()) +
		               "; needed: [.., m, k], [.., k, n], [.., m, n]");
	c.check(std::isfinite(options.alpha), "alpha is not finite");
	atom_cmd_gemm e{};
	e.alpha = options.alpha;
	e.a = c.encode(a, use::input, "a");
	e.b = c.encode(b, use::input, "b");
	e.out = c.encode(out, use::output, "out");
	e.epilogue = c.encode(options.epilogue);
	c.append(e,
	         static_cast<std::uint16_t>((options.quantise_activations ? ATOM_GEMM_ACT_Q8 : 0) |
	                                    (options.constant_b ? ATOM_GEMM_B_CONSTANT : 0)));
	return *this;
}

command_builder &command_builder::binary(binary_kind kind, const tensor &a, const tensor &b,
                                         const tensor &out, const epilogue &after)
{
	command c(live(impl_), "binary", ATOM_OP_BINARY);
	c.check_same_dims(a, out, "a and out");
	c.check_same_dims(b, out, "b and out");
	c.check(!after.bias, "its epilogue has no bias: use a residual");
	atom_cmd_binary e{};
	e.kind = static_cast<std::uint32_t>(kind);
	e.a = c.encode(a, use::input, "a");
	e.b = c.encode(b, use::input, "b");
	e.out = c.encode(out, use::output, "out");
	e.epilogue = c.encode(after);
	c.append(e);
	return *this;
}

command_builder &command_builder::unary(function fn, const tensor &in, const tensor &out, float p0,
                                        float p1)
{
	command c(live(impl_), "unary", ATOM_OP_UNARY);
	c.check(fn != function::lut, "function::lut needs an epilogue's table");
	c.check_same_dims(in, out, "in and out");
	atom_cmd_unary e{};
	e.function = static_cast<std::uint32_t>(fn);
	e.p0 = p0;
	e.p1 = p1;
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e);
	return *this;
}

command_buffer command_builder::finish()
{
	live(impl_);
	// What cannot be finished can still be added to, or tried again.
	command_buffer done = core::access::wrap(impl_->finish());
	impl_.reset();
	return done;
}

command_buffer command_builder::finish(std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return finish(); });
}

span<const std::byte> command_buffer::bytes() const noexcept
{
	return impl_ ? span<const std::byte>(impl_->bytes, impl_->size) : span<const std::byte>();
}

std::uint32_t command_buffer::size() const noexcept { return impl_ ? impl_->commands : 0; }

std::uint32_t command_buffer::argument_count() const noexcept
{
	return impl_ ? static_cast<std::uint32_t>(impl_->argument_bytes.size()) : 0;
}

std::uint64_t command_buffer::argument_bytes(slot where) const noexcept
{
	if (where.number == 0 || where.number > argument_count())
		return 0;
	return impl_->argument_bytes[where.number - 1U];
}

} // namespace v1
} // namespace atom
