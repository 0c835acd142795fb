/* SPDX-License-Identifier: MIT */
/**
 * @file decoders.h
 * @brief One decoder a command; nullptr after a misuse, which is then in the parser's fault.
 */
#pragma once

#include <memory>

#include "decode/parser.h"

namespace atom::engine {

std::unique_ptr<operation> decode_nop(parser &in);
std::unique_ptr<operation> decode_fence(parser &in);
std::unique_ptr<operation> decode_timestamp(parser &in);
std::unique_ptr<operation> decode_copy(parser &in);
std::unique_ptr<operation> decode_cast(parser &in);
std::unique_ptr<operation> decode_gemm(parser &in);
std::unique_ptr<operation> decode_binary(parser &in);
std::unique_ptr<operation> decode_unary(parser &in);

/**
 * Decodes an epilogue whose result goes to @p out. @p bias_dtypes: allowed for
 * the bias, 0 = there must be none.
 */
bool read_epilogue(parser &in, const atom_epilogue &from, std::size_t field, std::uint32_t bias_dtypes,
		   const tensor &out, epilogue &to);

/**
 * An operation on @p elements independent elements, cut into tiles of
 * @p per_tile: Derived::part(memory &, scratch &, first, last).
 */
template <class Derived> class elementwise : public operation {
public:
	void run(std::uint64_t tile, memory &mem, scratch &work) const final
	{
		const std::uint64_t first = tile * per_tile_;
		const std::uint64_t last = first + per_tile_ < elements_ ? first + per_tile_ : elements_;
		static_cast<const Derived *>(this)->part(mem, work, first, last);
	}

protected:
	void set_tiles(std::uint64_t elements, std::uint64_t per_tile)
	{
		elements_ = elements;
		per_tile_ = per_tile;
		tiles_ = (elements + per_tile - 1) / per_tile;
	}

private:
	std::uint64_t elements_ = 0;
	std::uint64_t per_tile_ = 1;
};

/** Elements that the scalar reference does in about a millisecond. */
inline constexpr std::uint64_t reference_elements_per_tile = 1u << 13;

} // namespace atom::engine
