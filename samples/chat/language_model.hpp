// SPDX-License-Identifier: MIT
// Stock llama.cpp, with the NPU's backend or without: all that chat needs of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <llama-cpp.h>

#include "statistics.h"

namespace chat {

struct settings {
	std::filesystem::path model;  ///< a GGUF file
	std::filesystem::path plugin; ///< libggml-atom.so
	bool on_npu = true;
	unsigned context = 2048; ///< tokens that it remembers
	unsigned threads = 0;    ///< of the CPU; 0: as many as there are
	/** Attention as one operator; empty: if the device has it. */
	std::optional<bool> fused_attention;
	bool verbose = false; ///< let llama.cpp tell what it does
};

/** Operators of a graph and their multiplications, and what of them runs on the NPU. */
struct coverage {
	std::size_t operators = 0;
	std::size_t on_npu = 0;
	std::int64_t products = 0;
	std::int64_t products_on_npu = 0;
};

/** A model and a conversation with it. One in a process: llama.cpp's log is global. */
class language_model {
public:
	/**
	 * @throws samples::failure no_device, permission, input (no model there, or of no use),
	 * damaged (a file that is none), memory (what does not fit into the device)
	 */
	explicit language_model(const settings &s);

	/** What it runs on, for a person. */
	[[nodiscard]] const std::string &where() const noexcept { return where_; }

	/** @p question as the model expects it, up to where its answer begins. */
	[[nodiscard]] std::vector<llama_token> prompt(const std::string &question) const;
	/** Tokens that still fit. */
	[[nodiscard]] std::size_t room() const;

	/** Reads @p tokens after what it has read before. @throws samples::failure (job) */
	void read(std::span<const llama_token> tokens);
	/** Forgets what it has read. */
	void forget();
	/** How likely each token of the vocabulary is to follow. */
	[[nodiscard]] std::span<const float> logits() const;
	/** The token that follows. */
	[[nodiscard]] llama_token next(llama_sampler &sampler);

	[[nodiscard]] bool is_end(llama_token token) const;
	[[nodiscard]] std::string text(llama_token token) const;

	/** Of the last graph. */
	[[nodiscard]] coverage last_graph() const noexcept { return graph_; }
	/** Of the NPU; zeros without one. */
	[[nodiscard]] atom_statistics statistics() const;

private:
	void use_npu(const std::filesystem::path &plugin);
	void load(const settings &s);
	[[noreturn]] void fail_loading(const std::filesystem::path &file) const;
	static bool count_node(ggml_tensor *node, bool ask, void *model);

	std::string where_ = "CPU";
	ggml_backend_dev_t npu_ = nullptr;
	atom_get_statistics_t get_statistics_ = nullptr;
	llama_model_ptr model_;
	llama_context_ptr context_;
	coverage graph_;
	bool graph_is_new_ = false;
	std::size_t used_ = 0;
};

} // namespace chat
