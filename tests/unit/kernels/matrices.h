/* SPDX-License-Identifier: MIT */
/** @file matrices.h
 *  @brief Random matrices of any type and layout, and their values as the tests see them. */
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "kernels/gemm.h"

namespace atom::test {

using engine::kernels::matrix;

inline std::size_t bytes_of(atom_dtype type)
{
	switch (type) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return 1;
	case ATOM_DTYPE_F16:
	case ATOM_DTYPE_BF16:
		return 2;
	default:
		return 4;
	}
}

/** By the definition of the format, not by the code under test. */
inline double half_value(std::uint16_t bits)
{
	const double sign = bits & 0x8000 ? -1 : 1;
	const int exponent = bits >> 10 & 31, fraction = bits & 1023;
	if (exponent == 31)
		return fraction ? NAN : sign * INFINITY;
	return sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
}

inline double value_of(const std::byte *from, atom_dtype type)
{
	std::uint16_t half;
	std::uint32_t word;
	float single;
	switch (type) {
	case ATOM_DTYPE_I8:
		return static_cast<std::int8_t>(*from);
	case ATOM_DTYPE_U8:
		return static_cast<std::uint8_t>(*from);
	case ATOM_DTYPE_F16:
		std::memcpy(&half, from, 2);
		return half_value(half);
	case ATOM_DTYPE_BF16:
		std::memcpy(&half, from, 2);
		word = std::uint32_t{half} << 16;
		std::memcpy(&single, &word, 4);
		return single;
	default:
		std::memcpy(&single, from, 4);
		return single;
	}
}

using random = std::mt19937;

inline int between(random &r, int low, int high)
{
	return std::uniform_int_distribution(low, high)(r);
}

/** One random element of ordinary size. */
inline void put_random(std::byte *to, atom_dtype type, random &r)
{
	const float value = std::normal_distribution<float>(0, 1)(r);
	std::uint32_t word;
	std::memcpy(&word, &value, 4);
	std::uint16_t half;
	switch (type) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		*to = static_cast<std::byte>(r());
		break;
	case ATOM_DTYPE_F16: // any fraction and sign, magnitudes from 2^-5 to 2
		half = static_cast<std::uint16_t>((r() & 0x83ff) | static_cast<unsigned>(between(r, 10, 15)) << 10);
		std::memcpy(to, &half, 2);
		break;
	case ATOM_DTYPE_BF16:
		half = static_cast<std::uint16_t>(word >> 16);
		std::memcpy(to, &half, 2);
		break;
	default:
		std::memcpy(to, &value, 4);
	}
}

enum class layout { rows, padded_rows, columns, padded_columns, backwards, spread, broadcast };
inline constexpr int layouts = 7;

/** Owns exactly the bytes that the matrix spans, so that the address sanitizer sees each access beside them. */
class owned_matrix {
public:
	owned_matrix(std::size_t rows, std::size_t columns, atom_dtype type, layout how, random &r)
	    : rows_(rows), columns_(columns)
	{
		const auto e = static_cast<std::ptrdiff_t>(bytes_of(type));
		const auto m = static_cast<std::ptrdiff_t>(rows), n = static_cast<std::ptrdiff_t>(columns);
		view_.type = type;
		switch (how) {
		case layout::rows:
			set(n * e, e);
			break;
		case layout::padded_rows:
			set((n + between(r, 1, 9)) * e, e);
			break;
		case layout::columns:
			set(e, m * e);
			break;
		case layout::padded_columns:
			set(e, (m + between(r, 1, 9)) * e);
			break;
		case layout::backwards:
			set(-n * e, between(r, 0, 1) ? e : -e);
			break;
		case layout::spread:
			set((2 * n + 1) * e, 2 * e);
			break;
		case layout::broadcast:
			if (between(r, 0, 1))
				set(0, e);
			else
				set(e, 0);
			break;
		}
		const std::ptrdiff_t down = (m - 1) * view_.row_stride, right = (n - 1) * view_.column_stride;
		const std::ptrdiff_t low = std::min<std::ptrdiff_t>(down, 0) + std::min<std::ptrdiff_t>(right, 0);
		const std::ptrdiff_t high = std::max<std::ptrdiff_t>(down, 0) + std::max<std::ptrdiff_t>(right, 0) + e;
		bytes_ = std::make_unique<std::byte[]>(static_cast<std::size_t>(high - low));
		for (std::ptrdiff_t at = 0; at + e <= high - low; at += e)
			put_random(bytes_.get() + at, type, r);
		view_.data = bytes_.get() - low;
	}

	const matrix &view() const { return view_; }
	std::byte *at(std::size_t row, std::size_t column)
	{
		return const_cast<std::byte *>(view_.data) + static_cast<std::ptrdiff_t>(row) * view_.row_stride +
		       static_cast<std::ptrdiff_t>(column) * view_.column_stride;
	}
	double value(std::size_t row, std::size_t column) { return value_of(at(row, column), view_.type); }
	/** Sets all elements to the same bits. */
	void fill(const void *element)
	{
		for (std::size_t i = 0; i < rows_; ++i)
			for (std::size_t j = 0; j < columns_; ++j)
				std::memcpy(at(i, j), element, bytes_of(view_.type));
	}

private:
	void set(std::ptrdiff_t row_stride, std::ptrdiff_t column_stride)
	{
		view_.row_stride = row_stride;
		view_.column_stride = column_stride;
	}

	std::size_t rows_, columns_;
	matrix view_;
	std::unique_ptr<std::byte[]> bytes_;
};

/** A workspace of exactly the size asked for, aligned to 64 and not further. */
class workspace {
public:
	explicit workspace(std::size_t bytes)
	    : bytes_(static_cast<std::byte *>(::operator new[](bytes, std::align_val_t{64})))
	{
		std::memset(bytes_, 0xa5, bytes);
	}
	~workspace() { ::operator delete[](bytes_, std::align_val_t{64}); }
	workspace(const workspace &) = delete;
	workspace &operator=(const workspace &) = delete;

	std::byte *get() const { return bytes_; }

private:
	std::byte *bytes_;
};

} // namespace atom::test
