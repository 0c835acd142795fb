// SPDX-License-Identifier: MIT
#include "atom/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/encoder.hpp"
#include "core/failure.hpp"

namespace atom {
inline namespace v1 {
namespace {

[[noreturn]] void fail(errc code, const std::string &why) { core::fail(code, "tensor: " + why); }

std::string describe(dtype type, span<const std::uint64_t> dims)
{
	return std::string(name_of(type)) + core::to_string(dims);
}

// Bytes of all, and the strides of a row-major layout without gaps.
std::uint64_t lay_out(dtype type, span<const std::uint64_t> dims, std::int64_t *strides)
{
	if (block_bytes(type) == 0)
		fail(errc::invalid_argument, "it has no element type");
	if (dims.size() > rank_max)
		fail(errc::invalid_argument, std::to_string(dims.size()) +
		                                     " dimensions; the device has at most " +
		                                     std::to_string(rank_max));
	if (block_elements(type) > 1 && dims.empty())
		fail(errc::invalid_argument, "a scalar has no blocks");
	std::uint64_t bytes = block_bytes(type);
	for (std::size_t i = dims.size(); i-- > 0;) {
		std::uint64_t steps = dims[i];
		if (steps == 0)
			fail(errc::invalid_argument,
			     describe(type, dims) + ": dimension " + std::to_string(i) + " is 0");
		if (i + 1 == dims.size() && block_elements(type) > 1) {
			if (steps % block_elements(type) != 0)
				fail(errc::invalid_argument,
				     describe(type, dims) +
				             ": the last dimension is no multiple of a block's 32");
			steps /= block_elements(type);
		}
		strides[i] = static_cast<std::int64_t>(bytes);
		if (__builtin_mul_overflow(bytes, steps, &bytes) || bytes > INT64_MAX)
			fail(errc::too_large, describe(type, dims) + " has more than 2^63 bytes");
	}
	return bytes;
}

} // namespace

const char *name_of(dtype type) noexcept
{
	switch (type) {
	case dtype::none:
		return "none";
	case dtype::i8:
		return "i8";
	case dtype::u8:
		return "u8";
	case dtype::i16:
		return "i16";
	case dtype::i32:
		return "i32";
	case dtype::i64:
		return "i64";
	case dtype::f16:
		return "f16";
	case dtype::bf16:
		return "bf16";
	case dtype::f32:
		return "f32";
	case dtype::q8_0:
		return "q8_0";
	case dtype::q4_0:
		return "q4_0";
	case dtype::q4_1:
		return "q4_1";
	}
	return "?";
}

std::uint64_t bytes_of(dtype type, span<const std::uint64_t> dims)
{
	std::array<std::int64_t, rank_max> strides;
	return lay_out(type, dims, strides.data());
}

tensor::tensor(location where, dtype type, span<const std::uint64_t> dims)
	: where_(std::move(where)), type_(type)
{
	lay_out(type, dims, strides_.data());
	rank_ = static_cast<std::uint8_t>(dims.size());
	std::copy(dims.begin(), dims.end(), dims_.begin());
	if (block_elements(type) > 1) {
		quantisation_ = quantisation::block;
		axis_ = static_cast<std::uint8_t>(rank_ - 1);
	}
}

tensor &tensor::strides(span<const std::int64_t> bytes)
{
	if (bytes.size() != rank_)
		fail(errc::invalid_argument, std::to_string(bytes.size()) + " strides for " +
		                                     std::to_string(rank_) + " dimensions");
	std::copy(bytes.begin(), bytes.end(), strides_.begin());
	return *this;
}

tensor &tensor::advance(std::int64_t bytes)
{
	if (__builtin_add_overflow(shift_, bytes, &shift_))
		fail(errc::too_large, "it moves by more than 2^63 bytes");
	return *this;
}

tensor &tensor::transpose(unsigned one, unsigned other)
{
	if (one >= rank_ || other >= rank_)
		fail(errc::invalid_argument,
		     "transpose " + std::to_string(one) + " and " + std::to_string(other) + " of " +
		             describe(type_, dims()) + ": no such dimension");
	std::swap(dims_[one], dims_[other]);
	std::swap(strides_[one], strides_[other]);
	if (quantisation_ == quantisation::block || quantisation_ == quantisation::per_channel) {
		if (axis_ == one)
			axis_ = static_cast<std::uint8_t>(other);
		else if (axis_ == other)
			axis_ = static_cast<std::uint8_t>(one);
	}
	return *this;
}

tensor &tensor::broadcast(unsigned axis, std::uint64_t times)
{
	const bool fits = axis < rank_ && dims_[axis] == 1 && times != 0;
	// Along a quantised axis there would be more indices than scales.
	const bool scales = quantisation_ == quantisation::per_channel && axis_ == axis;
	if (!fits || scales)
		fail(errc::invalid_argument,
		     "broadcast dimension " + std::to_string(axis) + " of " +
		             describe(type_, dims()) + " to " + std::to_string(times) +
		             (scales ? ": it has a scale for each index" : ": it must be 1"));
	dims_[axis] = times;
	strides_[axis] = 0;
	return *this;
}

tensor &tensor::broadcast_to(span<const std::uint64_t> dims)
{
	bool fits = dims.size() >= rank_ && dims.size() <= rank_max;
	const std::size_t missing = fits ? dims.size() - rank_ : 0;
	std::array<std::int64_t, rank_max> strides{};
	for (std::size_t i = 0; fits && i < dims.size(); ++i) {
		const bool own = i >= missing && dims_[i - missing] == dims[i];
		const bool repeated = i < missing || dims_[i - missing] == 1;
		fits = dims[i] != 0 && (own || repeated);
		if (own)
			strides[i] = strides_[i - missing];
		else if (quantisation_ == quantisation::per_channel && axis_ + missing == i)
			fits = false; // more indices than scales
	}
	if (!fits)
		fail(errc::invalid_argument, "broadcast " + describe(type_, this->dims()) + " to " +
		                                     core::to_string(dims) + ": it does not fit");
	strides_ = strides;
	std::copy(dims.begin(), dims.end(), dims_.begin());
	rank_ = static_cast<std::uint8_t>(dims.size());
	axis_ = static_cast<std::uint8_t>(axis_ + missing);
	return *this;
}

tensor &tensor::quantise(float scale, std::int32_t zero_point)
{
	if (!(scale > 0) || !std::isfinite(scale))
		fail(errc::invalid_argument, "a scale of " + std::to_string(scale) +
		                                     "; it must be finite and greater than 0");
	quantisation_ = quantisation::per_tensor;
	scale_ = scale;
	zero_point_ = zero_point;
	return *this;
}

tensor &tensor::quantise(unsigned axis, location scales)
{
	if (axis >= rank_)
		fail(errc::invalid_argument, "quantise dimension " + std::to_string(axis) + " of " +
		                                     describe(type_, dims()) +
		                                     ": no such dimension");
	quantisation_ = quantisation::per_channel;
	axis_ = static_cast<std::uint8_t>(axis);
	scales_at_ = std::move(scales);
	zero_points_ = false;
	return *this;
}

tensor &tensor::quantise(unsigned axis, location scales, location zero_points)
{
	if (scales.slot_number() != zero_points.slot_number())
		fail(errc::invalid_argument, "scales and zero points must be in the same slot");
	quantise(axis, std::move(scales));
	zero_points_at_ = std::move(zero_points);
	zero_points_ = true;
	return *this;
}

} // namespace v1
} // namespace atom
