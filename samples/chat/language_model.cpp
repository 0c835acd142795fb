// SPDX-License-Identifier: MIT
#include "language_model.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include <dlfcn.h>

#include <gguf.h>

#include "failure.hpp"
#include "log.hpp"
#include "npu.hpp"

namespace chat {
namespace {

using samples::failure, samples::status;

// More at once would only take memory.
constexpr unsigned batch_max = 512;

/** Of the stock libraries: the backends for the CPU lie beside them. */
std::filesystem::path runtime_folder()
{
	Dl_info found{};
	if (dladdr(reinterpret_cast<const void *>(llama_backend_init), &found) == 0)
		return ".";
	return std::filesystem::absolute(found.dli_fname).parent_path();
}

/** Why @p file is no GGUF file with all the bytes that it speaks of; empty: it is one. */
std::string defect_of(const std::filesystem::path &file)
{
	const std::unique_ptr<gguf_context, decltype(&gguf_free)> header(
		gguf_init_from_file(file.c_str(), {.no_alloc = true, .ctx = nullptr}), gguf_free);
	if (!header)
		return last_error("no GGUF file");
	std::size_t end = 0;
	for (std::int64_t i = 0; i < gguf_get_n_tensors(header.get()); ++i)
		end = std::max(end, gguf_get_tensor_offset(header.get(), i) +
		                            gguf_get_tensor_size(header.get(), i));
	const bool whole =
		gguf_get_data_offset(header.get()) + end <= std::filesystem::file_size(file);
	return whole ? "" : "it ends in the middle of its weights";
}

bool does_nothing(const ggml_tensor *node)
{
	switch (node->op) {
	case GGML_OP_NONE:
	case GGML_OP_RESHAPE:
	case GGML_OP_VIEW:
	case GGML_OP_PERMUTE:
	case GGML_OP_TRANSPOSE:
		return true;
	default:
		return ggml_is_empty(node);
	}
}

/** Multiplications in products of matrices: all but a thousandth of a model's arithmetic. */
std::int64_t products_of(const ggml_tensor *node)
{
	if (node->op == GGML_OP_MUL_MAT)
		return ggml_nelements(node) * node->src[0]->ne[0];
	if (node->op != GGML_OP_FLASH_ATTN_EXT)
		return 0;
	const ggml_tensor *queries = node->src[0];
	const ggml_tensor *keys = node->src[1];
	return (ggml_nelements(queries) + ggml_nelements(node)) * keys->ne[1];
}

} // namespace

language_model::language_model(const settings &s)
{
	take_log(s.verbose);
	if (!std::filesystem::is_regular_file(s.model))
		throw failure(status::input, s.model.string() + ": the model is not there");
	llama_backend_init();
	ggml_backend_load_all_from_path(runtime_folder().c_str());
	if (s.on_npu)
		use_npu(s.plugin);
	load(s);
}

void language_model::use_npu(const std::filesystem::path &plugin)
{
	where_ = samples::describe(samples::open_npu());
	if (!std::filesystem::exists(plugin))
		throw failure(status::input, plugin.string() + ": the backend is not there");
	ggml_backend_reg_t registry = ggml_backend_load(plugin.c_str());
	if (registry == nullptr)
		throw failure(status::input,
		              plugin.string() + ": " + last_error("llama.cpp does not load it"));
	if (ggml_backend_reg_dev_count(registry) == 0)
		throw failure(status::no_device, last_error("the backend finds no device"));
	npu_ = ggml_backend_reg_dev_get(registry, 0);
	get_statistics_ = reinterpret_cast<atom_get_statistics_t>(
		ggml_backend_reg_get_proc_address(registry, ATOM_GET_STATISTICS));
}

void language_model::load(const settings &s)
{
	std::array devices{npu_, ggml_backend_dev_t{nullptr}};
	llama_model_params how = llama_model_default_params();
	how.devices = devices.data();
	how.n_gpu_layers = npu_ != nullptr ? -1 : 0;
	forget_errors();
	model_.reset(llama_model_load_from_file(s.model.c_str(), how));
	if (!model_)
		fail_loading(s.model);

	llama_context_params with = llama_context_default_params();
	with.n_ctx = s.context;
	with.n_batch = with.n_ubatch = std::min(s.context, batch_max);
	with.n_threads = static_cast<std::int32_t>(
		s.threads != 0 ? s.threads : std::max(1U, std::thread::hardware_concurrency()));
	with.n_threads_batch = with.n_threads;
	if (s.fused_attention)
		with.flash_attn_type = *s.fused_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED
		                                          : LLAMA_FLASH_ATTN_TYPE_DISABLED;
	with.cb_eval = count_node;
	with.cb_eval_user_data = this;
	context_.reset(llama_init_from_model(model_.get(), with));
	if (!context_)
		fail_loading(s.model);
}

void language_model::fail_loading(const std::filesystem::path &file) const
{
	const std::string reason = all_errors("llama.cpp refuses it");
	if (const std::string defect = defect_of(file); !defect.empty())
		throw failure(status::damaged, file.string() + ": damaged: " + defect);
	if (const std::uint64_t bytes = statistics().refused_bytes; bytes != 0) {
		std::size_t free = 0;
		std::size_t total = 0;
		ggml_backend_dev_memory(npu_, &free, &total);
		throw failure(status::memory,
		              "does not fit into the memory of the device: " +
		                      std::to_string(bytes >> 20) + " MiB more are needed, " +
		                      std::to_string(free >> 20) + " of " +
		                      std::to_string(total >> 20) +
		                      " MiB are free (a smaller --context needs less)");
	}
	throw failure(status::input, file.string() + ": " + reason);
}

std::vector<llama_token> language_model::prompt(const std::string &question) const
{
	const llama_chat_message message{"user", question.c_str()};
	const char *form = llama_model_chat_template(model_.get(), nullptr);
	const auto apply = [&](char *to, std::size_t size) {
		return llama_chat_apply_template(form, &message, 1, true, to,
		                                 static_cast<std::int32_t>(size));
	};
	// A model without a form for conversations goes on with the text.
	std::string text = question;
	if (const std::int32_t size = form != nullptr ? apply(nullptr, 0) : -1; size > 0) {
		text.resize(static_cast<std::size_t>(size));
		apply(text.data(), text.size());
	}
	std::vector<llama_token> tokens(text.size() + 2); // none is shorter than a byte
	const std::int32_t count =
		llama_tokenize(llama_model_get_vocab(model_.get()), text.data(),
	                       static_cast<std::int32_t>(text.size()), tokens.data(),
	                       static_cast<std::int32_t>(tokens.size()), true, true);
	tokens.resize(static_cast<std::size_t>(std::max(0, count)));
	return tokens;
}

std::size_t language_model::room() const { return llama_n_ctx(context_.get()) - used_; }

void language_model::read(std::span<const llama_token> tokens)
{
	while (!tokens.empty()) {
		const auto part = tokens.first(std::min<std::size_t>(tokens.size(), batch_max));
		tokens = tokens.subspan(part.size());
		graph_is_new_ = true;
		forget_errors();
		// llama.cpp takes a pointer to data that is not const, and leaves it alone.
		const int result =
			llama_decode(context_.get(),
		                     llama_batch_get_one(const_cast<llama_token *>(part.data()),
		                                         static_cast<std::int32_t>(part.size())));
		llama_synchronize(context_.get());
		if (result != 0 || statistics().failed != 0)
			throw failure(status::job, all_errors("llama.cpp failed with status " +
			                                      std::to_string(result)));
		used_ += part.size();
	}
}

void language_model::forget()
{
	llama_memory_clear(llama_get_memory(context_.get()), true);
	used_ = 0;
}

std::span<const float> language_model::logits() const
{
	const auto count = llama_vocab_n_tokens(llama_model_get_vocab(model_.get()));
	return {llama_get_logits_ith(context_.get(), -1), static_cast<std::size_t>(count)};
}

llama_token language_model::next(llama_sampler &sampler)
{
	return llama_sampler_sample(&sampler, context_.get(), -1);
}

bool language_model::is_end(llama_token token) const
{
	return llama_vocab_is_eog(llama_model_get_vocab(model_.get()), token);
}

std::string language_model::text(llama_token token) const
{
	std::array<char, 256> piece{};
	const std::int32_t size =
		llama_token_to_piece(llama_model_get_vocab(model_.get()), token, piece.data(),
	                             static_cast<std::int32_t>(piece.size()), 0, false);
	return {piece.data(), static_cast<std::size_t>(std::max(0, size))};
}

atom_statistics language_model::statistics() const
{
	atom_statistics result{};
	if (get_statistics_ != nullptr)
		get_statistics_(npu_, &result);
	return result;
}

// llama.cpp asks of each node whether we want to see its result. We do not; but where it will lie
// says what computes it.
bool language_model::count_node(ggml_tensor *node, bool /*ask*/, void *model)
{
	auto &self = *static_cast<language_model *>(model);
	if (self.graph_is_new_)
		self.graph_ = {};
	self.graph_is_new_ = false;
	if (does_nothing(node))
		return false;
	const ggml_tensor *root = node->view_src != nullptr ? node->view_src : node;
	++self.graph_.operators;
	self.graph_.products += products_of(node);
	if (self.npu_ != nullptr && root->buffer != nullptr &&
	    ggml_backend_buft_get_device(ggml_backend_buffer_get_type(root->buffer)) == self.npu_) {
		++self.graph_.on_npu;
		self.graph_.products_on_npu += products_of(node);
	}
	return false;
}

} // namespace chat
