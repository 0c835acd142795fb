// SPDX-License-Identifier: MIT
// Stock ONNX Runtime, with the NPU's plug-in or without: all that the samples need of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "atom/device.hpp"
#include "atom_ort_ep.h"
#include "tensor.hpp"

namespace samples {

enum class processor {
	npu,
	cpu,
};

/** Nodes of a graph, and how many of them run on the NPU. */
struct coverage {
	std::size_t nodes = 0;
	std::size_t on_npu = 0;
	/** Told with the NPU only: all of them, and those of its nodes. */
	double multiplications = 0;
	double multiplications_on_npu = 0;
};

/** What networks did so far. */
struct activity {
	coverage operators;
	double seconds = 0; ///< in runs, on the host's clock

	activity &operator+=(const activity &other);
};

/** The runtime of a process. Networks must not outlive it. */
class runtime {
public:
	/**
	 * @param plugin  libatom_ort_ep.so; loaded for the NPU only
	 * @throws failure no_device if the NPU cannot be used, input without the plug-in
	 */
	runtime(processor where, const std::filesystem::path &plugin);

	/** What the networks run on, for a person. */
	[[nodiscard]] const std::string &where() const noexcept { return where_; }
	/** The NPU, or an empty one. */
	[[nodiscard]] const atom::device &npu() const noexcept { return npu_; }

private:
	friend class network;
	void use_plugin(const std::filesystem::path &plugin);
	[[nodiscard]] Ort::SessionOptions options();
	/** The plug-in's counters; zeros without it. */
	[[nodiscard]] atom_ort_ep_statistics statistics() const;

	atom::device npu_;
	std::string where_ = "CPU";
	Ort::Env env_;
	std::vector<Ort::ConstEpDevice> offered_; ///< of the plug-in; the first is used
	atom_ort_ep_get_statistics_t get_statistics_ = nullptr;
};

/** A trained network of one input and one output in f32. */
class network {
public:
	/** @throws failure (input) if the file is missing or no model that can be run */
	network(runtime &r, const std::filesystem::path &file);

	/** @throws failure (job) if the run fails */
	[[nodiscard]] tensor run(const tensor &input);

	/** Dimensions of the input; -1 where any will do. */
	[[nodiscard]] std::vector<std::int64_t> input_dims() const;
	[[nodiscard]] samples::activity activity() const;
	/** A note of the model's maker. */
	[[nodiscard]] std::optional<std::string> note(const std::string &key) const;

private:
	[[nodiscard]] coverage operators() const;

	std::string file_;
	double multiplications_ = 0;
	double multiplications_on_npu_ = 0;
	double seconds_ = 0;
	Ort::Session session_{nullptr};
	std::string input_;
	std::string output_;
};

} // namespace samples
