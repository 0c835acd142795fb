/* SPDX-License-Identifier: MIT */
#include "fast/rows.h"

#include <cmath>

#include "fast/row_kernels.h"
#include "fast/values.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) float x[run_elements];
	alignas(64) float y[run_elements];
};

/* As the reference: LAYER's means, the sums that make divisors, the results. */
class norm_work {
public:
	const unsigned passes;
	struct {
		double sum[unit_rows];
		float mean[unit_rows];
		float inverse[unit_rows];
	} state;

	norm_work(const row_streams<norm_plan> &s, memory &mem, scratch &work)
		: passes(s.p.kind == ATOM_NORM_LAYER ? 3 : 2), s_(s), mem_(mem), v_(row_vectors()),
		  across_(s.space.across), buf_(*reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)))),
		  cache_(s.space.cached() ? reinterpret_cast<float *>(work.get(1, cached_elements * sizeof(float)))
					  : nullptr)
	{
	}

	bool open(std::uint64_t tile)
	{
		const std::uint64_t first = s_.space.first_element(tile), last = s_.space.last_element(tile);
		const auto open_one = [&](real_run &run, const stream &s, std::uint32_t access) {
			return !s.t || run.open(mem_, s, s_.space.dims, first, last, access);
		};
		return open_one(in_, s_.in, ATOM_ACCESS_READ) && open_one(gamma_, s_.gamma, ATOM_ACCESS_READ) &&
		       open_one(beta_, s_.beta, ATOM_ACCESS_READ) && open_one(out_, s_.out, ATOM_ACCESS_WRITE) &&
		       open_one(mean_, s_.mean, ATOM_ACCESS_WRITE) && open_one(inverse_, s_.inverse, ATOM_ACCESS_WRITE);
	}

	bool begin(const row_unit &u, bool anew)
	{
		unit_ = u;
		rows_ = static_cast<std::size_t>(u.rows);
		if (anew) {
			std::fill_n(state.sum, rows_, 0.0);
			std::fill_n(state.mean, rows_, 0.0f);
		}
		return true;
	}

	bool chunk(unsigned pass, const chunk_walk &c)
	{
		const std::size_t n = c.count();
		float *x = cache_ ? cache_ + c.place() : buf_.x;
		if ((pass == 0 || !cache_) && !in_.load(c.index(), n, x, buf_.run))
			return false;
		if (pass == passes - 1)
			return results(c, x);
		if (averages(pass))
			v_.sum[across_](state.sum, x, n);
		else if (s_.p.kind == ATOM_NORM_L1)
			v_.sum_of_sizes[across_](state.sum, x, n);
		else
			v_.sum_of_squares[across_](state.sum, x, state.mean, n);
		return true;
	}

	bool end(unsigned pass)
	{
		if (pass == passes - 1)
			return true;
		const auto length = static_cast<double>(s_.space.length);
		if (averages(pass)) {
			for (std::size_t i = 0; i < rows_; ++i)
				state.mean[i] = static_cast<float>(state.sum[i] / length);
			std::fill_n(state.sum, rows_, 0.0);
			return !s_.mean.t || mean_.store(unit_.base, rows_, state.mean, buf_.run);
		}
		for (std::size_t i = 0; i < rows_; ++i)
			state.inverse[i] = inverse_of(state.sum[i], length);
		return !s_.inverse.t || inverse_.store(unit_.base, rows_, state.inverse, buf_.run);
	}

private:
	bool averages(unsigned pass) const { return passes == 3 && pass == 0; }

	float inverse_of(double sum, double length) const
	{
		switch (s_.p.kind) {
		case ATOM_NORM_L1:
			return 1.0f / at_least(static_cast<float>(sum));
		case ATOM_NORM_L2:
			return 1.0f / at_least(static_cast<float>(std::sqrt(sum)));
		default:
			return 1.0f / std::sqrt(static_cast<float>(sum / length) + s_.p.eps);
		}
	}
	/* A NaN stays one. */
	float at_least(float x) const { return x < s_.p.eps ? s_.p.eps : x; }

	bool results(const chunk_walk &c, float *x)
	{
		const std::size_t n = c.count();
		v_.normalise[across_](x, state.mean, state.inverse, n);
		if (s_.gamma.t) {
			if (!gamma_.load(c.index(), n, buf_.y, buf_.run))
				return false;
			v_.multiply(x, buf_.y, n);
		}
		if (s_.beta.t) {
			if (!beta_.load(c.index(), n, buf_.y, buf_.run))
				return false;
			v_.add(x, buf_.y, n);
		}
		return out_.store(c.index(), n, x, buf_.run);
	}

	const row_streams<norm_plan> &s_;
	memory &mem_;
	const row_kernels &v_;
	bool across_;
	buffers &buf_;
	float *cache_;
	real_run in_, gamma_, beta_, out_, mean_, inverse_;
	row_unit unit_;
	std::size_t rows_ = 1;
};

} // namespace

row_streams<norm_plan> prepare(const norm_plan &p)
{
	row_streams<norm_plan> s{};
	s.p = p;
	s.in = make_stream(p.in);
	s.gamma = make_stream(p.gamma);
	s.beta = make_stream(p.beta);
	s.out = make_stream(p.out);
	s.mean = row_stream(p.mean, p.reduced);
	s.inverse = row_stream(p.inverse, p.reduced);
	s.space = arrange(p.in.dims, p.reduced, {&s.in, &s.gamma, &s.beta, &s.out, &s.mean, &s.inverse});
	return s;
}

void norm(const row_streams<norm_plan> &s, memory &mem, scratch &work, std::uint64_t tile)
{
	norm_work w(s, mem, work);
	if (w.open(tile))
		run_units(s.space, mem, tile, w);
}

} // namespace atom::engine::fast
