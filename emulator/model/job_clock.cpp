/* SPDX-License-Identifier: MIT */
#include "job_clock.h"

#include <algorithm>

namespace atom::model {

namespace {

double engine_limit(const resource_times &r)
{
	return std::max({r.matrix, r.vector, r.dram, r.shm_read, r.shm_write});
}

limit slowest(const resource_times &r)
{
	const double shm = std::max(r.shm_read, r.shm_write), pcie = std::max(r.pcie_in, r.pcie_out);
	const double most = std::max(engine_limit(r), pcie);
	return most == r.matrix ? limit::matrix :
	       most == r.vector ? limit::vector :
	       most == r.dram	? limit::dram :
	       most == shm	? limit::shm : limit::pcie;
}

} // namespace

void job_clock::launch(const timing &t)
{
	launch_ = t[parameter::launch];
}

double job_clock::group_engines() const
{
	return engine_limit(group_) + group_.overhead;
}

double job_clock::group_total() const
{
	return std::max({engine_limit(group_), group_.pcie_in, group_.pcie_out}) + group_.overhead;
}

command_time job_clock::add(const timing &t, const engine::cost &work, const footprint &bytes, double clock_share)
{
	command_time c;
	c.own = times_of(t, work, bytes, clock_share);
	const double before = group_total();
	c.start = launch_ + total_ + before;
	/* What was fetched ahead costs nothing now, the rest is fetched while the command runs. */
	const double there = std::min(c.own.dram_ahead, ahead_);
	ahead_ -= there;
	c.own.dram += c.own.dram_ahead - there;
	c.own.dram_ahead = there;

	group_.matrix += c.own.matrix;
	group_.vector += c.own.vector;
	group_.dram += c.own.dram;
	group_.shm_read += c.own.shm_read;
	group_.shm_write += c.own.shm_write;
	group_.pcie_in += c.own.pcie_in;
	group_.pcie_out += c.own.pcie_out;
	group_.overhead += c.own.overhead;
	c.length = group_total() - before;
	if (c.length > c.own.overhead + 1e-3) /* more than what rounding leaves */
		c.by = slowest(group_);
	return c;
}

void job_clock::fence(const timing &t)
{
	const double length = group_total();
	const double room = t[parameter::ahead_bytes] / t[parameter::dram_bandwidth] * 1e9;
	ahead_ = std::min(room, ahead_ + (length - group_.dram));
	total_ += length;
	engines_ += group_engines();
	group_ = {};
}

void written_bytes::add(std::uint64_t begin, std::uint64_t end)
{
	/* Everything that touches the new piece becomes one with it. */
	const auto first = std::lower_bound(pieces_.begin(), pieces_.end(), begin,
					    [](const piece &p, std::uint64_t b) { return p.end < b; });
	auto last = first;
	for (; last != pieces_.end() && last->begin <= end; ++last) {
		begin = std::min(begin, last->begin);
		end = std::max(end, last->end);
	}
	pieces_.insert(pieces_.erase(first, last), {begin, end});
	if (pieces_.size() <= pieces_max)
		return;
	std::size_t narrow = 1;
	for (std::size_t i = 2; i < pieces_.size(); ++i) {
		const auto gap = [&](std::size_t n) { return pieces_[n].begin - pieces_[n - 1].end; };
		if (gap(i) < gap(narrow))
			narrow = i;
	}
	pieces_[narrow - 1].end = pieces_[narrow].end;
	pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(narrow));
}

bool written_bytes::overlap(std::uint64_t begin, std::uint64_t end) const
{
	const auto it = std::lower_bound(pieces_.begin(), pieces_.end(), begin,
					 [](const piece &p, std::uint64_t b) { return p.end <= b; });
	return it != pieces_.end() && it->begin < end;
}

} // namespace atom::model
