/* SPDX-License-Identifier: MIT */
#include "fast/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "fast/lane_kernels.h"
#include "fast/row_kernels.h"
#include "fast/values.h"
#include "numeric/convert.h"

namespace atom::engine::fast {

namespace {

/* Taps that take well under a millisecond. */
constexpr std::int64_t taps_per_tile = 1 << 17;
constexpr std::uint64_t outputs_per_tile_min = 64;
/* Runs along columns: what they keep of a row of the input, and how many taps each output may have. */
constexpr std::int64_t row_elements = 4096;
constexpr std::int64_t column_taps = 16;
/* Shorter runs are not worth it. */
constexpr std::int64_t long_enough = 16;
/* A gather over larger steps touches a cache line for each element. */
constexpr std::int64_t near_bytes = 64;

struct buffers {
	run_buffers run;
	alignas(64) std::byte x[run_elements * 4]; /* f32 or i32 */
	alignas(64) float all[run_elements];
	alignas(64) float row[run_elements];
	alignas(64) std::byte line[row_elements * 4];
	/* Of a run along columns. */
	alignas(64) std::int32_t at[column_taps][run_elements];
	alignas(64) float by[column_taps][run_elements];
	resample_taps taps[run_elements];
};

/* The taps of one output along one axis, kept until another is asked for. */
class weighted_taps {
public:
	weighted_taps(const resample_axis &axis, std::byte *weights)
		: axis_(axis), weights_(reinterpret_cast<float *>(weights))
	{
	}
	void select(std::int64_t output)
	{
		if (output == output_)
			return;
		output_ = output;
		taps_ = locate(axis_, output);
		for (std::int64_t k = 0; k < axis_.taps; ++k)
			weights_[k] = weight(axis_, taps_, k);
	}
	bool outside() const { return taps_.outside; }
	std::int64_t at(std::int64_t k) const { return position(axis_, taps_, k); }
	float by(std::int64_t k) const { return weights_[k]; }

private:
	const resample_axis &axis_;
	float *weights_;
	std::int64_t output_ = -1;
	resample_taps taps_;
};

template <class T> class resizing {
	using value_run = std::conditional_t<std::is_same_v<T, float>, real_run, integer_run>;

public:
	resizing(const resize_plan &p, const resize_shape &shape, memory &mem, scratch &work, buffers &buf)
		: p_(p), shape_(shape), mem_(mem), buf_(buf),
		  h_(p.h, work.get(1, static_cast<std::size_t>(p.h.taps) * 4)),
		  w_(p.w, work.get(2, static_cast<std::size_t>(p.w.taps) * 4)), x_(reinterpret_cast<T *>(buf.x))
	{
	}

	void tile(std::uint64_t first, std::uint64_t last)
	{
		if (!open(first, last))
			return;
		/* What an earlier, interrupted run of this tile has done is not done again. */
		held from;
		tile_progress &kept = mem_.progress();
		if (kept.k)
			std::memcpy(&from, kept.sums.data(), sizeof from);
		for (run_walk run(shape_.dims, first, last); run.next();) {
			const auto count = static_cast<std::int64_t>(run.count());
			for (std::int64_t done = 0; done < count; done += static_cast<std::int64_t>(n_), ++number_) {
				i_ = run.index();
				i_[4] += done;
				n_ = static_cast<std::size_t>(count - done);
				if (shape_.columns)
					prepare_columns();
				if (number_ < from.run)
					continue;
				const bool resumed = kept.k && number_ == from.run;
				if (!piece(resumed ? &from : nullptr))
					return;
			}
		}
	}

private:
	struct held {
		std::int64_t run = 0, tap = 0;
	};

	bool open(std::uint64_t first, std::uint64_t last)
	{
		const index5 a = index_at(first, shape_.dims), b = index_at(last - 1, shape_.dims);
		index5 low{}, high = p_.in.dims;
		for (std::int64_t &i : high)
			--i;
		low[1] = a[1];
		high[1] = b[1];
		if (a[1] == b[1]) {
			const resample_taps top = locate(p_.h, a[2]), bottom = locate(p_.h, b[2]);
			const std::int64_t end = p_.h.taps - 1;
			low[2] = std::min(position(p_.h, top, 0), position(p_.h, bottom, 0));
			high[2] = std::max(position(p_.h, top, end), position(p_.h, bottom, end));
		}
		return in_.open(mem_, shape_.in, range_of(p_.in, low, high), ATOM_ACCESS_READ) &&
		       out_.open(mem_, shape_.out, shape_.dims, first, last, ATOM_ACCESS_WRITE);
	}

	/* n_ outputs from i_ on; false: fault or interrupted. */
	bool piece(const held *from)
	{
		h_.select(i_[2]);
		if (!shape_.columns)
			w_.select(i_[3]);
		if (h_.outside() || (!shape_.columns && w_.outside())) {
			std::fill_n(x_, n_, extrapolation());
			return out_.store(i_, n_, x_, buf_.run);
		}
		if constexpr (std::is_same_v<T, float>)
			if (!p_.nearest())
				return sum(from) && store(buf_.all);
		if (shape_.columns) {
			if (!load_line(h_.at(0)))
				return false;
			lane_vectors().take(buf_.line, buf_.at[0], x_, n_);
		} else if (!in_.load({0, i_[1], h_.at(0), w_.at(0), i_[4]}, n_, x_, buf_.run)) {
			return false;
		}
		return store(x_);
	}

	bool store(T *r)
	{
		if (shape_.columns)
			for (std::size_t k = 0; k < n_; ++k)
				r[k] = buf_.taps[k].outside ? extrapolation() : r[k];
		return out_.store(i_, n_, r, buf_.run);
	}

	T extrapolation() const
	{
		if constexpr (std::is_same_v<T, float>)
			return p_.extrapolation;
		else
			return static_cast<T>(quantise(p_.extrapolation, 1, 0, p_.out.dtype));
	}

	bool sum(const held *from)
	{
		std::fill_n(buf_.all, n_, 0.0f);
		std::fill_n(buf_.row, n_, 0.0f);
		std::int64_t start = 0, done = 0;
		if (from) {
			start = from->tap;
			std::memcpy(buf_.all, mem_.progress().sums.data() + sizeof *from, n_ * 4);
			std::memcpy(buf_.row, mem_.progress().sums.data() + sizeof *from + n_ * 4, n_ * 4);
		}
		/* Along columns all taps of a row are one step. */
		const std::int64_t across = shape_.columns ? 1 : p_.w.taps;
		const auto cost = static_cast<std::int64_t>(n_) * (shape_.columns ? p_.w.taps : 1) + 16;
		for (std::int64_t t = start; t < p_.h.taps * across; ++t, done += cost) {
			if (done >= taps_per_tile) {
				if (mem_.interrupted()) {
					keep({number_, t});
					return false;
				}
				done = 0;
			}
			const std::int64_t kh = t / across, kw = t % across;
			if (h_.by(kh) == 0)
				continue;
			if (!(shape_.columns ? add_row(h_.at(kh)) : add_pixel(h_.at(kh), kw)))
				return false;
			if (kw == across - 1) {
				row_vectors().add_scaled(buf_.all, buf_.row, h_.by(kh), n_);
				std::fill_n(buf_.row, n_, 0.0f);
			}
		}
		return true;
	}

	bool add_pixel(std::int64_t y, std::int64_t kw)
	{
		if (w_.by(kw) == 0)
			return true;
		auto *x = reinterpret_cast<float *>(buf_.x);
		if constexpr (std::is_same_v<T, float>)
			if (!in_.load({0, i_[1], y, w_.at(kw), i_[4]}, n_, x, buf_.run))
				return false;
		row_vectors().add_scaled(buf_.row, x, w_.by(kw), n_);
		return true;
	}

	bool add_row(std::int64_t y)
	{
		if (!load_line(y))
			return false;
		for (std::int64_t k = 0; k < p_.w.taps; ++k)
			lane_vectors().add_taken(reinterpret_cast<const float *>(buf_.line), buf_.at[k], buf_.by[k], buf_.row,
						 n_);
		return true;
	}

	/* The taps of outputs, which are the same in all rows: of n_, or of as many as a row buffer is enough for. */
	void prepare_columns()
	{
		if (i_[4] == column_ && n_ == asked_) {
			n_ = columns_;
			return;
		}
		column_ = i_[4];
		asked_ = n_;
		low_ = p_.in.dims[3];
		high_ = 0;
		for (columns_ = 0; columns_ < asked_; ++columns_) {
			resample_taps &t = buf_.taps[columns_];
			t = locate(p_.w, column_ + static_cast<std::int64_t>(columns_));
			const std::int64_t low = std::min(low_, position(p_.w, t, 0));
			const std::int64_t high = std::max(high_, position(p_.w, t, p_.w.taps - 1) + 1);
			if (high - low > row_elements)
				break;
			low_ = low;
			high_ = high;
		}
		n_ = columns_;
		for (std::size_t lane = 0; lane < n_; ++lane)
			for (std::int64_t k = 0; k < p_.w.taps; ++k) {
				buf_.by[k][lane] = weight(p_.w, buf_.taps[lane], k);
				buf_.at[k][lane] = static_cast<std::int32_t>(position(p_.w, buf_.taps[lane], k) - low_);
			}
	}

	/* What the run needs of row @y. */
	bool load_line(std::int64_t y)
	{
		T *line = reinterpret_cast<T *>(buf_.line);
		for (std::int64_t x = low_; x < high_;) {
			const std::int64_t some = std::min<std::int64_t>(high_ - x, run_elements);
			if (!in_.load({0, i_[1], y, i_[3], x}, static_cast<std::size_t>(some), line + (x - low_), buf_.run))
				return false;
			x += some;
		}
		return true;
	}

	void keep(const held &where)
	{
		tile_progress &kept = mem_.progress();
		kept.k = 1;
		kept.sums.resize(sizeof where + n_ * 8);
		std::memcpy(kept.sums.data(), &where, sizeof where);
		std::memcpy(kept.sums.data() + sizeof where, buf_.all, n_ * 4);
		std::memcpy(kept.sums.data() + sizeof where + n_ * 4, buf_.row, n_ * 4);
	}

	const resize_plan &p_;
	const resize_shape &shape_;
	memory &mem_;
	buffers &buf_;
	weighted_taps h_, w_;
	value_run in_, out_;
	T *const x_;
	/* Outputs at hand. */
	index5 i_{};
	std::size_t n_ = 0;
	std::int64_t number_ = 0;
	/* Outputs whose taps are in the buffers, and the columns of the input that they reach. */
	std::int64_t column_ = -1;
	std::size_t asked_ = 0, columns_ = 0;
	std::int64_t low_ = 0, high_ = 0;
};

/* Whether runs along a row are long, and made of little more than what they need of the input. */
bool row_is_dense(const resize_plan &p)
{
	const resample_axis &w = p.w;
	if (w.taps > column_taps || std::abs(p.in.strides[3]) > near_bytes)
		return false;
	/* Places are a linear function of the output's number. */
	const double step = w.out > 1 ? std::fabs(locate(w, 1).at - locate(w, 0).at) : 0;
	return step <= column_taps && w.out >= std::min(long_enough, p.in.dims[4] + 1);
}

} // namespace

resize_shape cut(const resize_plan &p)
{
	resize_shape s;
	const bool by_channels = p.in.dims[4] >= long_enough && p.in.strides[4] == p.in.element_bytes;
	s.columns = !by_channels && row_is_dense(p);
	s.dims = p.out.dims;
	s.in = make_stream(p.in);
	s.out = make_stream(p.out);
	if (s.columns) {
		std::swap(s.dims[3], s.dims[4]);
		for (stream *t : {&s.in, &s.out}) {
			std::swap(t->t.dims[3], t->t.dims[4]);
			std::swap(t->t.strides[3], t->t.strides[4]);
			std::swap(t->channels[3], t->channels[4]);
		}
	}
	s.outputs = elements(s.dims);
	const std::uint64_t least = std::min(static_cast<std::uint64_t>(s.dims.back()), outputs_per_tile_min);
	s.per_tile = std::max(static_cast<std::uint64_t>(taps_per_tile / (p.h.taps * p.w.taps)), least);
	s.tiles = (s.outputs + s.per_tile - 1) / s.per_tile;
	return s;
}

void resize(const resize_plan &p, const resize_shape &shape, memory &mem, scratch &work, std::uint64_t tile)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	const std::uint64_t first = tile * shape.per_tile, last = std::min(first + shape.per_tile, shape.outputs);
	if (p.integer)
		resizing<std::int32_t>(p, shape, mem, work, buf).tile(first, last);
	else
		resizing<float>(p, shape, mem, work, buf).tile(first, last);
}

} // namespace atom::engine::fast
