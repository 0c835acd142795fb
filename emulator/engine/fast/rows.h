/* SPDX-License-Identifier: MIT */
/**
 * @file rows.h
 * @brief Rows in vectors: along a row, or across many rows side by side.
 *
 * Rows lie in units: one row, or some that are neighbours in memory. A unit is
 * gone over in passes, in chunks of a run each. A unit of few elements is loaded
 * once; a long one again for each pass, and it can be interrupted at any chunk.
 */
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "fast/stream.h"
#include "rows_plan.h"

namespace atom::engine::fast {

/** Most rows of a unit. */
inline constexpr std::size_t unit_rows = 512;
/** Elements of a unit that is loaded once. */
inline constexpr std::int64_t cached_elements = 1 << 15;

/** Rows that are worked on together. */
struct row_unit {
	index5 base{};          ///< of the first row's first element
	std::int64_t rows = 1;
};

/** The rows of a command: dimensions kept, dimensions reduced, and, across, the kept one that runs lie along. */
struct row_space {
	index5 dims = {1, 1, 1, 1, 1};
	unsigned reduced = 0; ///< bit n: dimension n is
	bool across = false;
	std::int64_t length = 1; ///< of a row
	std::int64_t rows = 1;   ///< of a whole unit
	std::uint64_t units = 1;
	std::uint64_t units_per_tile = 1;

	std::uint64_t tiles() const { return (units + units_per_tile - 1) / units_per_tile; }
	bool cached() const { return length <= cached_elements / rows; }
	row_unit unit(std::uint64_t n) const;
	/** Elements, in row-major order of dims, that bound the tile's. */
	std::uint64_t first_element(std::uint64_t tile) const;
	std::uint64_t last_element(std::uint64_t tile) const;
};

/**
 * Rearranges all streams, which have the dims @p dims; those that have no reduced
 * dimensions have strides of 0 there. The first stream says what lies side by side in memory.
 * @param along runs must lie along rows
 */
row_space arrange(const index5 &dims, unsigned reduced, std::initializer_list<stream *> streams, bool along = false);

/** The stream of a tensor that has one element a row. */
stream row_stream(const tensor &t, unsigned reduced);

/** A plan with its operands as streams over the space; what a command does not have is absent. */
template <class Plan> struct row_streams {
	Plan p;
	row_space space;
	stream in, out;
	stream mask, heads, queries; ///< SOFTMAX; the latter two count
	stream gamma, beta, mean, inverse; ///< NORM
};

row_streams<softmax_plan> prepare(const softmax_plan &p);
row_streams<norm_plan> prepare(const norm_plan &p);
row_streams<reduce_plan> prepare(const reduce_plan &p);
void softmax(const row_streams<softmax_plan> &s, memory &mem, scratch &work, std::uint64_t tile);
void norm(const row_streams<norm_plan> &s, memory &mem, scratch &work, std::uint64_t tile);
void reduce(const row_streams<reduce_plan> &s, memory &mem, scratch &work, std::uint64_t tile);
/** Of integers without quantisation. */
void reduce_integers(const row_streams<reduce_plan> &s, memory &mem, scratch &work, std::uint64_t tile);

/** A unit's elements from position @p from on, chunk by chunk. */
class chunk_walk {
public:
	chunk_walk(const row_space &s, const row_unit &u, std::int64_t from);
	bool next();
	const index5 &index() const { return at_; }
	std::size_t count() const { return count_; }
	/** Elements of the row, or of each of the rows, before the chunk. */
	std::int64_t position() const { return position_; }
	/** Elements of the unit before the chunk. */
	std::int64_t place() const { return space_.across ? position_ * unit_.rows : position_; }

private:
	const row_space &space_;
	const row_unit &unit_;
	index5 inside_;
	index5 next_;
	index5 at_{};
	std::int64_t position_ = 0;
	std::int64_t next_position_;
	std::size_t count_ = 0;
};

/**
 * Runs a tile. Work has `passes`, a trivially copyable `state` that is all it keeps of a unit, and
 * bool begin(const row_unit &, bool anew), bool chunk(unsigned pass, const chunk_walk &), bool end(unsigned pass).
 */
template <class Work> void run_units(const row_space &s, memory &mem, std::uint64_t tile, Work &w)
{
	using state = decltype(w.state);
	struct place {
		std::uint64_t unit;
		std::int64_t position;
		unsigned pass;
	};
	static_assert(std::is_trivially_copyable_v<state>);
	constexpr unsigned chunks_to_ask = 8;

	place at = {tile * s.units_per_tile, 0, 0};
	const std::uint64_t last = std::min(at.unit + s.units_per_tile, s.units);
	tile_progress &kept = mem.progress();
	bool anew = !kept.k;
	if (!anew) {
		std::memcpy(&at, kept.sums.data(), sizeof at);
		std::memcpy(&w.state, kept.sums.data() + sizeof at, sizeof w.state);
	}
	unsigned asked = 0;
	for (; at.unit < last; ++at.unit, at.pass = 0) {
		const row_unit u = s.unit(at.unit);
		if (!w.begin(u, anew))
			return;
		anew = true;
		for (; at.pass < w.passes; ++at.pass, at.position = 0) {
			for (chunk_walk c(s, u, at.position); c.next();) {
				/* What is cached is lost. */
				const bool may_stop = !s.cached() || (at.pass == 0 && c.position() == 0);
				if (++asked > chunks_to_ask && may_stop) {
					asked = 0;
					if (mem.interrupted()) {
						at.position = c.position();
						kept.k = 1;
						kept.sums.resize(sizeof at + sizeof w.state);
						std::memcpy(kept.sums.data(), &at, sizeof at);
						std::memcpy(kept.sums.data() + sizeof at, &w.state, sizeof w.state);
						return;
					}
				}
				if (!w.chunk(at.pass, c))
					return;
			}
			if (!w.end(at.pass))
				return;
		}
	}
}

} // namespace atom::engine::fast
