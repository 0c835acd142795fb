/* SPDX-License-Identifier: MIT */
#include "fast/rows.h"

#include <array>
#include <cstdlib>

#include "fast/fast.h"

namespace atom::engine::fast {

namespace {

/* Rows this short cost more by themselves than what a gather of their elements costs. */
constexpr std::int64_t short_row = 32;
constexpr std::int64_t few_rows = 8;
/* Some tiles at least, if that leaves runs of a good length. */
constexpr std::int64_t least_rows = 128, least_units = 8;

/* One dimension of the space to come, with its strides in all streams. */
struct dimension {
	std::int64_t count = 1;
	std::size_t of = 0; ///< place in the streams' own order

	std::int64_t step(const stream &s) const { return s.t.strides[of]; }
	std::int64_t channel(const stream &s) const { return s.channels[of]; }
};

/* Far steps first; what stands still is last of all to be walked along. */
bool farther(const dimension &a, const dimension &b, const stream &lead)
{
	const auto distance = [&](const dimension &d) {
		return d.step(lead) == 0 ? INT64_MAX : std::abs(d.step(lead));
	};
	return distance(a) > distance(b);
}

struct dimension_list {
	std::array<dimension, ATOM_RANK_MAX> d;
	std::size_t n = 0;

	std::int64_t product() const
	{
		std::int64_t all = 1;
		for (std::size_t i = 0; i < n; ++i)
			all *= d[i].count;
		return all;
	}
};

/* The dimensions of one kind, ordered by the first stream's steps and joined where all streams allow it. */
dimension_list collect(const index5 &dims, unsigned kind, std::initializer_list<stream *> streams)
{
	dimension_list all;
	const stream &lead = **streams.begin();
	for (std::size_t i = 0; i < dims.size(); ++i)
		if ((kind >> i & 1) && dims[i] > 1)
			all.d[all.n++] = {dims[i], i};
	std::stable_sort(all.d.begin(), all.d.begin() + static_cast<std::ptrdiff_t>(all.n),
			 [&](const dimension &a, const dimension &b) { return farther(a, b, lead); });
	dimension_list joined;
	for (std::size_t i = 0; i < all.n; ++i) {
		const dimension &inner = all.d[i];
		const bool join = joined.n && std::all_of(streams.begin(), streams.end(), [&](const stream *s) {
			const dimension &outer = joined.d[joined.n - 1];
			return !s->t || (outer.step(*s) == inner.step(*s) * inner.count &&
					 outer.channel(*s) == inner.channel(*s) * inner.count);
		});
		if (join)
			joined.d[joined.n - 1] = {joined.d[joined.n - 1].count * inner.count, inner.of};
		else
			joined.d[joined.n++] = inner;
	}
	return joined;
}

void size_units(row_space &s)
{
	if (s.across) {
		const std::int64_t inner = s.dims.back();
		const auto others = static_cast<std::int64_t>(elements(rows_of(s.dims, s.reduced))) / inner;
		s.rows = std::min(inner, static_cast<std::int64_t>(unit_rows));
		while (s.rows > least_rows && others * ((inner + s.rows - 1) / s.rows) < least_units)
			s.rows /= 2;
		s.units = static_cast<std::uint64_t>(others * ((inner + s.rows - 1) / s.rows));
	} else {
		s.units = elements(rows_of(s.dims, s.reduced));
	}
	const auto fit = static_cast<std::int64_t>(elements_per_tile) / s.rows / s.length;
	s.units_per_tile = static_cast<std::uint64_t>(std::max(fit, std::int64_t{1}));
}

} // namespace

stream row_stream(const tensor &t, unsigned reduced)
{
	stream s = make_stream(t);
	for (std::size_t i = 0; i < s.t.strides.size(); ++i)
		if (is_reduced(reduced, i))
			s.t.strides[i] = s.channels[i] = 0;
	return s;
}

row_space arrange(const index5 &dims, unsigned reduced, std::initializer_list<stream *> streams, bool along)
{
	constexpr unsigned all = (1u << ATOM_RANK_MAX) - 1;
	const dimension_list kept = collect(dims, ~reduced & all, streams), inside = collect(dims, reduced, streams);
	row_space s;
	s.length = inside.product();
	if (!along && kept.n && kept.d[kept.n - 1].count >= few_rows)
		s.across = s.length < short_row ||
			   farther(inside.d[inside.n - 1], kept.d[kept.n - 1], **streams.begin());

	std::array<dimension, ATOM_RANK_MAX> order;
	std::size_t n = 0;
	for (std::size_t i = 0; i + (s.across ? 1 : 0) < kept.n; ++i)
		order[n++] = kept.d[i];
	const std::size_t first_inside = n;
	for (std::size_t i = 0; i < inside.n; ++i)
		order[n++] = inside.d[i];
	const std::size_t last_inside = n;
	if (s.across)
		order[n++] = kept.d[kept.n - 1];

	const std::size_t pad = ATOM_RANK_MAX - n;
	for (std::size_t i = 0; i < n; ++i)
		s.dims[pad + i] = order[i].count;
	for (std::size_t i = first_inside; i < last_inside; ++i)
		s.reduced |= 1u << (pad + i);
	for (stream *x : streams) {
		index5 strides{}, channels{};
		for (std::size_t i = 0; i < n; ++i) {
			strides[pad + i] = order[i].step(*x);
			channels[pad + i] = order[i].channel(*x);
		}
		x->t.strides = strides;
		x->t.dims = s.dims;
		x->channels = channels;
	}
	size_units(s);
	return s;
}

row_unit row_space::unit(std::uint64_t n) const
{
	row_unit u;
	index5 others = rows_of(dims, reduced);
	if (!across) {
		u.base = index_at(n, others);
		return u;
	}
	const auto inner = static_cast<std::uint64_t>(dims.back()), each = static_cast<std::uint64_t>(rows);
	const std::uint64_t parts = (inner + each - 1) / each;
	others.back() = 1;
	u.base = index_at(n / parts, others);
	const std::uint64_t from = n % parts * each;
	u.base.back() = static_cast<std::int64_t>(from);
	u.rows = static_cast<std::int64_t>(std::min(each, inner - from));
	return u;
}

std::uint64_t row_space::first_element(std::uint64_t tile) const
{
	return linear(unit(tile * units_per_tile).base, dims);
}

std::uint64_t row_space::last_element(std::uint64_t tile) const
{
	const row_unit u = unit(std::min((tile + 1) * units_per_tile, units) - 1);
	index5 last = u.base;
	for (std::size_t i = 0; i < dims.size(); ++i)
		if (is_reduced(reduced, i))
			last[i] = dims[i] - 1;
	last.back() += across ? u.rows - 1 : 0;
	return linear(last, dims) + 1;
}

chunk_walk::chunk_walk(const row_space &s, const row_unit &u, std::int64_t from)
	: space_(s), unit_(u), inside_(within_rows(s.dims, s.reduced)),
	  next_(index_at(static_cast<std::uint64_t>(from), inside_)), next_position_(from)
{
	for (std::size_t i = 0; i < next_.size(); ++i)
		next_[i] += u.base[i];
}

bool chunk_walk::next()
{
	if (next_position_ == space_.length)
		return false;
	at_ = next_;
	position_ = next_position_;
	std::int64_t step = 1;
	/* A row of one element may have no dimension. */
	if (!space_.across && is_reduced(space_.reduced, next_.size() - 1))
		step = std::min(inside_.back() - next_.back(), static_cast<std::int64_t>(run_elements));
	count_ = static_cast<std::size_t>(space_.across ? unit_.rows : step);
	next_position_ += step;
	/* Carries among the reduced dimensions only: those that make rows stay where they are. */
	for (std::size_t i = next_.size(); i-- > 0;) {
		if (!is_reduced(space_.reduced, i))
			continue;
		next_[i] += step;
		if (next_[i] < inside_[i])
			break;
		next_[i] = 0;
		step = 1;
	}
	return true;
}

} // namespace atom::engine::fast
