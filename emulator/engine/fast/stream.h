/* SPDX-License-Identifier: MIT */
/**
 * @file stream.h
 * @brief Operands of elementwise commands as runs of elements along one dimension.
 *
 * A run is at most run_elements long. Where guest memory can be mapped, and the
 * elements are contiguous, a run is used in place; else it is gathered or
 * scattered through a buffer.
 */
#pragma once

#include <initializer_list>

#include "engine.h"
#include "plan.h"

namespace atom::engine::fast {

inline constexpr std::size_t run_elements = 1024;

/** A tensor over an index space that all operands of a command share. */
struct stream {
	tensor t;
	index5 channels = {}; ///< PER_CHANNEL: strides in bytes over the arrays of scales and zero points
};

/** The stream of a tensor; dims are the tensor's. */
stream make_stream(const tensor &t);

/**
 * Joins neighbouring dimensions that every stream walks as if they were one, so
 * that runs get long. Absent streams are left alone.
 * @return the dims of the joined space
 */
index5 merge(index5 dims, std::initializer_list<stream *> streams);

/** Elements [first, last) of a space, run by run. */
class run_walk {
public:
	run_walk(const index5 &dims, std::uint64_t first, std::uint64_t last)
		: dims_(dims), left_(last - first), index_(index_at(first, dims))
	{
	}
	/** False at the end. */
	bool next();
	/** Of the first element. */
	const index5 &index() const { return at_; }
	std::size_t count() const { return count_; }

private:
	const index5 &dims_;
	std::uint64_t left_;
	index5 index_;
	index5 at_{};
	std::size_t count_ = 0;
};

/** Bytes of an operand, relative to its first element. */
struct byte_range {
	std::int64_t low = 0, high = 0;
};
/** From element @p first to @p last of each dimension, both included. */
byte_range range_of(const tensor &t, const index5 &first, const index5 &last);

/** Index of an element in row-major order. */
inline std::uint64_t linear(const index5 &index, const index5 &dims)
{
	std::uint64_t at = 0;
	for (std::size_t i = 0; i < index.size(); ++i)
		at = at * static_cast<std::uint64_t>(dims[i]) + static_cast<std::uint64_t>(index[i]);
	return at;
}

/**
 * Copies @p count elements, the first at byte @p at of the operand, @p stride apart,
 * one behind the other into @p to; the gaps of an input may be read too. False: fault.
 */
bool read_strided(memory &mem, const tensor &t, std::int64_t at, std::int64_t stride, std::size_t count, std::byte *to);

/** The bytes of one operand that one tile touches, mapped if the host can. */
class window {
public:
	/** @p first and @p last bound the tile's elements. False: fault. */
	bool open(memory &mem, const stream &s, const index5 &dims, std::uint64_t first, std::uint64_t last,
		  std::uint32_t access);
	/** Where the stream's dims are not what the tile is cut from. */
	bool open(memory &mem, const stream &s, const byte_range &bytes, std::uint32_t access);

	/** Without a mapping. */
	void attach(memory &mem, const stream &s)
	{
		mem_ = &mem;
		stream_ = &s;
		base_ = nullptr;
	}

	/** The run's elements one behind the other, in place or in @p buffer; nullptr: fault. */
	const std::byte *read(const index5 &index, std::size_t count, std::byte *buffer) const;
	/** Where to put @p count elements: in place, or nullptr if write() must take them. */
	std::byte *place(const index5 &index) const;
	/** Stores elements that lie one behind the other. False: fault. */
	bool write(const index5 &index, std::size_t count, const std::byte *from) const;

	/** Host address of byte 0 of the operand, or nullptr if it is not mapped. */
	std::byte *base() const { return base_; }
	const stream &of() const { return *stream_; }
	memory &mem() const { return *mem_; }

private:
	memory *mem_ = nullptr;
	const stream *stream_ = nullptr;
	std::byte *base_ = nullptr;
};

} // namespace atom::engine::fast
