// SPDX-License-Identifier: MIT
// Names what photographs show, with a network that was trained on ImageNet.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include <nlohmann/json.hpp>

#include "command_line.hpp"
#include "network.hpp"
#include "picture.hpp"
#include "work_report.hpp"

namespace {

using samples::failure, samples::status;
using std::filesystem::path;

constexpr std::size_t shown = 5;

struct options : samples::picture_options {
	path model;
};

struct guess {
	std::size_t number;
	std::string name;
	float probability;
};

class classifier {
public:
	classifier(samples::runtime &r, const path &model) : network_(r, model)
	{
		const auto dims = network_.input_dims();
		if (dims.size() != 4 || dims[1] != 3 || dims[2] < 1 || dims[2] != dims[3])
			throw failure(status::input,
			              model.string() + ": takes no square pictures of fixed size");
		side_ = static_cast<int>(dims[2]);
		try {
			if (const auto names = network_.note("classes"))
				names_ = nlohmann::json::parse(*names)
				                 .get<std::vector<std::string>>();
		} catch (const nlohmann::json::exception &) {
			throw failure(status::input,
			              model.string() +
			                      ": its names of classes are no JSON list of texts");
		}
	}

	[[nodiscard]] samples::activity activity() const { return network_.activity(); }

	std::vector<guess> classify(const samples::tensor &input)
	{
		const std::vector<float> probability = network_.run(input).values;
		std::vector<std::size_t> order(probability.size());
		std::iota(order.begin(), order.end(), std::size_t{0});
		const auto count = std::min(shown, order.size());
		std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
		                  order.end(), [&](std::size_t a, std::size_t b) {
					  return probability[a] > probability[b];
				  });
		std::vector<guess> best;
		for (const std::size_t i :
		     std::vector(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count)))
			best.push_back({i, i < names_.size() ? names_[i] : std::to_string(i),
			                probability[i]});
		return best;
	}

	// The middle of the picture, as the network saw pictures while it was trained.
	[[nodiscard]] samples::tensor prepare(const samples::picture &p) const
	{
		constexpr float margin = 256.0F / 224;
		const float scale = static_cast<float>(side_) * margin /
		                    static_cast<float>(std::min(p.cols, p.rows));
		const auto scaled = [&](int n) {
			return std::max(side_, static_cast<int>(
						       std::lround(static_cast<float>(n) * scale)));
		};
		const samples::picture whole =
			samples::resized(p, {scaled(p.cols), scaled(p.rows)});
		const cv::Rect middle((whole.cols - side_) / 2, (whole.rows - side_) / 2, side_,
		                      side_);
		return samples::planes(whole(middle), cv::Vec3f::all(127), cv::Vec3f::all(128));
	}

private:
	samples::network network_;
	int side_ = 0;
	std::vector<std::string> names_;
};

nlohmann::ordered_json to_json(const path &file, const std::vector<guess> &guesses)
{
	nlohmann::ordered_json out{{"file", file.string()}};
	for (const guess &g : guesses)
		out["classes"].push_back(
			{{"number", g.number}, {"name", g.name}, {"probability", g.probability}});
	return out;
}

void print(const path &file, const std::vector<guess> &guesses)
{
	std::printf("%s\n", file.c_str());
	for (const guess &g : guesses)
		std::printf("  %5.1f %%  %s\n", 100.0 * g.probability, g.name.c_str());
	std::fflush(stdout);
}

void run(const options &o)
{
	samples::runtime runtime(o.device, o.plugin);
	classifier network(runtime, o.model);
	samples::stopwatch watch(runtime.npu());
	nlohmann::ordered_json pictures;
	for (const path &file : o.pictures) {
		const samples::picture picture = samples::load_picture(file);
		std::vector<guess> guesses;
		for (unsigned i = 0; i < o.repeat; ++i) {
			watch.start();
			guesses = network.classify(network.prepare(picture));
			watch.stop();
		}
		pictures.push_back(to_json(file, guesses));
		if (!o.json)
			print(file, guesses);
	}
	const samples::work_report report{o.model.stem().string(), runtime.where(),
	                                  network.activity(), watch};
	samples::deliver(o, report, std::move(pictures));
}

} // namespace

int main(int argc, char **argv)
{
	options o;
	CLI::App app("Names what photographs show: the five likeliest classes of each.",
	             "classify");
	app.add_option("--model", o.model, "ONNX file (packaging/host/models classify)")
		->required();
	samples::add_picture_options(app, o);
	return samples::run_sample(app, argc, argv, [&] { run(o); });
}
