// SPDX-License-Identifier: MIT
// Answers a question with a trained language model.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "language_model.hpp"
#include "report.hpp"
#include "run_sample.hpp"

namespace {

using samples::failure, samples::status;

struct options : chat::settings {
	std::string question;
	std::string device = "npu";
	unsigned tokens = 256;
	std::optional<std::uint32_t> seed;
	bool json = false;
	std::filesystem::path report; ///< a file for the JSON object
};

/** Beside this program in the build folder. */
std::filesystem::path built_plugin()
{
	const auto program = std::filesystem::read_symlink("/proc/self/exe");
	return program.parent_path().parent_path() / "ggml-backend" / "libggml-atom.so";
}

std::string read_question()
{
	std::string text{std::istreambuf_iterator<char>(std::cin), {}};
	text.erase(text.find_last_not_of(" \n\r\t") + 1);
	return text;
}

/** The likeliest token always, or by chance from @p seed. */
llama_sampler_ptr make_sampler(std::optional<std::uint32_t> seed)
{
	llama_sampler_ptr chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
	const auto add = [&](llama_sampler *s) { llama_sampler_chain_add(chain.get(), s); };
	if (seed) {
		add(llama_sampler_init_min_p(0.05F, 1));
		add(llama_sampler_init_temp(0.8F));
		add(llama_sampler_init_dist(*seed));
	} else {
		add(llama_sampler_init_greedy());
	}
	return chain;
}

/** Measures @p body, which returns how many tokens it handled. */
template <typename Body>
chat::phase measure(const chat::language_model &model, const Body &body)
{
	const atom_statistics before = model.statistics();
	const auto begin = std::chrono::steady_clock::now();
	chat::phase result;
	result.tokens = body();
	result.seconds =
		std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
	result.npu = model.statistics();
	result.npu.busy_ns -= before.busy_ns;
	result.npu.modelled_ns -= before.modelled_ns;
	result.npu.energy_uj -= before.energy_uj;
	return result;
}

void deliver(const options &o, const std::string &answer, const chat::report &report)
{
	if (!o.json)
		std::printf("\n\n%s\n", report.sentence().c_str());
	if (!o.json && o.report.empty())
		return;
	nlohmann::ordered_json out{{"question", o.question}, {"answer", answer}};
	out.update(report.json());
	// The last token may be a part of a character.
	const std::string text =
		out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
	if (o.json)
		std::puts(text.c_str());
	if (o.report.empty())
		return;
	std::ofstream file(o.report);
	file << text << '\n';
	if (!file.flush())
		throw failure(status::input, o.report.string() + ": cannot be written");
}

void run(options &o)
{
	o.on_npu = o.device == "npu";
	if (o.question.empty())
		o.question = read_question();
	if (o.question.empty())
		throw failure(status::usage, "no question");
	chat::language_model model(o);
	const auto prompt = model.prompt(o.question);
	if (prompt.size() >= model.room())
		throw failure(status::usage,
		              "the question has " + std::to_string(prompt.size()) +
		                      " tokens: more than --context leaves room for");

	const llama_sampler_ptr sampler = make_sampler(o.seed);
	chat::report report{o.model.stem().string(), model.where(), o.on_npu, {}, {}, {}};
	report.prompt = measure(model, [&] {
		model.read(prompt);
		return prompt.size();
	});
	std::string answer;
	report.answer = measure(model, [&] {
		std::size_t count = 0;
		while (count < o.tokens && model.room() != 0) {
			const llama_token token = model.next(*sampler);
			if (model.is_end(token))
				break;
			const std::string piece = model.text(token);
			answer += piece;
			if (!o.json) {
				std::fputs(piece.c_str(), stdout);
				std::fflush(stdout);
			}
			model.read({&token, 1});
			++count;
		}
		return count;
	});
	report.graph = model.last_graph();
	deliver(o, answer, report);
}

void add_options(CLI::App &app, options &o)
{
	o.plugin = built_plugin();
	app.add_option("QUESTION", o.question, "what to ask; without it, standard input");
	app.add_option("--model", o.model, "GGUF file (samples/chat/model)")
		->envname("ATOM_CHAT_MODEL")
		->required();
	app.add_option("--device", o.device, "npu (default), or cpu to compare")
		->check(CLI::IsMember({"npu", "cpu"}));
	app.add_option("--plugin", o.plugin,
	               "llama.cpp's backend for the NPU (default: the one built beside)");
	app.add_option("--tokens", o.tokens, "end the answer after N tokens (default 256)")
		->option_text("N");
	app.add_option("--context", o.context,
	               "tokens that question and answer may have together (default 2048)")
		->check(CLI::Range(16U, 1U << 24))
		->option_text("N");
	app.add_option("--threads", o.threads, "of the CPU (default: as many as there are)")
		->check(CLI::Range(1U, 1024U))
		->option_text("N");
	app.add_option("--seed", o.seed,
	               "choose tokens by chance; without it always the likeliest one")
		->option_text("N");
	app.add_flag("--json", o.json, "print one JSON object");
	app.add_option("--report", o.report, "write the JSON object to FILE besides")
		->option_text("FILE");
	app.add_flag("--verbose", o.verbose, "show llama.cpp's log");
	app.footer("Exit status: 0 all right, 2 usage, 3 no device, 4 a run failed, 5 the model is "
	           "missing or of no use,\n"
	           "6 the model is damaged, 7 no permission to use the device, 8 the device has "
	           "too little memory.");
}

} // namespace

int main(int argc, char **argv)
{
	options o;
	CLI::App app("Answers a question with a trained language model.", "chat");
	add_options(app, o);
	return samples::run_sample(app, argc, argv, [&] { run(o); });
}
