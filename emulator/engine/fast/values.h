/* SPDX-License-Identifier: MIT */
/**
 * @file values.h
 * @brief Runs of a tensor as f32 or i32: conversion, dequantisation and quantisation.
 *
 * Functions return false or nullptr after a fault, which is then in the memory.
 */
#pragma once

#include "fast/stream.h"
#include "fast/vector.h"

namespace atom::engine::fast {

/** Buffers of one worker for one run. */
struct run_buffers {
	alignas(64) std::byte raw[run_elements * 8];
	alignas(64) float rounded[run_elements];
	alignas(64) float scales[run_elements];
	alignas(64) std::int32_t zero_points[run_elements];
};

/** Scales and zero points of a run. */
class run_quant {
public:
	bool open(memory &mem, const stream &s);
	/** Afterwards either one pair or arrays in @p buffers hold for the run. */
	bool load(const index5 &index, std::size_t count, run_buffers &buffers);

	bool varies() const { return varies_; }
	float scale() const { return scale_; }
	std::int32_t zero_point() const { return zero_point_; }

private:
	memory *mem_ = nullptr;
	const stream *stream_ = nullptr;
	bool varies_ = false;
	float scale_ = 1;
	std::int32_t zero_point_ = 0;
};

/** A float or quantised tensor. */
class real_run {
public:
	/** Elements [first, last) of @p dims will be touched. */
	bool open(memory &mem, const stream &s, const index5 &dims, std::uint64_t first, std::uint64_t last,
		  std::uint32_t access);
	bool open(memory &mem, const stream &s, const byte_range &bytes, std::uint32_t access);
	bool load(const index5 &index, std::size_t count, float *to, run_buffers &buffers);
	/** Where the run lies as f32: in place, or loaded into @p buffer; nullptr: fault. */
	const float *view(const index5 &index, std::size_t count, float *buffer, run_buffers &buffers);
	/** The LUT, if not null, maps the bytes of an i8 or u8 output. */
	bool store(const index5 &index, std::size_t count, const float *from, run_buffers &buffers,
		   const std::byte *lut = nullptr, bool toward_zero = false);
	/** Where elements from @p index on lie one behind the other, or nullptr. */
	std::byte *place(const index5 &index) const { return window_.place(index); }

private:
	void store_integers(const float *from, std::byte *to, std::size_t count, run_buffers &buffers, bool toward_zero);

	window window_;
	run_quant quant_;
};

/** Integers as they are: i8, u8, i16, i32. */
class integer_run {
public:
	bool open(memory &mem, const stream &s, const index5 &dims, std::uint64_t first, std::uint64_t last,
		  std::uint32_t access)
	{
		return window_.open(mem, s, dims, first, last, access);
	}
	bool open(memory &mem, const stream &s, const byte_range &bytes, std::uint32_t access)
	{
		return window_.open(mem, s, bytes, access);
	}
	bool load(const index5 &index, std::size_t count, std::int32_t *to, run_buffers &buffers);
	/** The low bits. */
	bool store(const index5 &index, std::size_t count, const std::int32_t *from, run_buffers &buffers);

private:
	window window_;
};

/** @p count blocks that lie one behind the other. */
void dequantise_blocks(const std::byte *from, std::uint8_t dtype, std::size_t count, float *to);

/** Function @p f of a run; @p to does not overlap @p x. */
void apply(std::uint32_t f, const float *x, float *to, std::size_t n, float p0, float p1);

} // namespace atom::engine::fast
