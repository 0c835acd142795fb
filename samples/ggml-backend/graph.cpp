// SPDX-License-Identifier: MIT
#include "graph.hpp"

#include <algorithm>

#include "emitter.hpp"
#include "memory.hpp"
#include "signature.hpp"

namespace ggml_atom {
namespace {

// Some for prompts, one for each step of the context's growth.
constexpr std::size_t plans_max = 64;

/** Numbers the buffers of a graph in the order in which they are met. */
class numbering final : public places {
public:
	atom::location of(const ggml_tensor *t) override
	{
		return {atom::slot(slot_of(t)), offset_of(t)};
	}
	std::uint16_t slot_of(const ggml_tensor *t)
	{
		const atom::buffer_view &view = memory_of(t).buffer;
		const auto [found, is_new] = slots_.try_emplace(
			view.device_address(), static_cast<std::uint16_t>(views_.size() + 1));
		if (is_new)
			views_.push_back(view);
		return found->second;
	}
	std::vector<atom::buffer_view> take() { return std::move(views_); }

private:
	std::unordered_map<std::uint64_t, std::uint16_t> slots_;
	std::vector<atom::buffer_view> views_;
};

/** Bytes that commands since the last barrier use. */
class hazards {
public:
	/** Whether @p node must wait for one of them; if so, they are forgotten. */
	bool must_wait(const ggml_tensor *node)
	{
		bool wait = meets(written_, range_of(node)) || meets(read_, range_of(node));
		for (const ggml_tensor *s : node->src)
			wait = wait || (s != nullptr && meets(written_, range_of(s)));
		if (wait) {
			written_.clear();
			read_.clear();
		}
		written_.push_back(range_of(node));
		for (const ggml_tensor *s : node->src)
			if (s != nullptr)
				read_.push_back(range_of(s));
		return wait;
	}

private:
	struct range {
		std::uintptr_t first;
		std::uintptr_t end;
	};
	static range range_of(const ggml_tensor *t)
	{
		const auto first = reinterpret_cast<std::uintptr_t>(t->data);
		return {first, first + ggml_nbytes(t) + work_bytes(t)};
	}
	static bool meets(const std::vector<range> &all, const range &one)
	{
		return std::any_of(all.begin(), all.end(), [&one](const range &r) {
			return r.first < one.end && one.first < r.end;
		});
	}

	std::vector<range> written_;
	std::vector<range> read_;
};

void append_place(const ggml_tensor *t, numbering &places, std::string &to)
{
	const std::uint64_t place[] = {places.slot_of(t), offset_of(t)};
	to.append(reinterpret_cast<const char *>(place), sizeof(place));
}

template <class F>
void for_each_command(const ggml_cgraph *graph, F &&f)
{
	for (int i = 0; i < graph->n_nodes; ++i)
		if (!is_nothing(graph->nodes[i]))
			f(graph->nodes[i]);
}

} // namespace

atom::command_buffer planner::build(const ggml_cgraph *graph)
{
	atom::command_builder builder(npu_.context());
	numbering places;
	hazards pending;
	emitter e(builder, npu_.info(), places, npu_.values());
	std::uint32_t index = 0;
	for_each_command(graph, [&](const ggml_tensor *node) {
		if (pending.must_wait(node))
			builder.barrier();
		builder.tag(index++);
		if (!lower(e, node))
			throw atom::system_error(make_error_code(atom::errc::unsupported),
			                         std::string("operator ") + ggml_op_desc(node) +
			                                 " of " + ggml_get_name(node));
	});
	return index != 0 ? builder.finish() : atom::command_buffer();
}

job planner::prepare(const ggml_cgraph *graph)
{
	std::string key;
	numbering places;
	for_each_command(graph, [&](const ggml_tensor *node) {
		describe(node, key);
		append_place(node, places, key);
		for (const ggml_tensor *s : node->src)
			if (s != nullptr)
				append_place(s, places, key);
	});
	if (const auto found = by_key_.find(key); found != by_key_.end()) {
		plans_.splice(plans_.begin(), plans_, found->second);
		return {&plans_.front(), places.take()};
	}
	plans_.push_front({std::move(key), build(graph)});
	by_key_.emplace(plans_.front().key, plans_.begin());
	if (plans_.size() > plans_max) {
		by_key_.erase(plans_.back().key);
		plans_.pop_back();
	}
	return {&plans_.front(), places.take()};
}

} // namespace ggml_atom
