// SPDX-License-Identifier: MIT
/**
 * @file tensor.hpp
 * @brief Saying where a tensor is and how its elements lie.
 */
#ifndef ATOM_TENSOR_HPP
#define ATOM_TENSOR_HPP

#include <array>
#include <cstdint>
#include <initializer_list>

#include "atom/buffer.hpp"
#include "atom/dtype.hpp"
#include "atom/span.hpp"

namespace atom {
inline namespace v1 {

/** Most dimensions of a tensor. */
inline constexpr unsigned rank_max = 5;

/**
 * An argument of a command buffer: a place that each submission fills with a
 * buffer of its own. Slots count from 1; slot n takes argument n - 1.
 */
struct slot {
	std::uint16_t number; ///< 1 or more; 0 is none
	/** Slot @p n of a command buffer, 1 or more. */
	constexpr explicit slot(std::uint16_t n) noexcept : number(n) {}
};

/** Where something starts: in a buffer, or in an argument slot. */
class ATOM_API location {
public:
	/** @p offset bytes behind the start of what the slot will hold. */
	location(slot where,
	         std::uint64_t offset = 0) noexcept // NOLINT(google-explicit-constructor)
		: slot_(where.number), offset_(offset)
	{
	}
	/** The view's first byte. The command buffer keeps the memory alive. */
	location(buffer_view where) noexcept // NOLINT(google-explicit-constructor)
		: view_(std::move(where))
	{
	}
	/** The buffer's first byte. The command buffer keeps the memory alive. */
	location(const buffer &where) noexcept // NOLINT(google-explicit-constructor)
		: view_(where.view())
	{
	}

	/** 0 if it is in a buffer. */
	[[nodiscard]] std::uint16_t slot_number() const noexcept { return slot_; }
	/** Bytes behind the start of the slot. */
	[[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
	/** Empty if it is in a slot. */
	[[nodiscard]] const buffer_view &view() const noexcept { return view_; }

private:
	std::uint16_t slot_ = 0;
	std::uint64_t offset_ = 0;
	buffer_view view_;
};

/** What integers of a tensor stand for. */
enum class quantisation : std::uint8_t {
	none = 0,
	per_tensor = 1,  ///< real = scale * (q - zero_point)
	per_channel = 2, ///< the same with a scale for each index of one dimension
	block = 3,       ///< block types carry their own
};

/**
 * A tensor: place, element type, dimensions (outermost first), strides in bytes.
 *
 * A value: copying it is cheap and shares the memory it names. The methods that change it
 * return it, so that they can be chained. Nothing here touches the memory; what does
 * not fit is told when the tensor is used in a command.
 */
class ATOM_API tensor {
public:
	/**
	 * Row-major, without gaps. For block types the blocks run along the last dimension.
	 * @throws system_error invalid_argument: more than rank_max dimensions, a dimension
	 *         of 0, dtype none, a block dimension that is no multiple of 32; too_large: sizes
	 *         overflow
	 */
	tensor(location where, dtype type, span<const std::uint64_t> dims);
	/** The same with dimensions in braces. */
	tensor(location where, dtype type, std::initializer_list<std::uint64_t> dims)
		: tensor(std::move(where), type,
	                 span<const std::uint64_t>(dims.begin(), dims.size()))
	{
	}

	/**
	 * Sets the strides, bytes each; 0 repeats an input, negative ones walk backwards.
	 * @throws system_error invalid_argument: not one for each dimension
	 */
	tensor &strides(span<const std::int64_t> bytes);
	/** Moves element (0, 0, ..) by @p bytes from where it is. @throws too_large on overflow */
	tensor &advance(std::int64_t bytes);
	/** Swaps two dimensions with their strides. @throws invalid_argument: no such dimension */
	tensor &transpose(unsigned one, unsigned other);
	/** Repeats dimension @p axis, which must be 1, @p times times. @throws invalid_argument */
	tensor &broadcast(unsigned axis, std::uint64_t times);

	/**
	 * Repeats it to @p dims: dimensions are matched from the last one on, those that are 1 or
	 * missing are repeated. @throws invalid_argument: another one differs
	 */
	tensor &broadcast_to(span<const std::uint64_t> dims);

	/** Integers stand for scale * (q - zero_point). @throws invalid_argument: scale not > 0 */
	tensor &quantise(float scale, std::int32_t zero_point = 0);
	/**
	 * The same with f32 scales[dims[axis]], and i32 zero_points[dims[axis]] if given.
	 * @throws invalid_argument: no such axis, or the arrays are in two different slots
	 */
	tensor &quantise(unsigned axis, location scales);
	/** Per channel, with zero points. */
	tensor &quantise(unsigned axis, location scales, location zero_points);

	/** Type of the elements. */
	[[nodiscard]] dtype type() const noexcept { return type_; }
	/** Number of dimensions. */
	[[nodiscard]] unsigned rank() const noexcept { return rank_; }
	/** rank() of them. */
	[[nodiscard]] span<const std::uint64_t> dims() const noexcept
	{
		return {dims_.data(), rank_};
	}
	/** rank() of them, in bytes. */
	[[nodiscard]] span<const std::int64_t> strides() const noexcept
	{
		return {strides_.data(), rank_};
	}
	/** Where its first element is. */
	[[nodiscard]] const location &where() const noexcept { return where_; }
	/** Bytes by which element (0, 0, ..) lies behind where(). */
	[[nodiscard]] std::int64_t shift() const noexcept { return shift_; }

private:
	friend struct core::access;
	location where_;
	dtype type_;
	std::uint8_t rank_ = 0;
	quantisation quantisation_ = quantisation::none;
	std::uint8_t axis_ = 0;
	bool zero_points_ = false;
	float scale_ = 0;
	std::int32_t zero_point_ = 0;
	std::int64_t shift_ = 0;
	std::array<std::uint64_t, rank_max> dims_{};
	std::array<std::int64_t, rank_max> strides_{};
	location scales_at_{slot(0)};
	location zero_points_at_{slot(0)};
};

/** Bytes of a row-major tensor without gaps. @throws as the constructor of tensor */
[[nodiscard]] ATOM_API std::uint64_t bytes_of(dtype type, span<const std::uint64_t> dims);

} // namespace v1
} // namespace atom

#endif
