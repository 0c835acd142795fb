// SPDX-License-Identifier: MIT
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "constants.hpp"
#include "ggml.h"
#include "statistics.h"

namespace ggml_atom {

/**
 * One NPU with an address space for all that llama.cpp does on it, so that its buffers and its
 * backends work together. Lives as long as the process. Thread-safe.
 */
class npu {
public:
	/** @throws atom::system_error */
	explicit npu(const atom::device_node &node);

	/** "ATOM0" */
	[[nodiscard]] const std::string &name() const { return name_; }
	/** "ATOM NPU at 0000:01:00.0" */
	[[nodiscard]] const std::string &description() const { return description_; }
	[[nodiscard]] const atom::device &device() const { return device_; }
	[[nodiscard]] const atom::device_info &info() const { return device_.info(); }
	[[nodiscard]] const atom::context &context() const { return context_; }
	[[nodiscard]] constants &values() { return values_; }

	/** Whether the device can do @p node, wherever its tensors lie. */
	bool supports(const ggml_tensor *node);

	/** Counts a graph that is done, well or not. */
	void count(const atom::completion &graph);
	/** Counts a buffer that did not fit. */
	void count_refused(std::size_t bytes);
	[[nodiscard]] atom_statistics statistics();

private:
	bool try_lowering(const ggml_tensor *node);

	atom::device device_;
	atom::context context_;
	std::string name_;
	std::string description_;
	constants values_;
	std::mutex mutex_;
	std::unordered_map<std::string, bool> answers_; // by signature
	atom_statistics statistics_{};
};

} // namespace ggml_atom
