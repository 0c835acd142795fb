/* SPDX-License-Identifier: MIT */
#include "fast/pool.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "fast/lane_kernels.h"
#include "fast/row_kernels.h"
#include "fast/values.h"
#include "numeric/convert.h"
#include "numeric/function.h"

namespace atom::engine::fast {

namespace {

using along = pool_shape::along;

struct buffers {
	run_buffers run;
	alignas(64) std::int64_t at[run_elements];
	alignas(64) std::byte sums[run_elements * 4]; /* f32 or i32 */
	alignas(64) std::byte x[run_elements * 4];
	alignas(64) float counts[run_elements];
	alignas(64) float r[run_elements];
	alignas(64) float s[run_elements];
	std::byte lut[256];
};

template <class T> class pooling {
	using input_run = std::conditional_t<std::is_same_v<T, float>, real_run, integer_run>;

public:
	pooling(const pool_plan &p, const pool_shape &shape, memory &mem, buffers &buf)
		: p_(p), shape_(shape), mem_(mem), buf_(buf), sums_(reinterpret_cast<T *>(buf.sums)),
		  x_(reinterpret_cast<T *>(buf.x))
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
		std::int64_t number = 0;
		for (run_walk run(shape_.dims, first, last); run.next(); ++number) {
			if (number < from.run)
				continue;
			n_ = run.count();
			begin(run.index());
			if (kept.k && number == from.run)
				restore(kept);
			if (!gather(number, from) || !finish(run.index()))
				return;
			from.tap = 0;
		}
	}

private:
	struct held {
		std::int64_t run = 0, tap = 0;
	};

	bool open(std::uint64_t first, std::uint64_t last)
	{
		return in_.open(mem_, shape_.in, inputs_of(p_, shape_, first, last), ATOM_ACCESS_READ) &&
		       out_.open(mem_, shape_.out, shape_.dims, first, last, ATOM_ACCESS_WRITE) &&
		       (!p_.index || index_.open(mem_, shape_.index, shape_.dims, first, last, ATOM_ACCESS_WRITE)) &&
		       (p_.tail.activation != ATOM_FN_LUT || mem_.read(p_.tail.lut, 0, buf_.lut, sizeof buf_.lut));
	}

	void begin(const index5 &i)
	{
		o_ = place_of(i, shape_.run);
		rows_ = p_.window.h.taps_inside(o_.y, 0, p_.in.dims[2]);
		/* In a row of outputs each has taps of its own. */
		columns_ = shape_.run == along::columns ? tap_range{0, p_.window.w.kernel}
							: p_.window.w.taps_inside(o_.x, 0, p_.in.dims[3]);
		T start = 0;
		if constexpr (!std::is_same_v<T, float>)
			start = static_cast<T>(saturate(std::numeric_limits<std::int64_t>::min(), p_.in.dtype));
		else if (p_.kind == ATOM_POOL_MAX)
			start = -std::numeric_limits<float>::infinity();
		std::fill_n(sums_, n_, start);
		std::fill_n(buf_.at, n_, -1);
	}

	/* All taps of the run's outputs; false: fault or interrupted. */
	bool gather(std::int64_t number, const held &from)
	{
		/* One output takes a row of taps in pieces. */
		const bool pieces = shape_.run == along::taps;
		constexpr auto most = static_cast<std::int64_t>(run_elements);
		const std::int64_t across = pieces ? (columns_.count() + most - 1) / most : columns_.count();
		std::int64_t done = 0;
		for (std::int64_t t = from.tap, end = rows_.count() * across; t < end; ++t) {
			if (done >= pool_taps_per_tile) {
				if (mem_.interrupted()) {
					keep({number, t});
					return false;
				}
				done = 0;
			}
			const std::int64_t ky = rows_.first + t / across, y = p_.window.h.at(o_.y, ky);
			const std::int64_t kx = columns_.first + t % across * (pieces ? most : 1);
			const std::int64_t count = pieces ? std::min(most, columns_.last - kx) : static_cast<std::int64_t>(n_);
			if (!(pieces ? take_taps(ky, y, kx, count) : take_outputs(ky, y, kx)))
				return false;
			/* Without elements it was quick, but not for nothing. */
			done += count + 16;
		}
		return true;
	}

	/* Tap (ky, kx) of all outputs of the run. */
	bool take_outputs(std::int64_t ky, std::int64_t y, std::int64_t kx)
	{
		std::size_t first = 0, last = n_;
		const window_axis &w = p_.window.w;
		if (shape_.run == along::columns) {
			/* Outputs from the first whose tap is not left of @limit. */
			const auto reaches = [&](std::int64_t limit) {
				const std::int64_t distance = limit - w.at(o_.x, kx);
				const std::int64_t outputs = distance <= 0 ? 0 : (distance - 1) / w.stride + 1;
				return static_cast<std::size_t>(std::min(outputs, static_cast<std::int64_t>(n_)));
			};
			first = reaches(0);
			last = std::max(reaches(p_.in.dims[3]), first);
			if (first == last)
				return true;
		}
		if (!in_.load(input(y, kx, static_cast<std::int64_t>(first)), last - first, x_, buf_.run))
			return false;
		add(x_, sums_ + first, buf_.at + first, ky * w.kernel + kx, last - first);
		return true;
	}

	/* Taps [kx, kx + count) of one output, one after the other. */
	bool take_taps(std::int64_t ky, std::int64_t y, std::int64_t kx, std::int64_t count)
	{
		if (!in_.load(input(y, kx, 0), static_cast<std::size_t>(count), x_, buf_.run))
			return false;
		if constexpr (std::is_same_v<T, float>)
			if (p_.kind == ATOM_POOL_MAX && !p_.index) {
				row_vectors().max[0](sums_, x_, static_cast<std::size_t>(count));
				return true;
			}
		for (std::int64_t i = 0; i < count; ++i)
			add_one(x_[i], ky * p_.window.w.kernel + kx + i);
		return true;
	}

	index5 input(std::int64_t y, std::int64_t kx, std::int64_t first) const
	{
		const window_axis &w = p_.window.w;
		switch (shape_.run) {
		case along::channels:
			return {0, o_.n, y, w.at(o_.x, kx), o_.channel + first};
		case along::columns: /* column of the run's first output, then outputs */
			return {w.at(o_.x, kx), o_.n, y, o_.channel, first};
		default: /* column of the first tap, then taps */
			return {o_.channel, o_.n, y, w.at(o_.x, kx), 0};
		}
	}

	void add(const T *x, T *sums, std::int64_t *at, std::int64_t tap, std::size_t n)
	{
		const lane_kernels &v = lane_vectors();
		if constexpr (!std::is_same_v<T, float>) {
			p_.index ? v.larger_integer(x, sums, at, tap, n) : v.largest_integer(x, sums, n);
		} else if (p_.kind == ATOM_POOL_MAX) {
			p_.index ? v.larger(x, sums, at, tap, n) : row_vectors().max[1](sums, x, n);
		} else if (p_.kind == ATOM_POOL_AVERAGE || p_.p == 1 || p_.p == 2) {
			(p_.kind == ATOM_POOL_AVERAGE ? v.add : p_.p == 1 ? v.add_absolute : v.add_square)(x, sums, n);
		} else {
			for (std::size_t i = 0; i < n; ++i)
				sums[i] += lp_term(x[i], p_.p);
		}
	}

	void add_one(T x, std::int64_t tap)
	{
		if constexpr (std::is_same_v<T, float>)
			if (p_.kind != ATOM_POOL_MAX) {
				sums_[0] += p_.kind == ATOM_POOL_LP ? lp_term(x, p_.p) : x;
				return;
			}
		if (x > sums_[0] || (x != x && sums_[0] == sums_[0]) || buf_.at[0] < 0) {
			sums_[0] = x;
			buf_.at[0] = tap;
		}
	}

	bool finish(const index5 &i)
	{
		if (p_.index && !store_index(i))
			return false;
		if constexpr (!std::is_same_v<T, float>) {
			return out_.store(i, n_, sums_, buf_.run);
		} else {
			const float *r = sums_;
			if (p_.kind == ATOM_POOL_AVERAGE) {
				count();
				vectors().binary[ATOM_BINARY_DIV](r, buf_.counts, buf_.r, n_);
				r = buf_.r;
			} else if (p_.kind == ATOM_POOL_LP) {
				for (std::size_t k = 0; k < n_; ++k)
					buf_.r[k] = lp_root(r[k], p_.p);
				r = buf_.r;
			}
			const epilogue &tail = p_.tail;
			const bool lut = tail.activation == ATOM_FN_LUT;
			if (tail.activation != ATOM_FN_IDENTITY && !lut) {
				apply(tail.activation, r, buf_.s, n_, tail.p0, tail.p1);
				r = buf_.s;
			}
			return out_.store(i, n_, r, buf_.run, lut ? buf_.lut : nullptr);
		}
	}

	/* How many elements each output is the average of. */
	void count()
	{
		const window_axis &h = p_.window.h, &w = p_.window.w;
		const std::int64_t top = p_.count_pad ? -h.pad_before : 0, left = p_.count_pad ? -w.pad_before : 0;
		const std::int64_t bottom = p_.in.dims[2] + (p_.count_pad ? h.pad_after : 0);
		const std::int64_t right = p_.in.dims[3] + (p_.count_pad ? w.pad_after : 0);
		const std::int64_t rows = h.taps_inside(o_.y, top, bottom).count();
		const bool differ = shape_.run == along::columns;
		for (std::size_t k = 0; k < n_; ++k) {
			const std::int64_t x = o_.x + (differ ? static_cast<std::int64_t>(k) : 0);
			buf_.counts[k] = k == 0 || differ
						 ? static_cast<float>(rows * w.taps_inside(x, left, right).count())
						 : buf_.counts[0];
		}
	}

	/* Numbers of taps become positions in the input. */
	bool store_index(const index5 &i)
	{
		const bool differ = shape_.run == along::columns;
		for (std::size_t k = 0; k < n_; ++k) {
			const std::int64_t tap = buf_.at[k], kernel = p_.window.w.kernel;
			if (tap < 0)
				continue;
			buf_.at[k] = p_.window.h.at(o_.y, tap / kernel) * p_.in.dims[3] +
				     p_.window.w.at(o_.x + (differ ? static_cast<std::int64_t>(k) : 0), tap % kernel);
		}
		const auto *from = reinterpret_cast<const std::byte *>(buf_.at);
		if (p_.index.dtype == ATOM_DTYPE_I32) {
			vectors().narrow_wrap(from, buf_.counts, n_);
			from = reinterpret_cast<const std::byte *>(buf_.counts);
		}
		return index_.write(i, n_, from);
	}

	void keep(const held &where)
	{
		tile_progress &kept = mem_.progress();
		kept.k = 1;
		kept.sums.resize(sizeof where + n_ * (sizeof(T) + sizeof(std::int64_t)));
		std::byte *to = kept.sums.data();
		std::memcpy(to, &where, sizeof where);
		std::memcpy(to + sizeof where, buf_.at, n_ * sizeof(std::int64_t));
		std::memcpy(to + sizeof where + n_ * sizeof(std::int64_t), sums_, n_ * sizeof(T));
	}

	void restore(const tile_progress &kept)
	{
		const std::byte *from = kept.sums.data() + sizeof(held);
		std::memcpy(buf_.at, from, n_ * sizeof(std::int64_t));
		std::memcpy(sums_, from + n_ * sizeof(std::int64_t), n_ * sizeof(T));
	}

	const pool_plan &p_;
	const pool_shape &shape_;
	memory &mem_;
	buffers &buf_;
	T *const sums_;
	T *const x_;
	input_run in_, out_;
	window index_;
	/* Of the run at hand. */
	std::size_t n_ = 0;
	output_place o_{};
	tap_range rows_, columns_;
};

} // namespace

void pool(const pool_plan &p, const pool_shape &shape, memory &mem, scratch &work, std::uint64_t tile)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	const std::uint64_t first = tile * shape.per_tile, last = std::min(first + shape.per_tile, shape.outputs);
	if (largest_in_place(p, shape, mem, first, last))
		return;
	if (p.integer)
		pooling<std::int32_t>(p, shape, mem, buf).tile(first, last);
	else
		pooling<float>(p, shape, mem, buf).tile(first, last);
}

} // namespace atom::engine::fast
