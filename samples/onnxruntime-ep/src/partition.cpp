// SPDX-License-Identifier: MIT
#include "partition.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace atom_ort {
namespace {

/** Nodes of a graph that are put together, step by step, as long as no cycle comes of it. */
class merger {
public:
	explicit merger(const atom_onnx::graph &g)
		: group_(g.nodes.size()), readers_(g.nodes.size()), edges_(edges_of(g))
	{
		std::iota(group_.begin(), group_.end(), std::size_t{0});
		for (const auto &[from, to] : edges_)
			readers_[from].insert(to);
	}

	void merge(const std::vector<bool> &wanted)
	{
		bool changed = true;
		while (changed) {
			changed = false;
			for (const auto &[from, to] : edges_)
				if (wanted[from] && wanted[to])
					changed = try_merge(group_[from], group_[to]) || changed;
		}
	}

	[[nodiscard]] std::size_t group_of(std::size_t node) const { return group_[node]; }

private:
	using edge = std::pair<std::size_t, std::size_t>;

	static std::vector<edge> edges_of(const atom_onnx::graph &g)
	{
		constexpr std::size_t nobody = SIZE_MAX;
		std::vector<std::size_t> producer(g.values.size(), nobody);
		std::vector<edge> all;
		for (std::size_t i = 0; i < g.nodes.size(); ++i) {
			for (const atom_onnx::value_id v : g.nodes[i].inputs)
				if (v >= 0 && producer[static_cast<std::size_t>(v)] != nobody)
					all.emplace_back(producer[static_cast<std::size_t>(v)], i);
			for (const atom_onnx::value_id v : g.nodes[i].outputs)
				if (v >= 0)
					producer[static_cast<std::size_t>(v)] = i;
		}
		return all;
	}

	// Good if the second cannot be reached from the first but directly.
	bool try_merge(std::size_t first, std::size_t second)
	{
		if (first == second || reaches_by_detour(first, second))
			return false;
		for (std::size_t &g : group_)
			if (g == second)
				g = first;
		readers_[first].merge(readers_[second]);
		readers_[second].clear();
		for (auto &r : readers_)
			if (r.erase(second) != 0)
				r.insert(first);
		readers_[first].erase(first);
		return true;
	}

	[[nodiscard]] bool reaches_by_detour(std::size_t from, std::size_t to) const
	{
		std::vector<bool> seen(readers_.size(), false);
		std::vector<std::size_t> open;
		for (const std::size_t next : readers_[from])
			if (next != to)
				open.push_back(next);
		while (!open.empty()) {
			const std::size_t at = open.back();
			open.pop_back();
			if (at == to)
				return true;
			if (seen[at])
				continue;
			seen[at] = true;
			open.insert(open.end(), readers_[at].begin(), readers_[at].end());
		}
		return false;
	}

	std::vector<std::size_t> group_;             // of each node: one that stands for the group
	std::vector<std::set<std::size_t>> readers_; // of each group
	std::vector<edge> edges_;
};

} // namespace

std::vector<node_group> partition(const atom_onnx::graph &g, const std::vector<bool> &wanted)
{
	merger m(g);
	m.merge(wanted);
	std::vector<node_group> by_group(g.nodes.size());
	for (std::size_t i = 0; i < g.nodes.size(); ++i)
		if (wanted[i])
			by_group[m.group_of(i)].push_back(i);
	std::vector<node_group> groups;
	for (node_group &group : by_group)
		if (!group.empty())
			groups.push_back(std::move(group));
	return groups;
}

extracted extract(const atom_onnx::graph &g, const node_group &group,
                  const atom_onnx::findings &found)
{
	extracted result;
	result.graph.values = g.values;
	std::set<atom_onnx::value_id> made;
	std::set<atom_onnx::value_id> read;
	for (const std::size_t i : group) {
		result.graph.nodes.push_back(g.nodes[i]);
		for (const atom_onnx::value_id v : g.nodes[i].inputs)
			if (v >= 0 && made.count(v) == 0 &&
			    !g.values[static_cast<std::size_t>(v)].constant)
				read.insert(v);
		made.insert(g.nodes[i].outputs.begin(), g.nodes[i].outputs.end());
	}
	for (const atom_onnx::value_id v : read) {
		const atom_onnx::value_finding &f = found.values[static_cast<std::size_t>(v)];
		atom_onnx::value &input = result.graph.values[static_cast<std::size_t>(v)];
		input.type = f.type;
		input.dims = f.dims;
		result.graph.inputs.push_back(v);
		if (f.host)
			result.known.known[v] = *f.host;
	}
	std::set<atom_onnx::value_id> wanted(g.outputs.begin(), g.outputs.end());
	for (std::size_t i = 0; i < g.nodes.size(); ++i)
		if (!std::binary_search(group.begin(), group.end(), i))
			wanted.insert(g.nodes[i].inputs.begin(), g.nodes[i].inputs.end());
	made.erase(atom_onnx::absent);
	for (const atom_onnx::value_id v : made)
		if (wanted.count(v) != 0)
			result.graph.outputs.push_back(v);
	return result;
}

} // namespace atom_ort
