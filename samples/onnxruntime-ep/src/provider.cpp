// SPDX-License-Identifier: MIT
#include "provider.hpp"

#include <algorithm>

#include "atom_onnx/lower.hpp"
#include "atom_ort_ep.h"
#include "compiled_form.hpp"
#include "part.hpp"
#include "statistics.hpp"
#include "stream.hpp"

namespace atom_ort {
namespace {

// Sizes that are tried where the model leaves them open. Pictures want multiples of 32, and some networks one height.
constexpr std::int64_t sizes_to_assume[] = {64, 48, 32, 224};

/** A part as ONNX Runtime calls it. */
class compute_info : public OrtNodeComputeInfo {
public:
	compute_info(npu &on, atom_onnx::graph graph)
		: OrtNodeComputeInfo{}, part_(on, std::move(graph))
	{
		ort_version_supported = ORT_API_VERSION;
		CreateState = [](OrtNodeComputeInfo *i, OrtNodeComputeContext * /*context*/,
		                 void **state) noexcept -> OrtStatus * {
			*state = i;
			return nullptr;
		};
		Compute = [](OrtNodeComputeInfo *i, void * /*state*/,
		             OrtKernelContext *context) noexcept {
			return guarded([&] {
				static_cast<compute_info *>(i)->part_.run(
					Ort::KernelContext(context));
			});
		};
		ReleaseState = [](OrtNodeComputeInfo * /*info*/, void * /*state*/) noexcept {};
	}

	[[nodiscard]] part &of() { return part_; }

private:
	part part_;
};

std::size_t refusals(const atom_onnx::findings &f)
{
	return static_cast<std::size_t>(
		std::count_if(f.nodes.begin(), f.nodes.end(),
	                      [](const atom_onnx::node_finding &n) { return n.refused; }));
}

} // namespace

provider::provider(npu &on, context_options context, Ort::Logger log)
	: OrtEp{}, npu_(on), context_(std::move(context)), log_(std::move(log))
{
	ort_version_supported = ORT_API_VERSION;
	GetName = [](const OrtEp * /*ep*/) noexcept -> const char * { return ATOM_ORT_EP_NAME; };
	OrtEp::GetCapability = [](OrtEp *p, const OrtGraph *graph,
	                          OrtEpGraphSupportInfo *support) noexcept {
		return guarded([&] { self(p).claim(Ort::ConstGraph(graph), support); });
	};
	OrtEp::Compile = [](OrtEp *p, const OrtGraph **graphs, const OrtNode **fused,
	                    std::size_t count, OrtNodeComputeInfo **infos,
	                    OrtNode **context_nodes) noexcept {
		return guarded([&] {
			for (std::size_t i = 0; i < count; ++i)
				self(p).compile(Ort::ConstGraph(graphs[i]), Ort::ConstNode(fused[i]),
				                infos[i],
				                context_nodes != nullptr ? &context_nodes[i]
				                                         : nullptr);
		});
	};
	ReleaseNodeComputeInfos = [](OrtEp * /*ep*/, OrtNodeComputeInfo **infos,
	                             std::size_t count) noexcept {
		for (std::size_t i = 0; i < count; ++i)
			delete static_cast<compute_info *>(infos[i]);
	};
	CreateSyncStreamForDevice = [](OrtEp *p, const OrtMemoryDevice * /*memory*/,
	                               OrtSyncStreamImpl **made) noexcept {
		return guarded([&] { *made = new sync_stream(self(p).npu_.open()); });
	};
	GetCompiledModelCompatibilityInfo = [](OrtEp * /*ep*/,
	                                       const OrtGraph * /*graph*/) noexcept {
		static const std::string version = std::to_string(compiled_form_version);
		return version.c_str();
	};
}

void provider::say(OrtLoggingLevel level, const std::string &text) const
{
	static_cast<void>(log_.LogMessage(level, ORT_FILE, __LINE__, "atom", text.c_str()));
}

void provider::leave(const imported &from, std::size_t node, const std::string &why) const
{
	const atom_onnx::node &n = from.graph.nodes[node];
	say(ORT_LOGGING_LEVEL_VERBOSE,
	    "left to the CPU: " + n.op_type + " '" + n.name + "': " + why);
}

bool provider::claim_context_nodes(const Ort::ConstGraph &graph, OrtEpGraphSupportInfo *support)
{
	bool found = false;
	for (const Ort::ConstNode &n : graph.GetNodes()) {
		if (!is_context_node(n))
			continue;
		const OrtNode *node = n;
		const OrtNodeFusionOptions options{ORT_API_VERSION, true};
		Ort::ThrowOnError(Ort::GetEpApi().EpGraphSupportInfo_AddNodesToFuse(
			support, &node, 1, &options));
		found = true;
	}
	return found;
}

std::vector<node_group> provider::groups_of(const imported &from)
{
	atom_onnx::graph best_graph;
	atom_onnx::findings best;
	for (const std::int64_t size : sizes_to_assume) {
		atom_onnx::graph g = with_assumed_sizes(from, size);
		atom_onnx::findings f = atom_onnx::survey(g);
		if (best.nodes.empty() || refusals(f) < refusals(best)) {
			best_graph = std::move(g);
			best = std::move(f);
		}
		if (refusals(best) == 0)
			break;
	}
	std::vector<bool> wanted;
	for (std::size_t i = 0; i < best.nodes.size(); ++i) {
		wanted.push_back(!best.nodes[i].refused);
		if (!wanted.back())
			leave(from, i, best.nodes[i].refused->what());
	}
	std::vector<node_group> groups;
	for (node_group &group : partition(best_graph, wanted)) {
		const bool works = std::any_of(group.begin(), group.end(), [&](std::size_t i) {
			return best.nodes[i].works;
		});
		std::string why = "it is no work for a device";
		if (works) {
			try {
				const extracted e = extract(best_graph, group, best);
				static_cast<void>(atom_onnx::lower(e.graph, e.known));
				groups.push_back(std::move(group));
				continue;
			} catch (const atom_onnx::unsupported &e) {
				why = std::string("as a part of a group: ") + e.what();
			}
		}
		for (const std::size_t i : group)
			leave(from, i, why);
	}
	return groups;
}

void provider::claim(const Ort::ConstGraph &graph, OrtEpGraphSupportInfo *support)
{
	if (claim_context_nodes(graph, support))
		return;
	const imported from = import_graph(graph);
	if (from.nodes.empty())
		return;
	std::size_t claimed = 0;
	const std::vector<node_group> groups = groups_of(from);
	for (const node_group &group : groups) {
		std::vector<const OrtNode *> nodes;
		for (const std::size_t i : group)
			nodes.push_back(from.nodes[i]);
		const OrtNodeFusionOptions options{ORT_API_VERSION, true};
		Ort::ThrowOnError(Ort::GetEpApi().EpGraphSupportInfo_AddNodesToFuse(
			support, nodes.data(), nodes.size(), &options));
		claimed += nodes.size();
	}
	count_graph(from.nodes.size(), claimed);
	say(ORT_LOGGING_LEVEL_INFO, std::to_string(claimed) + " of " +
	                                    std::to_string(from.nodes.size()) +
	                                    " nodes run on the NPU, in " +
	                                    std::to_string(groups.size()) + " parts");
}

void provider::compile(const Ort::ConstGraph &graph, const Ort::ConstNode &fused,
                       OrtNodeComputeInfo *&info, OrtNode **context_node)
{
	const std::vector<Ort::ConstNode> nodes = graph.GetNodes();
	const bool saved = nodes.size() == 1 && is_context_node(nodes.front());
	auto made = std::make_unique<compute_info>(
		npu_, saved ? read_context_node(graph, nodes.front())
			    : import_part(graph, fused).graph);
	made->of().prepare();
	if (context_.enabled && context_node != nullptr && !saved)
		*context_node = make_context_node(context_, graph, fused, made->of().graph());
	count_part();
	info = made.release();
}

} // namespace atom_ort
