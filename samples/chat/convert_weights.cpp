// SPDX-License-Identifier: MIT
// Writes a language model with weights of another type, by libllama.
#include <filesystem>
#include <map>

#include <CLI/CLI.hpp>
#include <llama.h>

#include "log.hpp"
#include "run_sample.hpp"

namespace {

using samples::failure, samples::status;

const std::map<std::string, llama_ftype> weight_types{
	{"f16", LLAMA_FTYPE_MOSTLY_F16},
	{"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},
	{"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
};

void convert(const std::filesystem::path &from, const std::filesystem::path &to, llama_ftype type)
{
	llama_model_quantize_params how = llama_model_quantize_default_params();
	how.ftype = type;
	how.allow_requantize = true;
	how.pure = true; // not some tensors of another type, which the NPU may lack
	if (llama_model_quantize(from.c_str(), to.c_str(), &how) != 0)
		throw failure(status::job, from.string() + ": llama.cpp cannot convert the weights: " +
		                                   chat::all_errors("it does not say why"));
}

} // namespace

int main(int argc, char **argv)
{
	std::filesystem::path from;
	std::filesystem::path to;
	llama_ftype type{};
	bool verbose = false;
	CLI::App app("Writes a language model with weights of another type.", "convert-weights");
	app.add_option("model", from, "GGUF file")->required()->check(CLI::ExistingFile);
	app.add_option("to", to, "GGUF file to write")->required();
	app.add_option("--type", type, "f16, q8_0 or q4_0")
		->required()
		->transform(CLI::CheckedTransformer(weight_types).description(""));
	app.add_flag("--verbose", verbose, "llama.cpp's own log");
	return samples::run_sample(app, argc, argv, [&] {
		chat::take_log(verbose);
		convert(from, to, type);
	});
}
