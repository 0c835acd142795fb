/* SPDX-License-Identifier: MIT */
/**
 * @file rows.h
 * @brief What the commands over rows mean: rows [first, last) of the input in row-major order.
 */
#pragma once

#include <cstring>
#include <type_traits>

#include "engine.h"
#include "rows_plan.h"

namespace atom::engine::reference {

void softmax(const softmax_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void norm(const norm_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void reduce(const reduce_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
/** Elements [first, last). */
void lrn(const lrn_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);

/**
 * Goes over the elements of each row some times, outer dimensions first. A row can take hours: the walk
 * ends early when the memory says so, and then goes on with its state where it was.
 */
template <class State> class row_passes {
	static_assert(std::is_trivially_copyable_v<State>);

public:
	row_passes(memory &mem, const index5 &dims, unsigned reduced, unsigned passes, std::uint64_t first,
		   std::uint64_t last)
		: mem_(mem), rows_(rows_of(dims, reduced)), inside_(within_rows(dims, reduced)), passes_(passes),
		  length_(elements(inside_)), step_(0), end_((last - first) * passes * length_)
	{
		const tile_progress &kept = mem.progress();
		if (kept.k) {
			std::memcpy(&state, kept.sums.data(), sizeof state);
			step_ = static_cast<std::uint64_t>(kept.k);
		}
		began_ = step_;
		row_ = index_at(first + step_ / (passes * length_), rows_);
		pass_ = static_cast<unsigned>(step_ / length_ % passes);
		at_ = index_at(step_ % length_, inside_);
	}

	/** To the next element; false at the end, or for now. */
	bool next()
	{
		if (started_)
			advance();
		started_ = true;
		if (step_ == end_)
			return false;
		if (step_ != began_ && step_ % steps_to_ask == 0 && mem_.interrupted()) {
			tile_progress &kept = mem_.progress();
			kept.k = static_cast<std::int64_t>(step_);
			kept.sums.assign(reinterpret_cast<const std::byte *>(&state),
					 reinterpret_cast<const std::byte *>(&state + 1));
			return false;
		}
		return true;
	}

	unsigned pass() const { return pass_; }
	bool row_begins() const { return pass_ == 0 && step_ % length_ == 0; }
	bool pass_ends() const { return (step_ + 1) % length_ == 0; }
	/** Elements of the row before this one. */
	std::int64_t position() const { return static_cast<std::int64_t>(step_ % length_); }
	/** Of the row's first element. */
	const index5 &row() const { return row_; }
	index5 index() const
	{
		index5 i = row_;
		for (std::size_t d = 0; d < i.size(); ++d)
			i[d] += at_[d];
		return i;
	}

	State state{};

private:
	static constexpr std::uint64_t steps_to_ask = 1024;

	void advance()
	{
		++step_;
		if (engine::next(at_, inside_))
			return;
		if (++pass_ == passes_) {
			pass_ = 0;
			engine::next(row_, rows_);
		}
	}

	memory &mem_;
	index5 rows_, inside_;
	unsigned passes_;
	std::uint64_t length_, step_, end_, began_ = 0;
	index5 row_{}, at_{};
	unsigned pass_ = 0;
	bool started_ = false;
};

} // namespace atom::engine::reference
