// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <mutex>
#include <set>
#include <unordered_map>

#include "api.hpp"
#include "atom_onnx/lower.hpp"
#include "stream.hpp"

namespace atom_ort {

/**
 * A subgraph that runs as one job. It is lowered for each shape of its inputs that comes; what was built is kept. Several
 * runs may be under way at once. Thread-safe.
 */
class part {
public:
	/** @param graph  its inputs without dimensions, where these change from run to run */
	part(npu &on, std::string name, atom_onnx::graph graph);

	[[nodiscard]] const atom_onnx::graph &graph() const { return *graph_; }

	/** Builds the program if its inputs have but one shape, so that what is wrong is told early. */
	void prepare();

	/**
	 * Submits it to the stream of @p context; without one, it is done on return.
	 * @throws atom::system_error, atom_onnx::unsupported, Ort::Exception
	 */
	void run(const Ort::KernelContext &context);

private:
	struct input {
		atom_onnx::shape dims;
		std::size_t bytes;
		place at;
	};
	using program_ptr = std::shared_ptr<const atom_onnx::program>;
	struct entry {
		std::string key;
		program_ptr program;
	};

	std::vector<input> inputs_of(const Ort::KernelContext &context,
	                             const std::shared_ptr<opened> &device);
	program_ptr program_for(const std::vector<input> &inputs, opened &device);
	program_ptr build(const std::vector<input> &inputs, const std::set<std::size_t> &known,
	                  opened &device) const;
	std::string key_of(const std::vector<input> &inputs, const std::set<std::size_t> &known,
	                   const opened &device) const;
	void submit(const Ort::KernelContext &context, const std::vector<input> &inputs, stream &on);
	[[nodiscard]] std::string where(const std::vector<input> &inputs) const;

	[[nodiscard]] explainer explain(const program_ptr &program) const;
	[[nodiscard]] const atom_onnx::value &output(std::size_t index) const
	{
		return graph_->values[static_cast<std::size_t>(graph_->outputs[index])];
	}
	[[nodiscard]] const atom_onnx::value &input_value(std::size_t index) const
	{
		return graph_->values[static_cast<std::size_t>(graph_->inputs[index])];
	}

	npu &npu_;
	std::string name_;
	std::shared_ptr<const atom_onnx::graph> graph_;
	std::mutex mutex_;
	std::set<std::size_t> known_; ///< inputs whose elements a program is made for
	std::list<entry> programs_;   ///< the one used last comes first
	std::vector<std::unique_ptr<stream>> idle_; ///< for runs without one
};

} // namespace atom_ort
