/* SPDX-License-Identifier: MIT */
/**
 * @file function.h
 * @brief enum atom_function and enum atom_binary_kind on one value, as the specification defines them.
 */
#pragma once

#include <cstdint>

namespace atom::engine {

/** f32 arithmetic and the C library's float functions. @p function is known and not LUT. */
float apply_function(std::uint32_t function, float x, float p0, float p1);
/** @p kind is known and not bitwise; comparisons and logic give 0 or 1. */
float apply_binary(std::uint32_t kind, float a, float b);

/**
 * Integers without quantisation: exact, the caller takes the result modulo
 * 2^bits. @p bits 8, 16 or 32; arguments are values of the dtype.
 */
std::int64_t apply_function(std::uint32_t function, std::int64_t x, float p0, float p1, std::uint8_t dtype);
std::int64_t apply_binary(std::uint32_t kind, std::int64_t a, std::int64_t b, unsigned bits);

/** LP of POOL2D: |x|^p, and sum^(1/p); 1 and 2 without a power function. */
float lp_term(float x, float p);
float lp_root(float sum, float p);

/** ALiBi: what head @p head of @p heads multiplies the mask by; @p max_bias above 0. */
float alibi_slope(float max_bias, std::int64_t heads, std::int64_t head);

/** Which functions exist for integers without quantisation. */
bool has_integer_form(std::uint32_t function);

} // namespace atom::engine
