/* SPDX-License-Identifier: MIT */
// Blocking as in gemm.cpp: a block of the weights (some taps or channels, some columns) is packed into the second cache, and
// all pixels pass over it. Pixels of a register tile are neighbours in a row of the output.
// Long weights of few pixels are not packed (lines.h). Weights that never change are packed once, if there is room to keep them.
#include "windows.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "kept_panels.h"
#include "weights_ahead.h"
#include "windows_plan.h"

namespace atom::engine::kernels {
namespace {

/** A pass over fewer pixels does not keep the multipliers busy. */
constexpr std::size_t least_pixels = 5;

/** Pieces that the taps of a block are cut into. */
constexpr std::size_t segments_max = 32;

void pack_panel(const windows_args &args, const family &f, const k_block &k, std::size_t column, std::size_t columns,
		std::byte *to)
{
	const std::ptrdiff_t tap_bytes = static_cast<std::ptrdiff_t>(args.channels) * args.b.row_stride;
	bool joined = k.taps > 1 && args.channels % f.group == 0;
	for (std::size_t t = k.tap + 1; joined && t < k.tap + k.taps; ++t)
		joined = args.b_taps[t] - args.b_taps[t - 1] == tap_bytes;
	const std::size_t calls = joined ? 1 : k.taps, count = joined ? k.taps * k.channels : k.channels;
	for (std::size_t t = 0; t < calls; ++t, to += divide_up(count, f.group) * f.columns * 4) {
		matrix b = args.b;
		b.data += args.b_taps[k.tap + t];
		f.pack_b(b, column, columns, k.channel, count, to);
	}
}

/** What zero points add to the sums of a column. */
void column_terms(const windows_args &args, const family &f, std::size_t column, std::size_t columns, std::size_t count,
		  std::uint32_t *sums)
{
	const auto a_zero = static_cast<std::uint32_t>(args.a_zero), k = static_cast<std::uint32_t>(count);
	const auto offset = static_cast<std::uint32_t>(f.b_offset);
	for (std::size_t j = 0; j < columns; ++j) {
		const std::uint32_t b_zero = args.b_zero ? static_cast<std::uint32_t>(args.b_zero[column + j]) : 0;
		sums[j] = k * a_zero * b_zero - a_zero * (sums[j] - offset * k);
	}
}

/** What zero points of columns and the offset of the packed weights take from rows. */
void subtract_row_sums(const windows_args &args, const tile_args &t, bool pair, const family &f, std::size_t column,
		       std::size_t columns, std::uint32_t *sums, std::size_t stride)
{
	for (unsigned i = 0; i < t.rows; ++i, sums += stride) {
		std::uint32_t total = 0;
		const std::byte *a = t.a + static_cast<std::ptrdiff_t>(i) * t.a_stride;
		if (pair && i >= f.pair)
			a += t.a_jump - static_cast<std::ptrdiff_t>(f.pair) * t.a_stride;
		for (std::size_t s = 0; s < t.segment_count; ++s) {
			std::uint32_t sum;
			f.sum_rows(a + t.segments[s], 0, 1, t.groups, &sum);
			total += sum;
		}
		for (std::size_t j = 0; j < columns; ++j) {
			const std::uint32_t b_zero = args.b_zero ? static_cast<std::uint32_t>(args.b_zero[column + j]) : 0;
			sums[j] -= (b_zero + static_cast<std::uint32_t>(f.b_offset)) * total;
		}
	}
}

/** Columns [column, column + columns) of the product. */
class column_block {
public:
	column_block(const windows_args &args, const plan &p, std::size_t column, std::byte *workspace)
	    : args_(args), p_(p), column_(column), columns_(std::min(p.n_block, args.n - column)), packed_(workspace),
	      column_terms_(reinterpret_cast<std::uint32_t *>(packed_ + p.panels_bytes())),
	      sums_(packed_ + p.panels_bytes() + p.terms_bytes())
	{
	}

	bool run()
	{
		if (args_.taps == 0)
			return finish_zeros();
		if (args_.kept && !find_kept())
			return false;
		for (std::size_t i = 0; i < p_.k_blocks; ++i) {
			const k_block k = p_.block(args_, i);
			const std::size_t groups = k.taps * divide_up(k.channels, p_.f.group);
			std::size_t terms_of = k.taps * k.channels;
			terms_ = p_.f.integer && args_.a_zero;
			if (p_.lines)
				use_lines(k, groups);
			else if (kept_)
				terms_of = use_kept(k, i == 0);
			else if (!pack(k, groups))
				return false;
			if (terms_)
				column_terms(args_, p_.f, column_, columns_, terms_of, column_terms_);
			const bool last = i + 1 == p_.k_blocks;
			if (last && p_.direct && args_.direct.integer_bias)
				add_bias();
			cut_taps(k);
			look_ahead(i + 1, k.taps * cuts_);
			for (std::size_t row = 0; row < args_.rows;) {
				const bool two = args_.columns == p_.pair && row + 1 < args_.rows && same_work(row, k);
				if (args_.stop.pending() ||
				    !(two ? multiply_two_rows(row, k, last) : multiply_row(row, k, last)))
					return false;
				row += two ? 2 : 1;
			}
		}
		return true;
	}

private:
	/** False: interrupted. If a panel is being packed by another thread, none is used. */
	bool find_kept()
	{
		kept_.emplace(args_.kept, p_.f, args_.taps * p_.tap_groups, args_.kept_columns);
		for (std::size_t j = 0; kept_ && j < columns_; j += p_.f.columns) {
			if (args_.stop.pending())
				return false;
			const std::size_t column = column_ + j, some = std::min<std::size_t>(p_.f.columns, columns_ - j);
			if (!kept_->have(args_.kept_first + column, [&](std::byte *to) {
				    pack_panel(args_, p_.f, {0, args_.taps, 0, args_.channels}, column, some, to);
			    }))
				kept_.reset();
		}
		return true;
	}

	/** The sums of columns are over all of k, which is returned: they count with the first block. */
	std::size_t use_kept(const k_block &k, bool first)
	{
		panels_ = kept_panels_of(k, column_);
		panel_stride_ = kept_->panel_bytes();
		tap_bytes_ = p_.tap_groups * p_.f.columns * 4;
		terms_ = terms_ && first;
		if (terms_)
			std::copy_n(kept_->sums(args_.kept_first + column_), columns_, column_terms_);
		return args_.taps * args_.channels;
	}
	const std::byte *kept_panels_of(const k_block &k, std::size_t column) const
	{
		return kept_->panel(args_.kept_first + column) +
		       (k.tap * p_.tap_groups + k.channel / p_.f.group) * p_.f.columns * 4;
	}

	bool pack(const k_block &k, std::size_t groups)
	{
		panels_ = packed_;
		panel_stride_ = groups * p_.f.columns * 4;
		tap_bytes_ = panel_stride_ / k.taps;
		std::byte *panel = packed_;
		for (std::size_t j = 0; j < columns_; j += p_.f.columns, panel += panel_stride_) {
			if (args_.stop.pending())
				return false;
			const std::size_t some = std::min<std::size_t>(p_.f.columns, columns_ - j);
			pack_panel(args_, p_.f, k, column_ + j, some, panel);
			if (terms_)
				p_.f.sum_columns(panel, groups, column_terms_ + j);
		}
		return true;
	}

	void use_lines(const k_block &k, std::size_t groups)
	{
		const auto lines = static_cast<unsigned>(columns_);
		lines_ = weights_at(k, column_);
		tap_bytes_ = groups / k.taps * 4;
		if (terms_)
			p_.lines->sum_lines(lines_, args_.b.column_stride, lines, groups, column_terms_);
		else if (p_.f.integer)
			std::fill_n(column_terms_, columns_, 0);
	}

	/** To the terms that the sums of the last block begin with. */
	void add_bias()
	{
		for (std::size_t j = 0; j < columns_; ++j)
			column_terms_[j] = (terms_ ? column_terms_[j] : 0) + static_cast<std::uint32_t>(args_.direct.integer_bias[column_ + j]);
		terms_ = true;
	}

	const std::byte *weights_at(const k_block &k, std::size_t column) const
	{
		return args_.b.data + args_.b_taps[k.tap] + static_cast<std::ptrdiff_t>(k.channel) * args_.b.row_stride +
		       static_cast<std::ptrdiff_t>(column) * args_.b.column_stride;
	}

	/** Into the segments of weights_ahead. */
	void cut_taps(const k_block &k)
	{
		const std::size_t groups = divide_up(k.channels, p_.f.group);
		segment_groups_ = groups;
		cuts_ = groups / ahead_groups;
		if (!p_.few_pixels || groups % ahead_groups != 0 || k.taps * cuts_ > segments_max) {
			cuts_ = 1;
			return;
		}
		segment_groups_ = ahead_groups;
		for (std::size_t i = 0; i < k.taps * cuts_; ++i)
			segments_[i] = args_.image_taps[k.tap + i / cuts_] +
				       static_cast<std::ptrdiff_t>(i % cuts_ * ahead_groups * 4);
	}

	/** To the weights that are needed next: of block @p i of these columns, or of those that follow. */
	void look_ahead(std::size_t i, std::size_t segments)
	{
		const bool here = i < p_.k_blocks;
		const std::size_t column = here ? column_ : column_ + columns_;
		if (!p_.few_pixels || column == args_.n) {
			ahead_ = {};
			return;
		}
		const k_block k = p_.block(args_, here ? i : 0);
		const std::size_t tiles = divide_up(args_.rows * args_.columns, std::max<std::size_t>(p_.f.rows, 2 * p_.f.pair)) *
					  divide_up(columns_, p_.f.columns);
		const std::size_t columns = std::min(p_.n_block, args_.n - column);
		if (kept_) {
			const std::size_t bytes = k.taps * divide_up(k.channels, p_.f.group) * p_.f.columns * 4;
			const std::size_t row = segments * ahead_bytes;
			ahead_ = {kept_panels_of(k, column), static_cast<std::ptrdiff_t>(row), divide_up(bytes, row),
				  static_cast<std::ptrdiff_t>(kept_->panel_bytes()), divide_up(columns, p_.f.columns), tiles};
		} else {
			ahead_ = {weights_at(k, column), args_.b.column_stride, columns, 0, 1, tiles};
		}
	}

	bool finish_zeros()
	{
		for (std::size_t row = 0; row < args_.rows; ++row)
			for (std::size_t column = 0; column < args_.columns; ++column) {
				std::memset(sums_, 0, columns_ * 4);
				if (!args_.finish(args_.context, row, column, 1, column_, columns_, sums_, columns_))
					return false;
			}
		return true;
	}

	/** Where the sums of a pixel are, @p first being the first one that is not finished. */
	std::byte *sums_at(std::size_t row, std::size_t pixel, std::size_t first) const
	{
		return sums_ + (p_.k_blocks == 1 ? pixel - first : row * args_.columns + pixel) * columns_ * 4;
	}

	tap_range taps_of(std::size_t row) const
	{
		return args_.row_taps ? args_.row_taps[row] : tap_range{0, args_.taps};
	}
	/** The part of a block that a row needs; it may be empty. */
	static k_block cut(const k_block &k, const tap_range &taps)
	{
		const std::size_t first = std::max(k.tap, taps.first), last = std::min(k.tap + k.taps, taps.last);
		return {first, first < last ? last - first : 0, k.channel, k.channels};
	}

	bool multiply_row(std::size_t row, const k_block &k, bool last)
	{
		const std::size_t pair = 2 * p_.pair, pixel_bytes = columns_ * 4;
		const bool direct = last && goes_direct(row, k);
		std::size_t pixel = 0, first = 0;
		const auto pass = [&](std::size_t count, bool of_pairs) {
			multiply({row, pixel, static_cast<unsigned>(count), of_pairs, direct}, k, sums_at(row, pixel, first));
			pixel += count;
			if (!last || (!direct && pixel < args_.columns && (pixel - first) * pixel_bytes < finished_bytes))
				return true;
			const std::size_t from = std::exchange(first, pixel);
			return direct || finish(row, from, pixel - from, sums_at(row, from, from));
		};
		/* Pairs, unless what is left after them would be too few pixels to be worth a pass. */
		for (const std::size_t left = pair ? args_.columns % pair : 0;
		     pair && (left == 0 || left >= least_pixels) && pixel + pair <= args_.columns;)
			if (!pass(pair, true))
				return false;
		const std::size_t rest = args_.columns - pixel, passes = divide_up(rest, p_.rows);
		for (std::size_t i = 0; i < passes; ++i)
			if (!pass(rest / passes + (i < rest % passes), false))
				return false;
		return true;
	}

	/** Whether sums of a row are there from blocks before. */
	static bool begun(const k_block &some, const tap_range &taps) { return some.tap != taps.first || some.channel != 0; }

	/** Whether this row and the next one need the same of a block and have the same behind them. */
	bool same_work(std::size_t row, const k_block &k) const
	{
		const tap_range taps = taps_of(row), next_taps = taps_of(row + 1);
		const k_block some = cut(k, taps), next = cut(k, next_taps);
		return some.tap == next.tap && some.taps == next.taps && begun(some, taps) == begun(next, next_taps);
	}

	/** Whether the last block's tiles make a row's outputs: a block that a row needs nothing of has no tiles. */
	bool goes_direct(std::size_t row, const k_block &k) const { return p_.direct && cut(k, taps_of(row)).taps != 0; }

	/** Two lines of an image that is as wide as a run of a pair. */
	bool multiply_two_rows(std::size_t row, const k_block &k, bool last)
	{
		const bool direct = last && goes_direct(row, k);
		std::byte *sums = sums_at(row, 0, 0);
		multiply({row, 0, 2 * p_.f.pair, true, direct}, k, sums);
		return !last || direct ||
		       (finish(row, 0, args_.columns, sums) &&
			finish(row + 1, 0, args_.columns, sums + args_.columns * columns_ * 4));
	}

	/** Pixels of a register tile. */
	struct pixels {
		std::size_t row, column;
		unsigned count;
		bool pair;
		bool direct; ///< to outputs
	};

	bool finish(std::size_t row, std::size_t column, std::size_t pixels, std::byte *sums) const
	{
		return args_.finish(args_.context, row, column, pixels, column_, columns_, sums, columns_);
	}

	/** What the pixels' row needs of a block. */
	void multiply(const pixels &at, const k_block &k, std::byte *sums)
	{
		const tap_range taps = taps_of(at.row);
		const k_block some = cut(k, taps);
		if (some.taps)
			multiply(at, some, begun(some, taps), some.tap - k.tap, sums);
	}

	/** @p skipped: taps of each panel before the block. */
	void multiply(const pixels &at, const k_block &k, bool add, std::size_t skipped, std::byte *sums)
	{
		const family &f = p_.f;
		tile_args t;
		t.rows = at.count;
		t.groups = segment_groups_;
		t.a = args_.image + static_cast<std::ptrdiff_t>(at.row) * args_.row_stride +
		      static_cast<std::ptrdiff_t>(at.column) * args_.column_stride +
		      static_cast<std::ptrdiff_t>(k.channel / f.group * 4);
		t.a_stride = args_.column_stride;
		t.a_jump = args_.columns == f.pair ? args_.row_stride
						   : static_cast<std::ptrdiff_t>(f.pair) * args_.column_stride;
		t.segments = cuts_ == 1 ? args_.image_taps + k.tap : segments_ + skipped * cuts_;
		t.segment_count = k.taps * cuts_;
		t.row_terms = nullptr;
		t.c_stride = columns_;
		t.add = add;
		const std::size_t run = p_.lines ? p_.rows : p_.pair;
		if (args_.tap_pixels && run && at.count % run == 0 && t.segment_count <= segments_max)
			t.skips = note_skips(at, k);
		if (p_.lines)
			multiply_lines(t, skipped, sums);
		else
			multiply_panels(t, at, skipped, sums);
		if (f.integer && (args_.b_zero || f.b_offset))
			subtract_row_sums(args_, t, at.pair, f, column_, columns_, reinterpret_cast<std::uint32_t *>(sums), columns_);
	}

	/** Of each segment of the taps: one pixel of a run at most. */
	const tile_skip *note_skips(const pixels &at, const k_block &k)
	{
		const bool lines = at.pair && args_.columns == p_.f.pair;
		const std::size_t last = at.column + (lines ? args_.columns : at.count);
		tile_skip *to = skips_;
		bool any = false;
		for (std::size_t tap = k.tap; tap < k.tap + k.taps; ++tap) {
			const pixel_range needed = args_.tap_pixels[tap];
			tile_skip skip = skip_none;
			if (at.column < needed.first)
				skip = lines ? skip_firsts : skip_first;
			else if (last > needed.last)
				skip = lines ? skip_lasts : skip_last;
			any = any || skip != skip_none;
			for (std::size_t i = 0; i < cuts_; ++i)
				*to++ = skip;
		}
		return any ? skips_ : nullptr;
	}

	/** Where the outputs of a tile begin. */
	void place_output(std::size_t pixel, std::size_t column)
	{
		const tile_output &all = args_.direct;
		const auto rows = static_cast<std::ptrdiff_t>(pixel), across = static_cast<std::ptrdiff_t>(column);
		output_.to = all.to + rows * all.stride + across * element_bytes(all.type);
		if (p_.f.integer) {
			output_.scale = all.scale + column;
			output_.factor = all.factor + column;
			return;
		}
		if (all.bias)
			output_.bias = all.bias + column;
		if (all.residual)
			output_.residual = all.residual + rows * all.residual_stride + across * element_bytes(ATOM_DTYPE_F32);
	}

	void multiply_panels(tile_args &t, const pixels &at, std::size_t skipped, std::byte *sums)
	{
		static constexpr std::uint32_t none[64] = {};
		const family &f = p_.f;
		const std::byte *panel = panels_;
		t.output = at.direct ? &output_ : nullptr;
		for (std::size_t j = 0; j < columns_; j += f.columns, panel += panel_stride_) {
			t.columns = static_cast<unsigned>(std::min<std::size_t>(f.columns, columns_ - j));
			t.b = panel + skipped * tap_bytes_;
			t.c = sums + j * 4;
			t.column_terms = terms_ ? column_terms_ + j : none;
			if (at.direct)
				place_output(at.row * args_.columns + at.column, column_ + j);
			ahead_.give_share(t);
			(at.pair ? f.pair_tile : f.tile)(t);
		}
	}

	void multiply_lines(tile_args &t, std::size_t skipped, std::byte *sums) const
	{
		t.columns = static_cast<unsigned>(columns_);
		t.b = lines_ + skipped * tap_bytes_;
		t.b_stride = args_.b.column_stride;
		t.c = sums;
		t.column_terms = column_terms_;
		p_.lines->tile(t);
	}

	const windows_args &args_;
	const plan &p_;
	tile_output output_ = args_.direct; ///< of the tile that is multiplied
	std::size_t column_, columns_;
	const std::byte *panels_ = nullptr; ///< of the block
	std::size_t panel_stride_ = 0, tap_bytes_ = 0;
	std::size_t cuts_ = 1, segment_groups_ = 0;
	std::ptrdiff_t segments_[segments_max];
	tile_skip skips_[segments_max];
	weights_ahead ahead_;
	std::byte *packed_;
	std::optional<kept_panels> kept_;  ///< what panels_ points into instead of packed_
	const std::byte *lines_ = nullptr; ///< where they are not packed
	std::uint32_t *column_terms_;
	bool terms_ = false; ///< there are terms of the columns
	std::byte *sums_;
};

} // namespace

image_format image_format_of(atom_dtype image, atom_dtype weights)
{
	const family &f = family_for(image, weights);
	const bool flipped = flips(image, weights);
	return {4 / f.group, f.group, !flipped && (f.in_place >> image & 1), flipped};
}

void convert_image(atom_dtype weights, const matrix &run, std::size_t count, std::byte *to)
{
	const family &f = family_for(run.type, weights);
	const std::size_t whole = count / f.group * f.group;
	if (whole)
		f.stage_a(run, 0, 1, 0, whole, to, 0);
	if (whole < count) { // the last group would be filled up, over what lies behind
		std::byte last[4];
		f.stage_a(run, 0, 1, whole, count - whole, last, 0);
		std::memcpy(to + whole / f.group * 4, last, (count - whole) * 4 / f.group);
	}
	if (flips(run.type, weights))
		for (std::size_t i = 0; i < count; ++i)
			to[i] ^= std::byte{0x80};
}

std::size_t windows_kept_bytes(const windows_args &args, std::size_t columns)
{
	// What is packed without a look at the clock.
	constexpr std::size_t most = 2 << 20;
	const family &f = family_for(args.type, args.b.type);
	const std::size_t groups = args.taps * divide_up(args.channels, f.group);
	return groups * f.columns * 4 > most ? 0 : kept_panels::bytes(f, groups, columns);
}

std::size_t windows_kept_unit(const windows_args &args) { return family_for(args.type, args.b.type).columns; }

std::size_t windows_workspace(const windows_args &args)
{
	const plan p(args);
	return p.panels_bytes() + p.terms_bytes() + p.sums_bytes(args);
}

bool windows(const windows_args &args, std::byte *workspace)
{
	const plan p(args);
	for (std::size_t column = 0; column < args.n; column += p.n_block)
		if (!column_block(args, p, column, workspace).run())
			return false;
	return true;
}

} // namespace atom::engine::kernels
