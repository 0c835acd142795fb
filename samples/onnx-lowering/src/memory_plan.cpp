// SPDX-License-Identifier: MIT
#include "memory_plan.hpp"

#include <algorithm>
#include <limits>

namespace atom_onnx {
namespace {

constexpr std::int64_t alignment = 64;

std::int64_t aligned(std::int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

struct life {
	std::size_t first = std::numeric_limits<std::size_t>::max();
	std::size_t last = 0;
};

struct placed {
	std::int64_t begin;
	std::int64_t end;
	life lived;
};

std::vector<life> lives_of(std::size_t storages, const std::vector<command> &commands)
{
	std::vector<life> lives(storages);
	for (std::size_t i = 0; i < commands.size(); ++i)
		for (const access &a : commands[i].accesses) {
			life &l = lives[static_cast<std::size_t>(a.storage)];
			l.first = std::min(l.first, i);
			l.last = std::max(l.last, i);
		}
	return lives;
}

// The lowest place that is free for the whole life.
std::int64_t first_fit(const std::vector<placed> &taken, const life &lived, std::int64_t bytes)
{
	std::int64_t at = 0;
	for (const placed &p : taken) { // sorted by begin
		if (p.lived.last < lived.first || p.lived.first > lived.last)
			continue;
		if (p.begin - at >= bytes)
			break;
		at = std::max(at, p.end);
	}
	return at;
}

/** Bytes of one memory: a slot of the program, the scratch or the constants. */
struct touched {
	int memory;
	std::int64_t begin;
	std::int64_t end;
	bool write;
	int group;
};

class barriers {
public:
	barriers(const std::vector<storage> &storages, const std::vector<std::int64_t> &offsets)
		: storages_(storages), offsets_(offsets)
	{
	}

	bool needed_before(const command &c)
	{
		std::vector<touched> now;
		for (const access &a : c.accesses)
			now.push_back(resolve(a, c.group));
		const bool needed =
			open_.size() > open_max ||
			std::any_of(now.begin(), now.end(),
		                    [this](const touched &t) { return conflicts(t); });
		if (needed)
			open_.clear();
		open_.insert(open_.end(), now.begin(), now.end());
		return needed;
	}

private:
	// Bounds the work of looking for conflicts.
	static constexpr std::size_t open_max = 2048;

	touched resolve(const access &a, int group) const
	{
		const storage &s = storages_[static_cast<std::size_t>(a.storage)];
		// Arguments are memories of their own; scratch and constants are one each.
		const bool shared = s.of == storage::kind::scratch ||
		                    s.of == storage::kind::constant;
		const int memory = shared ? -1 - static_cast<int>(s.of) : a.storage;
		const std::int64_t base = offsets_[static_cast<std::size_t>(a.storage)];
		return {memory, base + a.range.begin, base + a.range.end, a.write, group};
	}

	bool conflicts(const touched &t) const
	{
		return std::any_of(open_.begin(), open_.end(), [&](const touched &before) {
			return (t.write || before.write) && t.memory == before.memory &&
			       t.begin < before.end && before.begin < t.end &&
			       (t.group == 0 || t.group != before.group);
		});
	}

	const std::vector<storage> &storages_;
	const std::vector<std::int64_t> &offsets_;
	std::vector<touched> open_; // since the last barrier
};

} // namespace

memory_plan plan_memory(const std::vector<storage> &storages, const std::vector<command> &commands)
{
	memory_plan plan;
	plan.offsets.resize(storages.size(), 0);
	const std::vector<life> lives = lives_of(storages.size(), commands);
	std::vector<std::size_t> order;
	for (std::size_t i = 0; i < storages.size(); ++i) {
		if (storages[i].of == storage::kind::constant && lives[i].last >= lives[i].first) {
			plan.offsets[i] = plan.constant_bytes;
			plan.constant_bytes += aligned(storages[i].bytes);
		}
		if (storages[i].of == storage::kind::scratch && lives[i].last >= lives[i].first)
			order.push_back(i);
	}
	// Large ones first: small ones then fill the gaps.
	std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
		return storages[a].bytes > storages[b].bytes;
	});
	std::vector<placed> taken;
	for (const std::size_t i : order) {
		const std::int64_t bytes = aligned(storages[i].bytes);
		const std::int64_t at = first_fit(taken, lives[i], bytes);
		plan.offsets[i] = at;
		plan.scratch_bytes = std::max(plan.scratch_bytes, at + bytes);
		const placed p{at, at + bytes, lives[i]};
		taken.insert(std::upper_bound(taken.begin(), taken.end(), p,
		                              [](const placed &a, const placed &b) {
						      return a.begin < b.begin;
					      }),
		             p);
	}
	barriers needed(storages, plan.offsets);
	for (const command &c : commands)
		plan.barrier_before.push_back(needed.needed_before(c));
	return plan;
}

} // namespace atom_onnx
