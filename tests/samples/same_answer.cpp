// SPDX-License-Identifier: MIT
// Whether llama.cpp gives the same answers on the NPU as on the CPU, token by token. Where the NPU
// would say something else, the CPU must have been undecided; both then go on with the CPU's token.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "language_model.hpp"
#include "run_sample.hpp"

namespace {

constexpr float undecided = 0.1F; // the CPU's two best logits are at most this apart

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

struct verdict {
	std::size_t other = 0;   ///< tokens that differ
	std::size_t decided = 0; ///< of these: where the CPU was not undecided
	float furthest = 0;      ///< of all logits from the CPU's
};

verdict compare(chat::language_model &npu, const std::string &question,
                const std::vector<step> &expected)
{
	npu.forget();
	npu.read(npu.prompt(question));
	verdict result;
	for (const step &e : expected) {
		const step found = look(npu);
		for (std::size_t i = 0; i < e.logits.size(); ++i)
			result.furthest =
				std::max(result.furthest, std::abs(e.logits[i] - found.logits[i]));
		if (found.token != e.token) {
			++result.other;
			result.decided += e.margin > undecided ? 1 : 0;
			std::printf("  token %td: '%s' instead of '%s', which leads by %.3f\n",
			            &e - expected.data(), npu.text(found.token).c_str(),
			            npu.text(e.token).c_str(), static_cast<double>(e.margin));
		}
		if (!npu.is_end(e.token))
			npu.read({&e.token, 1});
	}
	return result;
}

void run(options &o)
{
	o.on_npu = false;
	chat::language_model cpu(o);
	o.on_npu = true;
	chat::language_model npu(o);
	std::size_t differ = 0;
	std::size_t decided = 0;
	for (std::size_t i = 0; i < std::min(o.prompts, questions.size()); ++i) {
		const auto expected = answer(cpu, questions[i], o.tokens);
		const verdict found = compare(npu, questions[i], expected);
		std::printf("%s: %zu of %zu tokens differ, logits by at most %.3f\n",
		            questions[i].c_str(), found.other, expected.size(),
		            static_cast<double>(found.furthest));
		std::fflush(stdout);
		differ += found.other != 0 ? 1 : 0;
		decided += found.decided;
	}
	if (decided != 0 || differ > 1)
		throw samples::failure(samples::status::wrong,
		                       std::to_string(differ) + " answers differ, in " +
		                               std::to_string(decided) +
		                               " tokens that were no close call");
}

} // namespace

int main(int argc, char **argv)
{
	options o;
	CLI::App app("Compares answers on the NPU with those on the CPU.", "same_answer");
	app.add_option("--model", o.model, "GGUF file")->required();
	app.add_option("--plugin", o.plugin, "libggml-atom.so")->required();
	app.add_option("--threads", o.threads, "of the CPU");
	app.add_option("--prompts", o.prompts, "of the questions, the first N");
	app.add_option("--tokens", o.tokens, "of each answer");
	return samples::run_sample(app, argc, argv, [&] { run(o); });
}
