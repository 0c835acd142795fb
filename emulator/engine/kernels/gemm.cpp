/* SPDX-License-Identifier: MIT */
// Cache blocking. A block of b is packed (or was, by pack_b) and stays in the second cache; rows of a pass over it,
// a register tile's height at a time, read where they lie if the tile can, or else staged into the first cache.
#include "gemm.h"

#include <algorithm>
#include <cstring>

#include "driver.h"
#include "few_rows.h"

namespace atom::engine::kernels {
namespace {

bool is_float(atom_dtype type)
{
	return type == ATOM_DTYPE_F32 || type == ATOM_DTYPE_F16 || type == ATOM_DTYPE_BF16;
}

bool is_block(atom_dtype type)
{
	return type == ATOM_DTYPE_Q8_0 || type == ATOM_DTYPE_Q4_0 || type == ATOM_DTYPE_Q4_1;
}

/** How one product is cut. */
struct plan {
	const family &f;
	std::size_t k_block;  ///< elements, a multiple of the group
	std::size_t n_block;  ///< columns, a multiple of the panel
	bool staged;          ///< rows of a are copied
	std::size_t a_stride; ///< bytes, of staged rows

	explicit plan(const gemm_args &args)
	    : f(family_of(args.a.type, args.b.type))
	{
		const blocking sizes = block_sizes(f);
		const std::size_t groups = std::max<std::size_t>(divide_up(args.k, f.group), 1);
		const std::size_t k_blocks = divide_up(groups, sizes.groups);
		const std::size_t block_groups = aligned(divide_up(groups, k_blocks)); // blocks of weights stay whole
		k_block = block_groups * f.group;
		const std::size_t panels = std::max<std::size_t>(divide_up(args.n, f.columns), 1);
		const std::size_t most = std::max<std::size_t>(sizes.bytes / (block_groups * f.columns * 4), 1);
		n_block = divide_up(panels, divide_up(panels, most)) * f.columns;
		staged = !(f.in_place >> args.a.type & 1) || args.a.column_stride != element_bytes(args.a.type) ||
			 args.k % f.group != 0;
		// Rows some lines apart, so that they do not fall on the same sets of the cache.
		a_stride = block_groups * 4 + alignment;
	}

	std::size_t b_bytes() const { return aligned(k_block / f.group * 4 * n_block); }
	std::size_t terms_bytes(std::size_t columns) const
	{
		return aligned(divide_up(columns, f.columns) * f.columns * sizeof(std::uint32_t));
	}
	std::size_t a_bytes() const { return staged ? aligned(f.rows * a_stride) : 0; }
	std::size_t panel_bytes(std::size_t k) const { return divide_up(k, f.group) * f.columns * 4; }
};

/** A packed block of b: columns [0, columns) of some of the output's, k of some of k. */
struct b_block {
	const std::byte *panels;
	std::size_t panel_bytes; ///< from one to the next
	std::size_t column, columns;
	std::size_t k, count;
	const std::uint32_t *column_terms; ///< nullptr: none
};

std::int32_t common_b_zero(const gemm_args &args)
{
	return args.b_zero && args.b_zero_step == 0 ? *args.b_zero : 0;
}

/** What zero points add to each column, given the sums of `count` packed values: -za * sum(b) + count * za * zb. */
void column_terms(const gemm_args &args, const family &f, std::size_t column, std::size_t columns, std::size_t count,
		  std::uint32_t *sums)
{
	const auto a_zero = static_cast<std::uint32_t>(args.a_zero);
	const auto k = static_cast<std::uint32_t>(count);
	const auto offset = static_cast<std::uint32_t>(f.b_offset);
	for (std::size_t j = 0; j < columns; ++j) {
		const std::uint32_t b_zero =
			args.b_zero ? static_cast<std::uint32_t>(args.b_zero[(column + j) * args.b_zero_step]) : 0;
		sums[j] = k * a_zero * b_zero - a_zero * (sums[j] - offset * k);
	}
}

/** What zero points of columns of their own take from rows: zb[j] * sum(a[i]). */
void subtract_b_zeros(const gemm_args &args, const b_block &b, std::size_t row, unsigned rows,
		      const std::uint32_t *row_sums)
{
	for (unsigned i = 0; i < rows; ++i) {
		auto *out = static_cast<std::uint32_t *>(args.out) + (row + i) * args.out_stride + b.column;
		for (std::size_t j = 0; j < b.columns; ++j)
			out[j] -= static_cast<std::uint32_t>(args.b_zero[b.column + j]) * row_sums[i];
	}
}

/** Brings bytes [from, to) of some rows into the second cache, to have them near when their turn comes. */
void prefetch_rows(const std::byte *first, std::ptrdiff_t stride, unsigned rows, std::size_t from, std::size_t to)
{
	for (unsigned i = 0; i < rows; ++i)
		for (std::size_t line = from; line < to; line += alignment)
			__builtin_prefetch(first + static_cast<std::ptrdiff_t>(i) * stride +
						   static_cast<std::ptrdiff_t>(line),
					   0, 2);
}

/** All rows of a over one block of b. */
bool multiply_block(const gemm_args &args, const plan &p, const b_block &b, std::byte *stage)
{
	static constexpr std::uint32_t none[64] = {};
	static constexpr std::ptrdiff_t one_segment[] = {0};
	const family &f = p.f;
	const std::size_t passes = divide_up(args.m, f.rows);
	const std::size_t output = 4;
	const std::size_t panels = divide_up(b.columns, f.columns);
	const std::size_t row_bytes = b.count * static_cast<std::size_t>(element_bytes(args.a.type));
	const bool own_b_zeros = f.integer && args.b_zero && args.b_zero_step;
	const std::uint32_t row_factor = static_cast<std::uint32_t>(f.b_offset) +
					 static_cast<std::uint32_t>(f.integer ? common_b_zero(args) : 0);
	std::uint32_t row_sums[64], row_terms[64];

	std::size_t row = 0;
	for (std::size_t pass = 0; pass < passes; ++pass) {
		if (args.stop.pending())
			return false;
		const auto rows = static_cast<unsigned>(args.m / passes + (pass < args.m % passes));
		tile_args t;
		t.rows = rows;
		t.groups = divide_up(b.count, f.group);
		t.a_jump = 0;
		t.segments = one_segment;
		t.segment_count = 1;
		if (p.staged) {
			f.stage_a(args.a, row, rows, b.k, b.count, stage, p.a_stride);
			t.a = stage;
			t.a_stride = static_cast<std::ptrdiff_t>(p.a_stride);
		} else {
			t.a = args.a.data + static_cast<std::ptrdiff_t>(row) * args.a.row_stride +
			      static_cast<std::ptrdiff_t>(b.k) * args.a.column_stride;
			t.a_stride = args.a.row_stride;
		}
		if (row_factor || own_b_zeros) {
			f.sum_rows(t.a, t.a_stride, rows, t.groups, row_sums);
			for (unsigned i = 0; i < rows; ++i)
				row_terms[i] = 0 - row_factor * row_sums[i];
		}
		t.row_terms = row_factor ? row_terms : nullptr;
		t.c_stride = args.out_stride;
		t.add = b.k != 0;
		std::byte *out = static_cast<std::byte *>(args.out) + (row * args.out_stride + b.column) * output;
		const bool ahead = pass + 1 < passes && args.a.column_stride == element_bytes(args.a.type);
		const std::byte *next =
			ahead ? args.a.data + static_cast<std::ptrdiff_t>(row + rows) * args.a.row_stride +
					static_cast<std::ptrdiff_t>(b.k) * args.a.column_stride
			      : nullptr;
		for (std::size_t panel = 0; panel < panels; ++panel) {
			const std::size_t column = panel * f.columns;
			if (ahead) {
				const std::size_t from = row_bytes * panel / panels / alignment * alignment;
				const std::size_t to = row_bytes * (panel + 1) / panels / alignment * alignment;
				prefetch_rows(next, args.a.row_stride, rows, from, to);
			}
			t.columns = static_cast<unsigned>(std::min<std::size_t>(f.columns, b.columns - column));
			t.b = b.panels + panel * b.panel_bytes;
			t.c = out + column * output;
			// The tile adds to the output at its end; what was written a block of k ago is far by then.
			prefetch_rows(out + column * output, static_cast<std::ptrdiff_t>(args.out_stride * output), rows, 0,
				      t.columns * output);
			t.column_terms = b.column_terms ? b.column_terms + column : none;
			f.tile(t);
		}
		if (own_b_zeros)
			subtract_b_zeros(args, b, row, rows, row_sums);
		row += rows;
	}
	return true;
}

/** Packs columns of a block; polls before each panel. */
bool pack_panels(const family &f, const matrix &b, std::size_t column, std::size_t columns, std::size_t k,
		 std::size_t count, std::byte *to, std::size_t panel_bytes, const interrupt &stop)
{
	for (std::size_t j = 0; j < columns; j += f.columns, to += panel_bytes) {
		if (stop.pending())
			return false;
		f.pack_b(b, column + j, std::min<std::size_t>(f.columns, columns - j), k, count, to);
	}
	return true;
}

/** Sums of the columns of panels of integers, f.columns for each panel. */
void sum_panels(const family &f, const std::byte *panels, std::size_t panel_bytes, std::size_t columns,
		       std::size_t groups, std::uint32_t *to)
{
	const std::size_t count = divide_up(columns, f.columns);
	for (std::size_t panel = 0; panel < count; ++panel, panels += panel_bytes)
		f.sum_columns(panels, groups, to + panel * f.columns);
}

void clear(const gemm_args &args)
{
	for (std::size_t i = 0; i < args.m; ++i)
		std::memset(static_cast<std::byte *>(args.out) + i * args.out_stride * 4, 0, args.n * 4);
}

bool gemm_tiles(const gemm_args &args, std::byte *workspace)
{
	const plan p(args);
	const family &f = p.f;
	std::byte *packed = workspace;
	auto *sums = reinterpret_cast<std::uint32_t *>(packed + p.b_bytes());
	std::byte *stage = packed + p.b_bytes() + p.terms_bytes(p.n_block);
	const bool terms = f.integer && args.a_zero;
	for (std::size_t column = 0; column < args.n; column += p.n_block) {
		const std::size_t columns = std::min(p.n_block, args.n - column);
		for (std::size_t k = 0; k < args.k; k += p.k_block) {
			const std::size_t count = std::min(p.k_block, args.k - k);
			const std::size_t panel_bytes = p.panel_bytes(count);
			if (!pack_panels(f, args.b, column, columns, k, count, packed, panel_bytes, args.stop))
				return false;
			if (terms) {
				sum_panels(f, packed, panel_bytes, columns, divide_up(count, f.group), sums);
				column_terms(args, f, column, columns, count, sums);
			}
			const b_block b = {packed, panel_bytes, column, columns, k, count, terms ? sums : nullptr};
			if (!multiply_block(args, p, b, stage))
				return false;
		}
	}
	return true;
}

} // namespace

bool gemm_supports(atom_dtype a, atom_dtype b)
{
	return (is_byte(a) && is_byte(b)) || (is_float(a) && (is_float(b) || is_block(b)));
}

std::size_t gemm_workspace(const gemm_args &args)
{
	// gemm_packed() works with tiles whatever the shape.
	const plan p(args);
	const std::size_t tiles = p.b_bytes() + p.terms_bytes(std::max(p.n_block, args.n)) + p.a_bytes();
	return few_rows_apply(args) ? std::max(tiles, few_rows_workspace(args)) : tiles;
}

bool gemm(const gemm_args &args, std::byte *workspace)
{
	if (args.k == 0) {
		clear(args);
		return true;
	}
	return few_rows_apply(args) ? few_rows(args, workspace) : gemm_tiles(args, workspace);
}

// A packed b: panels over all of k, one after the other, and behind them the sums of columns of integers.

std::size_t packed_b_bytes(atom_dtype a, atom_dtype b, std::size_t n, std::size_t k)
{
	const family &f = family_of(a, b);
	const std::size_t panels = divide_up(n, f.columns);
	return panels * divide_up(k, f.group) * f.columns * 4 + aligned(panels * f.columns * sizeof(std::uint32_t));
}

std::size_t packed_b_columns(atom_dtype a, atom_dtype b)
{
	return family_of(a, b).columns;
}

bool pack_b(const matrix &b, atom_dtype a, std::size_t n, std::size_t k, std::size_t first, std::size_t last,
	    std::byte *to, const interrupt &stop)
{
	const family &f = family_of(a, b.type);
	const std::size_t groups = divide_up(k, f.group), panel_bytes = groups * f.columns * 4;
	auto *sums = reinterpret_cast<std::uint32_t *>(to + divide_up(n, f.columns) * panel_bytes);
	to += first / f.columns * panel_bytes;
	if (!pack_panels(f, b, first, last - first, 0, k, to, panel_bytes, stop))
		return false;
	if (f.integer)
		sum_panels(f, to, panel_bytes, last - first, groups, sums + first);
	return true;
}

bool gemm_packed(const gemm_args &args, const std::byte *packed, std::size_t columns, std::size_t first_column,
		 std::byte *workspace)
{
	const plan p(args);
	const family &f = p.f;
	const std::size_t panel_bytes = p.panel_bytes(args.k);
	const auto *sums =
		reinterpret_cast<const std::uint32_t *>(packed + divide_up(columns, f.columns) * panel_bytes) + first_column;
	packed += first_column / f.columns * panel_bytes;
	if (args.k == 0) {
		clear(args);
		return true;
	}
	auto *terms = reinterpret_cast<std::uint32_t *>(workspace);
	std::byte *stage = workspace + p.terms_bytes(args.n);
	const bool with_terms = f.integer && args.a_zero;
	if (with_terms) {
		std::memcpy(terms, sums, args.n * sizeof *terms);
		column_terms(args, f, 0, args.n, args.k, terms);
	}
	for (std::size_t column = 0; column < args.n; column += p.n_block)
		for (std::size_t k = 0; k < args.k; k += p.k_block) {
			const b_block b = {
				packed + column / f.columns * panel_bytes + k / f.group * f.columns * 4,
				panel_bytes,
				column,
				std::min(p.n_block, args.n - column),
				k,
				std::min(p.k_block, args.k - k),
				with_terms && k == 0 ? terms + column : nullptr,
			};
			if (!multiply_block(args, p, b, stage))
				return false;
		}
	return true;
}

} // namespace atom::engine::kernels
