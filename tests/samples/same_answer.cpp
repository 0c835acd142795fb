// SPDX-License-Identifier: MIT
// Whether llama.cpp gives the same answers on the NPU as on the CPU, token by token; both go on
// with the CPU's token where the NPU would say another.
//
// With weights of floats, only a token that the CPU was undecided on may differ. With weights in
// blocks, llama.cpp rounds what goes into each product to 8 bits: the smallest difference before
// (the order of a sum) grows to such a step within a few layers. There the measure is llama.cpp
// itself: its CPU backend has two ways to compute attention, and the NPU must not be farther from
// the one than the other is.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "language_model.hpp"
#include "run_sample.hpp"

namespace {

using samples::failure, samples::status;

constexpr float undecided = 0.1F;    // the CPU's two best logits are at most this apart
constexpr double spread_limit = 1.3; // of the NPU, in spreads of the CPU's two ways

const std::vector<std::string> questions{
	"What is the capital of France?",
	"Write a short poem about the sea.",
	"Explain in simple words how a bicycle stays upright.",
	"List three uses of copper.",
	"Tell me a story about a robot who learns to paint.",
};

struct options : chat::settings {
	std::size_t prompts = questions.size();
	std::size_t tokens = 64;
	bool blocks = false;
};

struct step {
	llama_token token;
	float margin; ///< of the best logit before the second best
	std::vector<float> logits;
};

step look(const chat::language_model &model)
{
	const auto logits = model.logits();
	const auto best = std::max_element(logits.begin(), logits.end());
	float second = -INFINITY;
	for (auto i = logits.begin(); i != logits.end(); ++i)
		if (i != best)
			second = std::max(second, *i);
	return {static_cast<llama_token>(best - logits.begin()),
	        *best - second,
	        {logits.begin(), logits.end()}};
}

std::vector<step> answer(chat::language_model &cpu, const std::string &question, std::size_t tokens)
{
	cpu.forget();
	cpu.read(cpu.prompt(question));
	std::vector<step> steps;
	while (steps.size() < tokens) {
		steps.push_back(look(cpu));
		if (cpu.is_end(steps.back().token))
			break;
		cpu.read({&steps.back().token, 1});
	}
	return steps;
}

/** How another model follows an answer. */
struct verdict {
	std::size_t other = 0;   ///< tokens that differ
	std::size_t decided = 0; ///< of these: where the CPU was not undecided
	double squares = 0;      ///< of the differences of logits
	double logits = 0;       ///< how many

	/** Root of the mean square. */
	[[nodiscard]] double spread() const { return std::sqrt(squares / logits); }
};

verdict follow(chat::language_model &model, const std::string &question,
               const std::vector<step> &expected)
{
	model.forget();
	model.read(model.prompt(question));
	verdict result;
	for (const step &e : expected) {
		const step found = look(model);
		for (std::size_t i = 0; i < e.logits.size(); ++i)
			result.squares += std::pow(e.logits[i] - found.logits[i], 2);
		result.logits += static_cast<double>(e.logits.size());
		if (found.token != e.token) {
			++result.other;
			result.decided += e.margin > undecided ? 1 : 0;
			std::printf("  token %td: '%s' instead of '%s', which leads by %.3f\n",
			            &e - expected.data(), model.text(found.token).c_str(),
			            model.text(e.token).c_str(), static_cast<double>(e.margin));
		}
		if (!model.is_end(e.token))
			model.read({&e.token, 1});
	}
	return result;
}

void run(options o)
{
	o.on_npu = true;
	chat::language_model npu(o);
	o.on_npu = false;
	o.fused_attention = true;
	chat::language_model cpu(o);
	o.fused_attention = false;
	chat::language_model cpu_other_way(o);

	std::size_t differ = 0;
	verdict all;
	verdict own;
	for (std::size_t i = 0; i < std::min(o.prompts, questions.size()); ++i) {
		std::printf("%s\n", questions[i].c_str());
		const auto expected = answer(cpu, questions[i], o.tokens);
		const verdict found = follow(npu, questions[i], expected);
		std::printf("  %zu of %zu tokens differ, logits by %.4f\n", found.other,
		            expected.size(), found.spread());
		differ += found.other != 0 ? 1 : 0;
		all.decided += found.decided;
		all.squares += found.squares;
		all.logits += found.logits;
		if (o.blocks) {
			const verdict second = follow(cpu_other_way, questions[i], expected);
			std::printf("  the CPU's other way: %zu, by %.4f\n", second.other,
			            second.spread());
			own.squares += second.squares;
			own.logits += second.logits;
		}
	}
	if (o.blocks && all.spread() > own.spread() * spread_limit)
		throw failure(status::wrong, "the NPU is farther from the CPU (" +
		                                     std::to_string(all.spread()) +
		                                     ") than the CPU's two ways are apart (" +
		                                     std::to_string(own.spread()) + ")");
	if (!o.blocks && (all.decided != 0 || differ > 1))
		throw failure(status::wrong, std::to_string(differ) + " answers differ, in " +
		                                     std::to_string(all.decided) +
		                                     " tokens that were no close call");
}

} // namespace

int main(int argc, char **argv)
{
	options o;
	CLI::App app("Compares answers on the NPU with those on the CPU.", "same_answer");
	app.add_option("--model", o.model, "GGUF file")->required();
	app.add_option("--plugin", o.plugin, "libggml-atom.so")->required();
	app.add_flag("--blocks", o.blocks, "the weights are blocks: measure by the CPU's two ways");
	app.add_option("--threads", o.threads, "of the CPU");
	app.add_option("--prompts", o.prompts, "of the questions, the first N");
	app.add_option("--tokens", o.tokens, "of each answer");
	return samples::run_sample(app, argc, argv, [&] { run(o); });
}
