/* SPDX-License-Identifier: MIT */
/**
 * @file kernel_table.h
 * @brief What an instruction set provides to the portable drivers, as plain
 * tables of functions.
 *
 * This header is included by files compiled for different instruction sets: it
 * holds no inline function that the linker could take from the wrong one.
 *
 * All families work on groups: 1 f32, 2 bf16, 2 i16 or 4 bytes of consecutive k,
 * always 4 bytes. Rows of a are contiguous in k. A panel of b holds, for each
 * group, the groups of `columns` columns side by side.
 */
#pragma once

#include "gemm.h"
#include "tile_output.h"

namespace atom::engine::kernels {

/** Two lines of the caches. */
inline constexpr std::size_t ahead_bytes = 128;

/** Rows that a segment has nothing but 0 for. Only of tiles as high as a run of pair_tile(), of one run or two, or as lines. */
enum tile_skip : std::uint8_t {
	skip_none,
	skip_first,  ///< of the first run
	skip_last,   ///< of the last run
	skip_firsts, ///< of each run
	skip_lasts,
};

/** A register tile: rows x columns of the output over a range of k. */
struct tile_args {
	unsigned rows;    ///< 1 .. family.rows
	unsigned columns; ///< 1 .. family.columns
	std::size_t groups; ///< of a segment; a multiple of 16 for lines
	const std::byte *a;
	std::ptrdiff_t a_stride; ///< bytes from row to row
	std::ptrdiff_t a_jump;   ///< pair_tile(): bytes from the first run of rows to the second
	const std::ptrdiff_t *segments; ///< where each segment of a row starts, in bytes from a
	std::size_t segment_count;      ///< at least 1
	const tile_skip *skips = nullptr; ///< of each segment, whose products with 0 may be left out; nullptr: none
	const std::byte *b;      ///< the panel, at the first group; or the first line
	std::ptrdiff_t b_stride = 0; ///< lines: bytes from line to line
	void *c;
	std::size_t c_stride;           ///< elements
	bool add;                       ///< c += result, else c = result
	/**
	 * Takes result, or c + result, instead of c, which may be written, too. Only for columns that the family says, and without
	 * row_terms.
	 */
	const tile_output *output = nullptr;
	const std::uint32_t *row_terms;    ///< integers: added to the elements of each row; nullptr: nothing
	const std::uint32_t *column_terms; ///< integers: added to those of each column; family.columns of them
	/** Fetched for what comes next: ahead_bytes of so many rows with each segment, one segment's behind the other's. */
	unsigned ahead_rows = 0;
	const std::byte *ahead = nullptr;
	std::ptrdiff_t ahead_stride = 0; ///< bytes from row to row
};

/** Products with columns of b where they lie, each along k: nothing is packed, but it takes long lines to be fast. */
struct line_family {
	unsigned rows;     ///< 1 .. rows of a; any number of columns
	unsigned types;    ///< of b: bit n: atom_dtype n
	void (*tile)(const tile_args &args);
	/** Integers: sums of lines of b. */
	void (*sum_lines)(const std::byte *b, std::ptrdiff_t stride, unsigned lines, std::size_t groups, std::uint32_t *sums);
};

/** How one combination of types is multiplied. */
struct family {
	unsigned rows, columns; ///< of a register tile; columns is a panel's width too
	unsigned group;         ///< elements of k in a group
	unsigned in_place;      ///< bit n: tile() reads rows of atom_dtype n as they are
	bool integer;
	/** Packed b is b + b_offset, so that the instructions' signedness fits: undone through row sums. */
	std::int32_t b_offset;

	void (*tile)(const tile_args &args);
	/** The same for two runs of so many rows (0: there is none), for pixels of one or two lines of an image. */
	unsigned pair;
	void (*pair_tile)(const tile_args &args);

	/** Converts elements [k, k + count) of a row into groups, the last one filled up with 0. */
	void (*stage_a)(const matrix &a, std::size_t row, std::size_t rows, std::size_t k, std::size_t count,
			std::byte *to, std::size_t stride);
	/** Packs one panel, filled up with 0. */
	void (*pack_b)(const matrix &b, std::size_t column, std::size_t columns, std::size_t k, std::size_t count,
		       std::byte *to);

	/** Integers: sums over k, modulo 2^32, of rows of a and of the columns of a (packed) panel. */
	void (*sum_rows)(const std::byte *a, std::ptrdiff_t stride, unsigned rows, std::size_t groups,
			 std::uint32_t *sums);
	void (*sum_columns)(const std::byte *panel, std::size_t groups, std::uint32_t *sums);

	const line_family *lines = nullptr; ///< nullptr: there is none
	std::size_t output_columns = 0;     ///< the tiles take tile_args.output for a multiple of so many columns; 0: never
};

/** Few rows of a against b where it lies: b is contiguous along k or along n. */
struct few_rows_args {
	unsigned rows; ///< 1 .. few_rows_max
	std::size_t columns;
	std::size_t k;
	const std::byte *a;      ///< rows of f32, or what the integer family stages
	std::ptrdiff_t a_stride; ///< bytes
	const std::byte *b;
	std::ptrdiff_t b_stride; ///< bytes between columns (b contiguous along k) or between rows (along n)
	atom_dtype a_type, b_type;
	void *out;
	std::size_t out_stride;     ///< elements
	bool add;                   ///< along n: out += result
	std::uint32_t *column_sums; ///< integers: set to the sums of the columns of b; nullptr: not wanted
};

/**
 * A row rounded to q8_0: half away from zero; what is no number becomes 0. Blocks come in groups of four, the last filled up
 * with zeros: q8_group_bytes of q, and q8_group_lanes of the others, in an order that is the instruction set's own business.
 */
struct quantised {
	std::int8_t *q;
	float *scale; ///< of each block; an f16
	std::int32_t *sums;
	float *scaled_sums; ///< scale * sum
};
inline constexpr std::size_t q8_group_bytes = 128, q8_group_lanes = 8;
constexpr std::size_t q8_groups(std::size_t blocks) { return (blocks + 3) / 4; }

/** Few rows of a against columns of blocks. */
struct block_args {
	unsigned rows; ///< 1 .. few_rows_max
	std::size_t columns;
	std::size_t blocks; ///< along k
	const std::byte *b;
	std::ptrdiff_t b_stride; ///< bytes from column to column
	std::ptrdiff_t b_step;   ///< bytes from block to block
	atom_dtype type;
	const float *a; ///< rows of blocks * 32
	/** Rows as quantise() writes them, one after the other. */
	const std::int8_t *q;
	const float *scale;
	const std::int32_t *sums;
	const float *scaled_sums;
	float *out;
	std::size_t out_stride;
};

/** The functions of one instruction set; nullptr: the tiles are used instead. */
struct gemm_kernels {
	const family *f32 = nullptr;          ///< f32, f16, bf16 in any mix
	const family *bf16 = nullptr;         ///< bf16 * bf16
	const family *integer[4] = {};        ///< i8 * i8, u8 * i8, i8 * u8, u8 * u8

	void (*few_rows_f32)(const few_rows_args &args, bool along_k) = nullptr; ///< b is f32, f16 or bf16
	/** b along k; the result is that of a * (b + b_offset of the family). */
	void (*few_rows_integer)(const few_rows_args &args) = nullptr;
	void (*blocks_f32)(const block_args &args) = nullptr; ///< never nullptr: a is f32
	void (*blocks_q8)(const block_args &args) = nullptr;  ///< never nullptr: a is q8_0
	void (*quantise)(const float *from, std::size_t blocks, const quantised &to) = nullptr; ///< never nullptr
};

/* Tables that others are made of, each defined in the file of its instruction set. */
extern const family scalar_f32, scalar_integer;
extern const gemm_kernels scalar_kernels;
#if defined(__x86_64__)
extern const family avx2_f32, avx2_integer;
extern const family avx512_f32, avx512_bf16, avx512_vnni[4];
void avx2_few_rows_integer(const few_rows_args &args);
void avx2_blocks_f32(const block_args &args);
void avx2_blocks_q8(const block_args &args);
void avx2_quantise(const float *from, std::size_t blocks, const quantised &to);
void avx512_few_rows_f32(const few_rows_args &args, bool along_k);
void vnni_few_rows_integer(const few_rows_args &t);
void vnni_blocks_q8(const block_args &args);
extern const gemm_kernels avx2_kernels, avx512_kernels, avx512_vnni_kernels, avx512_bf16_kernels;
#endif

/** The table in use. */
const gemm_kernels &kernels();

/** How many groups a block of k has, and how many bytes a block of b, by the sizes of the caches. */
struct blocking {
	std::size_t groups, bytes;
};
blocking block_sizes(const family &f);

} // namespace atom::engine::kernels
