/* SPDX-License-Identifier: MIT */
/**
 * @file box.h
 * @brief A space of elements cut into boxes, one a tile.
 */
#pragma once

#include "plan.h"

namespace atom::engine {

/** Elements `first` to `first` + `dims` of a space. */
struct box {
	index5 first{};
	index5 dims{};
};

class boxes {
public:
	/**
	 * Boxes of @p most elements if that can be had: the dimensions in @p whole are
	 * not cut, and the last one to no less than @p run.
	 */
	boxes(const index5 &dims, const std::array<bool, ATOM_RANK_MAX> &whole, std::uint64_t most, std::int64_t run);

	std::uint64_t count() const { return elements(parts_); }
	box at(std::uint64_t n) const;

private:
	index5 dims_;
	index5 size_;
	index5 parts_{};
};

/** A box in row-major order, in runs along the last dimension. */
class box_walk {
public:
	/** Starts at run @p from. */
	box_walk(const box &b, std::int64_t longest_run, std::int64_t from = 0);
	/** False at the end. */
	bool next();
	/** Of the run's first element. */
	const index5 &index() const { return at_; }
	std::size_t count() const { return count_; }
	/** Runs before this one. */
	std::int64_t ordinal() const { return ordinal_; }

private:
	const box &box_;
	std::int64_t longest_;
	index5 outer_; ///< the box's dims, the last one in runs
	index5 step_;
	index5 at_{};
	std::size_t count_ = 0;
	std::int64_t ordinal_;
	bool done_ = false;
};

} // namespace atom::engine
