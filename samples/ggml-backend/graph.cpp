// SPDX-License-Identifier: MIT
#include "graph.hpp"

#include <algorithm>

#include "fusion.hpp"
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
	/** Whether @p s must wait for one of them; if so, they are forgotten. */
	bool must_wait(const step &s)
	{
		const range result = range_of(s.result());
		bool wait = meets(written_, result) || meets(read_, result);
		s.for_each_source(
			[&](const ggml_tensor *t) { wait = wait || meets(written_, range_of(t)); });
		if (wait) {
			written_.clear();
			read_.clear();
		}
		written_.push_back(result);
		s.for_each_source([&](const ggml_tensor *t) { read_.push_back(range_of(t)); });
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
void for_each_step(const ggml_cgraph *graph, F &&f)
{
	for (int i = 0; i < graph->n_nodes;) {
		const step s = step_at(graph, i);
		if (!is_nothing(s.first))
			f(s);
		i += s.nodes();
	}
}

/** What of @p node goes into a plan: the same bytes, the same commands. */
void append_node(const ggml_tensor *node, numbering &places, std::string &to)
{
	describe(node, to);
	append_place(node, places, to);
	for (const ggml_tensor *s : node->src)
		if (s != nullptr)
			append_place(s, places, to);
}

} // namespace

atom::command_buffer planner::build(const ggml_cgraph *graph, places &where)
{
	atom::command_builder builder(npu_.context());
	hazards pending;
	emitter e(builder, npu_.info(), where, npu_.values());
	std::uint32_t index = 0;
	for_each_step(graph, [&](const step &s) {
		if (pending.must_wait(s))
			builder.barrier();
		builder.tag(index++);
		if (!lower(e, s))
			throw atom::system_error(make_error_code(atom::errc::unsupported),
			                         std::string("operator ") + ggml_op_desc(s.first) +
			                                 " of " + ggml_get_name(s.first));
	});
	return index != 0 ? builder.finish() : atom::command_buffer();
}

job planner::prepare(const ggml_cgraph *graph)
{
	std::string key;
	numbering places;
	for_each_step(graph, [&](const step &s) {
		key += static_cast<char>(s.nodes());
		append_node(s.first, places, key);
		if (s.second != nullptr)
			append_node(s.second, places, key);
	});
	if (const auto found = by_key_.find(key); found != by_key_.end()) {
		plans_.splice(plans_.begin(), plans_, found->second);
		return {&plans_.front(), places.take()};
	}
	plans_.push_front({std::move(key), build(graph, places)});
	by_key_.emplace(plans_.front().key, plans_.begin());
	if (plans_.size() > plans_max) {
		by_key_.erase(plans_.back().key);
		plans_.pop_back();
	}
	return {&plans_.front(), places.take()};
}

} // namespace ggml_atom
