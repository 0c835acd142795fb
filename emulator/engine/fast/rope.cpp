/* SPDX-License-Identifier: MIT */
#include "fast/rope.h"

#include <algorithm>

#include "fast/values.h"
#include "numeric/convert.h"

namespace atom::engine::fast {

namespace {

constexpr std::size_t run_pairs = run_elements / 2;

struct buffers {
	run_buffers run;
	alignas(64) float row[run_elements];
	alignas(64) float x0[run_pairs];
	alignas(64) float x1[run_pairs];
	alignas(64) float y0[run_pairs];
	alignas(64) float y1[run_pairs];
	alignas(64) float t0[run_pairs];
	alignas(64) float t1[run_pairs];
};

/* One row of a table as f32. False: fault. */
bool load_table(memory &mem, const tensor &t, std::int64_t at, std::int64_t pairs, float *to, run_buffers &run)
{
	const std::int64_t stride = t.strides.back();
	for (std::int64_t done = 0; done < pairs;) {
		const auto n = std::min<std::int64_t>(pairs - done, run_elements);
		const auto count = static_cast<std::size_t>(n);
		if (!read_strided(mem, t, at + done * stride, stride, count, run.raw))
			return false;
		vectors().load[t.dtype](run.raw, to + done, count);
		done += n;
	}
	return true;
}

/* Rows one behind the other, and the angles of the present one. */
class rows {
public:
	rows(const rope_streams &s, memory &mem, scratch &work)
		: s_(s), mem_(mem), buf_(*reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)))),
		  pairs_(s.p.pairs)
	{
		const auto bytes = static_cast<std::size_t>(pairs_) * sizeof(float);
		cos_ = reinterpret_cast<float *>(work.get(1, bytes));
		sin_ = reinterpret_cast<float *>(work.get(2, bytes));
		factors_ = reinterpret_cast<float *>(work.get(3, bytes));
	}

	bool open(std::uint64_t first, std::uint64_t last)
	{
		const auto length = static_cast<std::uint64_t>(s_.dims.back());
		if (s_.p.factors &&
		    !load_table(mem_, s_.p.factors, 0, pairs_, factors_, buf_.run))
			return false;
		return in_.open(mem_, s_.in, s_.dims, first * length, last * length, ATOM_ACCESS_READ) &&
		       out_.open(mem_, s_.out, s_.dims, first * length, last * length, ATOM_ACCESS_WRITE);
	}

	/* The angles that hold at @row. */
	bool aim(const index5 &row)
	{
		const rope_plan &p = s_.p;
		std::int64_t position = 0;
		if (p.positions) {
			const std::int64_t at = offset_of(row, s_.positions);
			std::byte raw[8];
			if (!mem_.read(p.positions.operand, at, raw, p.positions.element_bytes))
				return false;
			position = load_integer(raw, p.positions.dtype);
			if (p.rows_by_position && (position < 0 || position >= p.cos.dims[3])) {
				mem_.fail(position_range(p, at));
				return false;
			}
		}
		if (!p.cos) {
			compute(static_cast<float>(position));
			return true;
		}
		const auto at = [&](const tensor &t, const index5 &strides) {
			return p.rows_by_position ? position * t.strides[3] : offset_of(row, strides);
		};
		if (!load_table(mem_, p.cos, at(p.cos, s_.cos), pairs_, cos_, buf_.run) ||
		    !load_table(mem_, p.sin, at(p.sin, s_.sin), pairs_, sin_, buf_.run))
			return false;
		if (p.inverse)
			std::transform(sin_, sin_ + pairs_, sin_, [](float x) { return -x; });
		return true;
	}

	bool turn_row(const index5 &row)
	{
		for (std::int64_t pair = 0; pair < pairs_;) {
			const auto n = std::min<std::int64_t>(pairs_ - pair, run_pairs);
			if (!(s_.p.interleaved ? interleaved(row, pair, static_cast<std::size_t>(n))
					       : halves(row, pair, static_cast<std::size_t>(n))))
				return false;
			pair += n;
		}
		for (std::int64_t i = 2 * pairs_; i < s_.dims.back();) {
			const auto n = static_cast<std::size_t>(std::min<std::int64_t>(s_.dims.back() - i, run_elements));
			if (!in_.load(at(row, i), n, buf_.row, buf_.run) || !out_.store(at(row, i), n, buf_.row, buf_.run))
				return false;
			i += static_cast<std::int64_t>(n);
		}
		return true;
	}

private:
	static index5 at(index5 row, std::int64_t element)
	{
		row.back() = element;
		return row;
	}

	/* In the reference's order: the angle of a pair comes from that of the pair before. */
	void compute(float theta)
	{
		for (std::int64_t pair = 0; pair < pairs_; ++pair) {
			turn(s_.p.turn, s_.p.factors ? theta / factors_[pair] : theta, pair, cos_[pair], sin_[pair]);
			theta *= s_.p.turn.step;
		}
	}

	/* x0, x1 to y0, y1. */
	void rotate(std::int64_t pair, std::size_t n)
	{
		const auto multiply = vectors().binary[ATOM_BINARY_MUL];
		const float *c = cos_ + pair, *s = sin_ + pair;
		multiply(buf_.x0, c, buf_.t0, n);
		multiply(buf_.x1, s, buf_.t1, n);
		vectors().binary[ATOM_BINARY_SUB](buf_.t0, buf_.t1, buf_.y0, n);
		multiply(buf_.x0, s, buf_.t0, n);
		multiply(buf_.x1, c, buf_.t1, n);
		vectors().binary[ATOM_BINARY_ADD](buf_.t0, buf_.t1, buf_.y1, n);
	}

	/* Both are read before either is written: the output may be the input. */
	bool halves(const index5 &row, std::int64_t pair, std::size_t n)
	{
		const index5 first = at(row, pair), second = at(row, pairs_ + pair);
		if (!in_.load(first, n, buf_.x0, buf_.run) || !in_.load(second, n, buf_.x1, buf_.run))
			return false;
		rotate(pair, n);
		return out_.store(first, n, buf_.y0, buf_.run) && out_.store(second, n, buf_.y1, buf_.run);
	}

	bool interleaved(const index5 &row, std::int64_t pair, std::size_t n)
	{
		const index5 first = at(row, 2 * pair);
		if (!in_.load(first, 2 * n, buf_.row, buf_.run))
			return false;
		for (std::size_t i = 0; i < n; ++i) {
			buf_.x0[i] = buf_.row[2 * i];
			buf_.x1[i] = buf_.row[2 * i + 1];
		}
		rotate(pair, n);
		for (std::size_t i = 0; i < n; ++i) {
			buf_.row[2 * i] = buf_.y0[i];
			buf_.row[2 * i + 1] = buf_.y1[i];
		}
		return out_.store(first, 2 * n, buf_.row, buf_.run);
	}

	const rope_streams &s_;
	memory &mem_;
	buffers &buf_;
	std::int64_t pairs_;
	float *cos_;
	float *sin_;
	float *factors_;
	real_run in_, out_;
};

} // namespace

rope_streams prepare(const rope_plan &p)
{
	rope_streams s{.p = p, .dims = p.out.dims, .in = make_stream(p.in), .out = make_stream(p.out)};
	const bool tables = p.cos && !p.rows_by_position;
	const auto has_angles = [&](std::size_t d) {
		return p.positions.strides[d] != 0 || (tables && (p.cos.strides[d] != 0 || p.sin.strides[d] != 0));
	};
	std::size_t order[] = {0, 1, 2, 3, 4};
	const auto shared = std::stable_partition(order, order + 4, has_angles);
	for (std::size_t i = 0; i < s.dims.size(); ++i) {
		const std::size_t d = order[i];
		s.dims[i] = s.in.t.dims[i] = s.out.t.dims[i] = p.out.dims[d];
		s.in.t.strides[i] = p.in.strides[d];
		s.out.t.strides[i] = p.out.strides[d];
		s.positions[i] = p.positions.strides[d];
		s.cos[i] = tables ? p.cos.strides[d] : 0;
		s.sin[i] = tables ? p.sin.strides[d] : 0;
		if (order + i >= shared && i < 4)
			s.rows_per_angle *= static_cast<std::uint64_t>(s.dims[i]);
	}
	return s;
}

void rope(const rope_streams &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	rows r(s, mem, work);
	if (!r.open(first, last))
		return;
	index5 dims = s.dims;
	dims.back() = 1;
	index5 row = index_at(first, dims);
	for (std::uint64_t n = first; n < last; ++n, next(row, dims)) {
		if ((n == first || n % s.rows_per_angle == 0) && !r.aim(row))
			return;
		if (!r.turn_row(row))
			return;
	}
}

} // namespace atom::engine::fast
