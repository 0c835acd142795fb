/* SPDX-License-Identifier: MIT */
#include "fast/rows.h"

#include <cmath>
#include <limits>

#include "fast/row_kernels.h"
#include "fast/values.h"
#include "numeric/convert.h"

namespace atom::engine::fast {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct buffers {
	run_buffers run;
	alignas(64) float x[run_elements];
	alignas(64) float results[unit_rows];
};

/* Of floats and quantised integers. */
class reduce_work {
public:
	const unsigned passes;
	struct {
		double sum[unit_rows];
		float best[unit_rows]; ///< the product too, which is kept in order and in f32
		std::int64_t at[unit_rows];
	} state;

	reduce_work(const row_streams<reduce_plan> &s, memory &mem, scratch &work)
		: passes(s.p.kind == ATOM_REDUCE_LOG_SUM_EXP ? 2 : 1), s_(s), mem_(mem), v_(row_vectors()),
		  across_(s.space.across), buf_(*reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)))),
		  cache_(passes > 1 && s.space.cached()
				 ? reinterpret_cast<float *>(work.get(1, cached_elements * sizeof(float)))
				 : nullptr)
	{
	}

	bool open(std::uint64_t tile)
	{
		const row_space &r = s_.space;
		const std::uint64_t first = r.first_element(tile), last = r.last_element(tile);
		return in_.open(mem_, s_.in, r.dims, first, last, ATOM_ACCESS_READ) &&
		       (s_.p.finds() ? indices_.open(mem_, s_.out, r.dims, first, last, ATOM_ACCESS_WRITE)
				     : out_.open(mem_, s_.out, r.dims, first, last, ATOM_ACCESS_WRITE));
	}

	bool begin(const row_unit &u, bool anew)
	{
		unit_ = u;
		rows_ = static_cast<std::size_t>(u.rows);
		if (!anew)
			return true;
		const std::uint32_t kind = s_.p.kind;
		std::fill_n(state.sum, rows_, 0.0);
		std::fill_n(state.best, rows_,
			    kind == ATOM_REDUCE_PROD ? 1.0f : kind == ATOM_REDUCE_MIN ? infinity : -infinity);
		return true;
	}

	bool chunk(unsigned pass, const chunk_walk &c)
	{
		const std::size_t n = c.count();
		float *x = cache_ ? cache_ + c.place() : buf_.x;
		if ((pass == 0 || !cache_) && !in_.load(c.index(), n, x, buf_.run))
			return false;
		switch (s_.p.kind) {
		case ATOM_REDUCE_MAX:
			v_.max[across_](state.best, x, n);
			break;
		case ATOM_REDUCE_MIN:
			v_.min[across_](state.best, x, n);
			break;
		case ATOM_REDUCE_PROD:
			v_.product[across_](state.best, x, n);
			break;
		case ATOM_REDUCE_ARGMAX:
		case ATOM_REDUCE_ARGMIN:
			find(c, x, n);
			break;
		case ATOM_REDUCE_L1:
			v_.sum_of_sizes[across_](state.sum, x, n);
			break;
		case ATOM_REDUCE_L2:
		case ATOM_REDUCE_SUM_SQUARE: {
			static constexpr float no_mean[unit_rows] = {};
			v_.sum_of_squares[across_](state.sum, x, no_mean, n);
			break;
		}
		case ATOM_REDUCE_LOG_SUM_EXP:
			if (pass == 0) {
				v_.max[across_](state.best, x, n);
			} else {
				v_.exponentials[across_](x, state.best, n);
				v_.sum[across_](state.sum, x, n);
			}
			break;
		default:
			v_.sum[across_](state.sum, x, n);
		}
		return true;
	}

	bool end(unsigned pass)
	{
		if (pass != passes - 1)
			return true;
		if (s_.p.finds())
			return store_indices();
		for (std::size_t i = 0; i < rows_; ++i)
			buf_.results[i] = result(i);
		return out_.store(unit_.base, rows_, buf_.results, buf_.run);
	}

private:
	/* A piece of a row is searched for its best only if that is better than what came before. */
	void find(const chunk_walk &c, const float *x, std::size_t n)
	{
		const bool least = s_.p.kind == ATOM_REDUCE_ARGMIN, last = s_.p.last_index;
		if (c.position() == 0) {
			std::copy_n(x, across_ ? n : 1, state.best);
			std::fill_n(state.at, rows_, 0);
		}
		if (across_)
			return v_.better[least][last](state.best, state.at, x, c.position(), n);
		float best = x[0];
		(least ? v_.min : v_.max)[0](&best, x, n);
		std::int64_t whole = 0;
		v_.better[least][last](state.best, &whole, &best, 1, 1);
		if (!whole && c.position() != 0)
			return;
		const auto is_it = [best](float y) { return y == best || (std::isnan(y) && std::isnan(best)); };
		std::size_t i = last ? n - 1 : 0;
		while (!is_it(x[i]))
			last ? --i : ++i;
		state.at[0] = c.position() + static_cast<std::int64_t>(i);
		state.best[0] = best;
	}

	bool store_indices()
	{
		const tensor &t = s_.out.t;
		for (std::size_t i = 0; i < rows_; ++i)
			store_integer(buf_.run.raw + i * t.element_bytes, t.dtype, state.at[i]);
		return indices_.write(unit_.base, rows_, buf_.run.raw);
	}

	float result(std::size_t i) const
	{
		const double sum = state.sum[i];
		switch (s_.p.kind) {
		case ATOM_REDUCE_MAX:
		case ATOM_REDUCE_MIN:
		case ATOM_REDUCE_PROD:
			return state.best[i];
		case ATOM_REDUCE_MEAN:
			return static_cast<float>(sum / static_cast<double>(s_.space.length));
		case ATOM_REDUCE_L2:
			return static_cast<float>(std::sqrt(sum));
		case ATOM_REDUCE_LOG_SUM:
			return std::log(static_cast<float>(sum));
		case ATOM_REDUCE_LOG_SUM_EXP:
			return std::isinf(state.best[i]) ? state.best[i]
							 : state.best[i] + std::log(static_cast<float>(sum));
		default:
			return static_cast<float>(sum);
		}
	}

	const row_streams<reduce_plan> &s_;
	memory &mem_;
	const row_kernels &v_;
	bool across_;
	buffers &buf_;
	float *cache_;
	real_run in_, out_;
	window indices_;
	row_unit unit_;
	std::size_t rows_ = 1;
};

} // namespace

row_streams<reduce_plan> prepare(const reduce_plan &p)
{
	row_streams<reduce_plan> s{};
	s.p = p;
	s.in = make_stream(p.in);
	s.out = row_stream(p.out, p.reduced);
	s.space = arrange(p.in.dims, p.reduced, {&s.in, &s.out});
	return s;
}

void reduce(const row_streams<reduce_plan> &s, memory &mem, scratch &work, std::uint64_t tile)
{
	reduce_work w(s, mem, work);
	if (w.open(tile))
		run_units(s.space, mem, tile, w);
}

} // namespace atom::engine::fast
