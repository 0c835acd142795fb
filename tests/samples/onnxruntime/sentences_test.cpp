// SPDX-License-Identifier: MIT
// A trained network of the BERT family: what it says about sentences is what it says on the CPU.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "harness.hpp"

namespace ort_test {
namespace {

// All words are in the vocabulary as a whole: no tokeniser is needed.
const std::vector<std::string> sentences{
	"a man is eating food", "a man is eating a piece of bread", "the girl is carrying a baby",
	"a man is riding a horse", "a woman is playing violin", "the new movie is so great that i went twice"};

class sentences_test : public testing::Test {
protected:
	static void SetUpTestSuite()
	{
		folder = model_folder("embedding");
		std::ifstream in(folder + "/tokenizer.json");
		vocabulary = nlohmann::json::parse(in).at("model").at("vocab");
	}

	static std::vector<std::int64_t> tokens(const std::string &sentence)
	{
		std::vector<std::int64_t> ids{vocabulary.at("[CLS]")};
		std::istringstream words(sentence);
		for (std::string word; words >> word;)
			ids.push_back(vocabulary.at(word));
		ids.push_back(vocabulary.at("[SEP]"));
		return ids;
	}

	/** Unit vectors, one a sentence: the mean of what the network says of each token. */
	static std::vector<std::vector<double>> embed(Ort::Session &session, const std::vector<std::string> &batch)
	{
		std::size_t length = 0;
		for (const std::string &s : batch)
			length = std::max(length, tokens(s).size());
		std::vector<std::int64_t> ids;
		std::vector<std::int64_t> mask;
		for (const std::string &s : batch) {
			const auto t = tokens(s);
			ids.insert(ids.end(), t.begin(), t.end());
			ids.resize(ids.size() + length - t.size(), 0);
			mask.insert(mask.end(), t.size(), 1);
			mask.resize(ids.size(), 0);
		}
		const std::vector<std::int64_t> dims{static_cast<std::int64_t>(batch.size()),
		                                     static_cast<std::int64_t>(length)};
		feeds in;
		in["input_ids"] = integers(dims, ids);
		in["attention_mask"] = integers(dims, mask);
		in["token_type_ids"] = integers(dims, std::vector<std::int64_t>(ids.size(), 0));
		const auto out = run(session, in);
		return pooled(floats_of(out.at(0)), mask, batch.size());
	}

	static double similarity(const std::vector<double> &a, const std::vector<double> &b)
	{
		double sum = 0;
		for (std::size_t i = 0; i < a.size(); ++i)
			sum += a[i] * b[i];
		return sum;
	}

	static inline std::string folder;
	static inline nlohmann::json vocabulary;

private:
	static std::vector<std::vector<double>> pooled(const std::vector<float> &states,
	                                               const std::vector<std::int64_t> &mask, std::size_t batch)
	{
		const std::size_t length = mask.size() / batch;
		const std::size_t width = states.size() / mask.size();
		std::vector<std::vector<double>> all(batch, std::vector<double>(width, 0));
		for (std::size_t b = 0; b < batch; ++b) {
			for (std::size_t t = 0; t < length; ++t)
				for (std::size_t w = 0; mask[b * length + t] != 0 && w < width; ++w)
					all[b][w] += states[(b * length + t) * width + w];
			const double norm = std::sqrt(similarity(all[b], all[b]));
			for (double &v : all[b])
				v /= norm;
		}
		return all;
	}
};

TEST_F(sentences_test, similarities_are_those_of_the_cpu_to_three_decimals)
{
	Ort::Session npu = open(folder + "/model.onnx", processor::npu);
	Ort::Session cpu = open(folder + "/model.onnx", processor::cpu);
	const auto got = embed(npu, sentences);
	const auto expected = embed(cpu, sentences);
	for (std::size_t a = 0; a < got.size(); ++a)
		for (std::size_t b = 0; b < a; ++b)
			EXPECT_NEAR(similarity(got[a], got[b]), similarity(expected[a], expected[b]), 5e-4)
				<< sentences[a] << " / " << sentences[b];
	EXPECT_GT(similarity(got[0], got[1]), similarity(got[0], got[4]) + 0.3);
}

TEST_F(sentences_test, a_sentence_alone_means_what_it_means_among_others)
{
	Ort::Session npu = open(folder + "/model.onnx", processor::npu);
	const auto together = embed(npu, sentences);
	for (std::size_t i = 0; i < sentences.size(); ++i)
		EXPECT_GT(similarity(embed(npu, {sentences[i]})[0], together[i]), 0.999) << sentences[i];
}

TEST_F(sentences_test, all_nodes_but_those_on_sizes_run_on_the_npu)
{
	Ort::Session npu = open(folder + "/model.onnx", processor::npu);
	const share s = assigned(npu);
	EXPECT_GT(s.on_npu, 200U);
	EXPECT_EQ(s.others, "");
}

} // namespace
} // namespace ort_test
