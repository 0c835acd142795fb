// SPDX-License-Identifier: MIT
#include "claims.hpp"

#include <algorithm>

namespace atom_ort {
namespace {

using atom_onnx::node_finding;

// Sizes that are tried where the model leaves them open. Pictures want multiples of 32, and some networks one height.
constexpr std::int64_t sizes_to_assume[] = {64, 48, 32, 224};

struct surveyed {
	atom_onnx::graph graph;
	atom_onnx::findings found;
};

auto refusals(const atom_onnx::findings &f)
{
	return std::count_if(f.nodes.begin(), f.nodes.end(),
	                     [](const node_finding &n) { return n.refused.has_value(); });
}

/** With those sizes that let most nodes be lowered. */
surveyed survey_best(const imported &from)
{
	surveyed best;
	for (const std::int64_t size : sizes_to_assume) {
		atom_onnx::graph g = with_assumed_sizes(from, size);
		atom_onnx::findings f = atom_onnx::survey(g);
		if (best.found.nodes.empty() || refusals(f) < refusals(best.found))
			best = {std::move(g), std::move(f)};
		if (refusals(best.found) == 0)
			break;
	}
	return best;
}

template <class Is>
bool any(const node_group &group, const surveyed &s, Is is)
{
	return std::any_of(group.begin(), group.end(),
	                   [&](std::size_t i) { return is(s.found.nodes[i]); });
}

/** Why the nodes of a group cannot be one part, though each can be lowered; empty if they can. */
std::string objection(const node_group &group, const surveyed &s)
{
	if (!any(group, s, [](const node_finding &n) { return n.works; }))
		return "it is no work for a device";
	try {
		const extracted e = extract(s.graph, group, s.found);
		static_cast<void>(atom_onnx::lower(e.graph, e.known));
		return {};
	} catch (const atom_onnx::unsupported &e) {
		if (e.why() == atom_onnx::reason::unknown_value &&
		    any(group, s, [](const node_finding &n) { return n.asks; }))
			return {}; // a run tells
		return std::string("as a part of a group: ") + e.what();
	}
}

} // namespace

claims decide(const imported &from)
{
	const surveyed s = survey_best(from);
	claims result;
	std::vector<bool> wanted;
	for (const node_finding &n : s.found.nodes) {
		wanted.push_back(!n.refused);
		result.left.emplace_back(n.refused ? n.refused->what() : "");
	}
	for (node_group &group : partition(s.graph, wanted)) {
		const std::string why = objection(group, s);
		for (const std::size_t i : group) {
			result.left[i] = why;
			if (why.empty())
				result.multiplications_claimed +=
					multiplications(s.graph.nodes[i], s.found);
		}
		if (why.empty())
			result.groups.push_back(std::move(group));
	}
	for (const atom_onnx::node &n : s.graph.nodes)
		result.multiplications += multiplications(n, s.found);
	return result;
}

} // namespace atom_ort
