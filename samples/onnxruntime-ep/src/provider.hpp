// SPDX-License-Identifier: MIT
#pragma once

#include "api.hpp"
#include "context_node.hpp"
#include "npu.hpp"

namespace atom_ort {

/** The provider of one session: says which nodes the NPU takes, and makes them into parts. */
class provider : public OrtEp {
public:
	provider(npu &on, context_options context, Ort::Logger log);

private:
	static provider &self(OrtEp *p) { return *static_cast<provider *>(p); }
	void claim(const Ort::ConstGraph &graph, OrtEpGraphSupportInfo *support);
	bool claim_context_nodes(const Ort::ConstGraph &graph, OrtEpGraphSupportInfo *support);
	void compile(const Ort::ConstGraph &graph, const Ort::ConstNode &fused,
	             OrtNodeComputeInfo *&info, OrtNode **context_node);
	void say(OrtLoggingLevel level, const std::string &text) const;

	npu &npu_;
	context_options context_;
	Ort::Logger log_;
};

} // namespace atom_ort
