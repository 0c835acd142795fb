/* SPDX-License-Identifier: MIT */
#include "fast/rows.h"

#include "fast/row_kernels.h"
#include "fast/values.h"
#include "numeric/convert.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) std::int32_t x[run_elements];
};

/* Exact, modulo 2^64 until it is written. */
class reduce_work {
public:
	static constexpr unsigned passes = 1;
	struct {
		std::int64_t acc[unit_rows];
		std::int64_t at[unit_rows];
	} state;

	reduce_work(const row_streams<reduce_plan> &s, memory &mem, scratch &work)
		: s_(s), mem_(mem), v_(row_vectors()), across_(s.space.across),
		  buf_(*reinterpret_cast<buffers *>(work.get(0, sizeof(buffers))))
	{
	}

	bool open(std::uint64_t tile)
	{
		const row_space &r = s_.space;
		const std::uint64_t first = r.first_element(tile), last = r.last_element(tile);
		return in_.open(mem_, s_.in, r.dims, first, last, ATOM_ACCESS_READ) &&
		       out_.open(mem_, s_.out, r.dims, first, last, ATOM_ACCESS_WRITE);
	}

	bool begin(const row_unit &u, bool anew)
	{
		unit_ = u;
		rows_ = static_cast<std::size_t>(u.rows);
		if (anew) {
			std::fill_n(state.acc, rows_, s_.p.kind == ATOM_REDUCE_PROD ? 1 : 0);
			std::fill_n(state.at, rows_, 0);
		}
		return true;
	}

	bool chunk(unsigned, const chunk_walk &c)
	{
		const std::size_t n = c.count();
		if (!in_.load(c.index(), n, buf_.x, buf_.run))
			return false;
		const std::uint32_t kind = s_.p.kind;
		if (c.position() == 0 && (s_.p.finds() || kind == ATOM_REDUCE_MAX || kind == ATOM_REDUCE_MIN))
			std::copy_n(buf_.x, across_ ? n : 1, state.acc);
		if (s_.p.finds())
			v_.better_integers[kind == ATOM_REDUCE_ARGMIN][s_.p.last_index][across_](
				state.acc, state.at, buf_.x, c.position(), n);
		else
			v_.fold_integers[kind][across_](state.acc, buf_.x, n);
		return true;
	}

	bool end(unsigned)
	{
		const tensor &t = s_.out.t;
		const std::int64_t *results = s_.p.finds() ? state.at : state.acc;
		for (std::size_t i = 0; i < rows_; ++i)
			store_integer(buf_.run.raw + i * t.element_bytes, t.dtype,
				      s_.p.kind == ATOM_REDUCE_MEAN ? results[i] / s_.space.length : results[i]);
		return out_.write(unit_.base, rows_, buf_.run.raw);
	}

private:
	const row_streams<reduce_plan> &s_;
	memory &mem_;
	const row_kernels &v_;
	bool across_;
	buffers &buf_;
	integer_run in_;
	window out_;
	row_unit unit_;
	std::size_t rows_ = 1;
};

} // namespace

void reduce_integers(const row_streams<reduce_plan> &s, memory &mem, scratch &work, std::uint64_t tile)
{
	reduce_work w(s, mem, work);
	if (w.open(tile))
		run_units(s.space, mem, tile, w);
}

} // namespace atom::engine::fast
