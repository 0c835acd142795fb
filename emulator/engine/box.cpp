/* SPDX-License-Identifier: MIT */
#include "box.h"

#include <algorithm>

#include "cut.h"

namespace atom::engine {

boxes::boxes(const index5 &dims, const std::array<bool, ATOM_RANK_MAX> &whole, std::uint64_t most, std::int64_t run)
	: dims_(dims), size_(dims)
{
	for (std::size_t d = 0; d < dims.size(); ++d) {
		if (whole[d] || elements(size_) <= most)
			continue;
		const std::int64_t least = d + 1 == dims.size() ? std::min(run, dims[d]) : 1;
		const std::uint64_t others = elements(size_) / static_cast<std::uint64_t>(size_[d]);
		size_[d] = std::clamp(static_cast<std::int64_t>(most / others), least, dims[d]);
		/* Runs of whole blocks stay so. */
		if (d + 1 == dims.size())
			size_[d] = std::min(parts(size_[d], run) * run, dims[d]);
	}
	for (std::size_t d = 0; d < dims.size(); ++d)
		parts_[d] = parts(dims[d], size_[d]);
}

box boxes::at(std::uint64_t n) const
{
	box b;
	b.first = index_at(n, parts_);
	for (std::size_t d = 0; d < dims_.size(); ++d) {
		b.first[d] *= size_[d];
		b.dims[d] = std::min(size_[d], dims_[d] - b.first[d]);
	}
	return b;
}

box_walk::box_walk(const box &b, std::int64_t longest_run, std::int64_t from)
	: box_(b), longest_(longest_run), outer_(b.dims), ordinal_(from - 1)
{
	outer_.back() = parts(outer_.back(), longest_);
	step_ = index_at(static_cast<std::uint64_t>(from), outer_);
	done_ = static_cast<std::uint64_t>(from) >= elements(outer_);
}

bool box_walk::next()
{
	if (done_)
		return false;
	++ordinal_;
	for (std::size_t d = 0; d < at_.size(); ++d)
		at_[d] = box_.first[d] + step_[d];
	const std::int64_t done = step_.back() * longest_;
	at_.back() = box_.first.back() + done;
	count_ = static_cast<std::size_t>(std::min(longest_, box_.dims.back() - done));
	done_ = !engine::next(step_, outer_);
	return true;
}

} // namespace atom::engine
