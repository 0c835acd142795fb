// SPDX-License-Identifier: MIT
#include "provider.hpp"

#include "atom_ort_ep.h"
#include "claims.hpp"
#include "compiled_form.hpp"
#include "part.hpp"
#include "statistics.hpp"
#include "stream.hpp"

namespace atom_ort {
namespace {

/** A part as ONNX Runtime calls it. */
class compute_info : public OrtNodeComputeInfo {
public:
	compute_info(npu &on, std::string name, atom_onnx::graph graph)
		: OrtNodeComputeInfo{}, part_(on, std::move(name), std::move(graph))
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

void provider::claim(const Ort::ConstGraph &graph, OrtEpGraphSupportInfo *support)
{
	if (claim_context_nodes(graph, support))
		return;
	const imported from = import_graph(graph);
	if (from.nodes.empty())
		return;
	const claims decided = decide(from);
	for (std::size_t i = 0; i < decided.left.size(); ++i) {
		const atom_onnx::node &n = from.graph.nodes[i];
		if (!decided.left[i].empty())
			say(ORT_LOGGING_LEVEL_VERBOSE, "left to the CPU: " + n.op_type + " '" +
			                                       n.name + "': " + decided.left[i]);
	}
	std::size_t claimed = 0;
	for (const node_group &group : decided.groups) {
		std::vector<const OrtNode *> nodes;
		for (const std::size_t i : group)
			nodes.push_back(from.nodes[i]);
		const OrtNodeFusionOptions options{ORT_API_VERSION, true};
		Ort::ThrowOnError(Ort::GetEpApi().EpGraphSupportInfo_AddNodesToFuse(
			support, nodes.data(), nodes.size(), &options));
		claimed += nodes.size();
	}
	count_graph({from.nodes.size(), claimed, decided.multiplications,
	             decided.multiplications_claimed});
	say(ORT_LOGGING_LEVEL_INFO, std::to_string(claimed) + " of " +
	                                    std::to_string(from.nodes.size()) +
	                                    " nodes run on the NPU, in " +
	                                    std::to_string(decided.groups.size()) + " parts");
}

void provider::compile(const Ort::ConstGraph &graph, const Ort::ConstNode &fused,
                       OrtNodeComputeInfo *&info, OrtNode **context_node)
{
	const std::vector<Ort::ConstNode> nodes = graph.GetNodes();
	const bool saved = nodes.size() == 1 && is_context_node(nodes.front());
	auto made = std::make_unique<compute_info>(
		npu_, fused.GetName(),
		saved ? read_context_node(graph, nodes.front())
			    : import_part(graph, fused).graph);
	made->of().prepare();
	if (context_.enabled && context_node != nullptr && !saved)
		*context_node = make_context_node(context_, graph, fused, made->of().graph());
	count_part();
	info = made.release();
}

} // namespace atom_ort
