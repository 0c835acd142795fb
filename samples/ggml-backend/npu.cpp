// SPDX-License-Identifier: MIT
#include "npu.hpp"

#include <map>

#include "emitter.hpp"
#include "signature.hpp"

namespace ggml_atom {
namespace {

// A program asks about some thousand different nodes; whoever asks about more is not to fill the
// memory.
constexpr std::size_t answers_max = 65536;

/** Each tensor, or what it is a view of, in a slot of its own: a question needs no memory. */
class anywhere final : public places {
public:
	atom::location of(const ggml_tensor *t) override
	{
		const ggml_tensor *root = t->view_src != nullptr ? t->view_src : t;
		const auto number = static_cast<std::uint16_t>(slots_.size() + 1);
		return {atom::slot(slots_.emplace(root, number).first->second), t->view_offs};
	}

private:
	std::map<const ggml_tensor *, std::uint16_t> slots_;
};

} // namespace

npu::npu(const atom::device_node &node)
	: device_(atom::device::open(node.path)), context_(device_),
	  name_("ATOM" + std::to_string(node.index)),
	  description_("ATOM NPU at " + (node.bdf.empty() ? node.path : node.bdf)),
	  values_(context_)
{
}

bool npu::try_lowering(const ggml_tensor *node)
{
	try {
		anywhere places;
		atom::command_builder builder(context_);
		emitter e(builder, info(), places, values_);
		return lower(e, node);
	} catch (const atom::system_error &) {
		return false; // what() says why; ggml has no ear for it
	}
}

bool npu::supports(const ggml_tensor *node)
{
	std::string key;
	describe(node, key);
	const std::lock_guard lock(mutex_);
	if (const auto found = answers_.find(key); found != answers_.end())
		return found->second;
	if (answers_.size() == answers_max)
		answers_.clear();
	const bool answer = try_lowering(node);
	answers_.emplace(std::move(key), answer);
	return answer;
}

void npu::count(const atom::completion &graph)
{
	const std::lock_guard lock(mutex_);
	++statistics_.graphs;
	if (graph.error)
		++statistics_.failed;
	if (graph.has_times) {
		statistics_.busy_ns += graph.end_ns - graph.start_ns;
		statistics_.modelled_ns += graph.modelled_ns;
	}
}

void npu::count_refused(std::size_t bytes)
{
	const std::lock_guard lock(mutex_);
	statistics_.refused_bytes = bytes;
}

atom_statistics npu::statistics()
{
	std::error_code error; // a device that is lost has used none
	const std::uint64_t energy = device_.read_telemetry(error).energy_microjoules;
	const std::lock_guard lock(mutex_);
	atom_statistics result = statistics_;
	result.energy_uj = energy;
	return result;
}

} // namespace ggml_atom
