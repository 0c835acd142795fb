/* SPDX-License-Identifier: MIT */
#include "fast/rows.h"

#include <cmath>
#include <limits>

#include "fast/row_kernels.h"
#include "fast/values.h"
#include "numeric/exponential.h"
#include "numeric/function.h"

namespace atom::engine::fast {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct buffers {
	run_buffers run;
	alignas(64) float x[run_elements];
	alignas(64) float y[run_elements];
};

/* As the reference: the greatest score, the sum of exponentials, the results. */
class softmax_work {
public:
	static constexpr unsigned passes = 3;
	struct {
		float max[unit_rows];
		double sum[unit_rows];
		float total[unit_rows]; ///< the sum, or its logarithm
	} state;

	softmax_work(const row_streams<softmax_plan> &s, memory &mem, scratch &work)
		: s_(s), mem_(mem), v_(row_vectors()), across_(s.space.across),
		  buf_(*reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)))),
		  cache_(s.space.cached() ? reinterpret_cast<float *>(work.get(1, cached_elements * sizeof(float)))
					  : nullptr)
	{
	}

	bool open(std::uint64_t tile)
	{
		const row_space &r = s_.space;
		const std::uint64_t first = r.first_element(tile), last = r.last_element(tile);
		return in_.open(mem_, s_.in, r.dims, first, last, ATOM_ACCESS_READ) &&
		       (!s_.mask.t || mask_.open(mem_, s_.mask, r.dims, first, last, ATOM_ACCESS_READ)) &&
		       out_.open(mem_, s_.out, r.dims, first, last, ATOM_ACCESS_WRITE);
	}

	bool begin(const row_unit &u, bool anew)
	{
		const softmax_plan &p = s_.p;
		const auto rows = static_cast<std::size_t>(u.rows);
		rows_ = rows;
		if (anew) {
			std::fill_n(state.max, rows, -infinity);
			std::fill_n(state.sum, rows, 0.0);
		}
		if (p.causal)
			kept_ = std::clamp(offset_of(u.base, s_.queries.t.strides) + p.causal_offset + 1, std::int64_t{0},
					   s_.space.length);
		const std::int64_t head = offset_of(u.base, s_.heads.t.strides);
		if (p.max_bias != 0)
			slope_ = alibi_slope(p.max_bias, p.in.dims[softmax_plan::head_axis], head);
		return !p.sinks || mem_.read(p.sinks.operand, head * p.sinks.strides.back(), &sink_, sizeof sink_);
	}

	bool chunk(unsigned pass, const chunk_walk &c)
	{
		const std::size_t n = s_.p.causal ? kept(c) : c.count();
		float *x = cache_ ? cache_ + c.place() : buf_.x;
		if (n != 0 && (pass == 0 || !cache_) && !scores(c, n, x))
			return false;
		switch (pass) {
		case 0:
			v_.max[across_](state.max, x, n);
			return true;
		case 1:
			if (s_.p.log && cache_) /* the scores are needed again */
				x = static_cast<float *>(std::memcpy(buf_.x, x, n * sizeof *x));
			v_.exponentials[across_](x, state.max, n);
			v_.sum[across_](state.sum, x, n);
			return true;
		default:
			return results(c, n, x);
		}
	}

	bool end(unsigned pass)
	{
		if (pass == 0 && s_.p.sinks)
			state.max[0] = apply_binary(ATOM_BINARY_MAX, state.max[0], sink_);
		if (pass != 1)
			return true;
		if (s_.p.sinks)
			state.sum[0] += exponential(sink_ - state.max[0]);
		for (std::size_t i = 0; i < rows_; ++i) {
			state.total[i] = static_cast<float>(state.sum[i]);
			if (s_.p.log)
				state.total[i] = std::log(state.total[i]);
		}
		return true;
	}

private:
	/* Elements of the chunk that CAUSAL does not drop; runs lie along rows then. */
	std::size_t kept(const chunk_walk &c) const
	{
		return static_cast<std::size_t>(
			std::clamp(kept_ - c.position(), std::int64_t{0}, static_cast<std::int64_t>(c.count())));
	}

	bool scores(const chunk_walk &c, std::size_t n, float *x)
	{
		if (!in_.load(c.index(), n, x, buf_.run))
			return false;
		v_.scale(x, s_.p.scale, n);
		if (!s_.mask.t)
			return true;
		if (!mask_.load(c.index(), n, buf_.y, buf_.run))
			return false;
		v_.add_scaled(x, buf_.y, slope_, n);
		return true;
	}

	bool results(const chunk_walk &c, std::size_t n, float *x)
	{
		if (s_.p.log) {
			v_.subtract_both[across_](x, state.max, state.total, n);
		} else {
			if (!cache_)
				v_.exponentials[across_](x, state.max, n);
			v_.divide[across_](x, state.total, n);
		}
		std::fill(x + n, x + c.count(), s_.p.log ? -infinity : 0.0f);
		return out_.store(c.index(), c.count(), x, buf_.run);
	}

	const row_streams<softmax_plan> &s_;
	memory &mem_;
	const row_kernels &v_;
	bool across_;
	buffers &buf_;
	float *cache_;
	real_run in_, mask_, out_;
	std::size_t rows_ = 1;
	std::int64_t kept_ = 0;
	float slope_ = 1;
	float sink_ = 0;
};

/* Not a tensor: the offset at an index is the index itself. */
stream counter(unsigned axis)
{
	stream s;
	s.t.dtype = ATOM_DTYPE_U8;
	s.t.strides[axis] = 1;
	return s;
}

} // namespace

row_streams<softmax_plan> prepare(const softmax_plan &p)
{
	row_streams<softmax_plan> s{};
	s.p = p;
	s.in = make_stream(p.in);
	s.mask = make_stream(p.mask);
	s.out = make_stream(p.out);
	const bool heads = p.max_bias != 0 || p.sinks;
	if (heads)
		s.heads = counter(softmax_plan::head_axis);
	if (p.causal)
		s.queries = counter(p.axis - 1);
	s.space = arrange(p.in.dims, 1u << p.axis, {&s.in, &s.mask, &s.out, &s.heads, &s.queries}, heads || p.causal);
	return s;
}

void softmax(const row_streams<softmax_plan> &s, memory &mem, scratch &work, std::uint64_t tile)
{
	softmax_work w(s, mem, work);
	if (w.open(tile))
		run_units(s.space, mem, tile, w);
}

} // namespace atom::engine::fast
