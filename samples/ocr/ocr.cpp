// SPDX-License-Identifier: MIT
// Finds and reads the text in pictures.
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include "command_line.hpp"
#include "detector.hpp"
#include "recogniser.hpp"
#include "work_report.hpp"

namespace {

using std::filesystem::path;

struct options : samples::picture_options {
	path models;
	std::optional<path> output;
	int side = 736;
	float confidence = 0.5F;
};

struct line {
	ocr::quadrangle box;
	ocr::text text;
};

class reader {
public:
	reader(samples::runtime &r, const options &o)
		: detector_(r, o.models / "ch_PP-OCRv4_det_infer.onnx", o.side),
		  recogniser_(r, o.models / "ch_PP-OCRv4_rec_infer.onnx",
	                      o.models / "ppocr_keys_v1.txt"),
		  least_(o.confidence)
	{
	}

	std::vector<line> read(const samples::picture &p)
	{
		// The networks were trained on blue, green, red.
		samples::picture reversed;
		cv::cvtColor(p, reversed, cv::COLOR_RGB2BGR);
		std::vector<line> lines;
		for (const ocr::quadrangle &box : detector_.find(reversed)) {
			ocr::text text = recogniser_.read(ocr::cut_out(reversed, box));
			if (!text.characters.empty() && text.confidence >= least_)
				lines.push_back({box, std::move(text)});
		}
		return lines;
	}

	[[nodiscard]] samples::activity activity() const
	{
		samples::activity both = detector_.activity();
		both += recogniser_.activity();
		return both;
	}

private:
	ocr::detector detector_;
	ocr::recogniser recogniser_;
	float least_;
};

nlohmann::ordered_json to_json(const path &file, const std::vector<line> &lines)
{
	nlohmann::ordered_json out{{"file", file.string()}, {"lines", nlohmann::json::array()}};
	for (const line &l : lines) {
		nlohmann::ordered_json corners;
		for (const cv::Point2f p : l.box)
			corners.push_back({p.x, p.y});
		out["lines"].push_back({{"text", l.text.characters},
		                        {"confidence", l.text.confidence},
		                        {"box", corners}});
	}
	return out;
}

void print(const path &file, const std::vector<line> &lines)
{
	std::printf("%s\n", file.c_str());
	for (const line &l : lines)
		std::printf("  %5.1f %%  %s\n", 100.0 * l.text.confidence,
		            l.text.characters.c_str());
	std::fflush(stdout);
}

void draw(samples::picture p, const std::vector<line> &lines, const path &file)
{
	for (const line &l : lines) {
		const std::vector<cv::Point> corners(l.box.begin(), l.box.end());
		cv::polylines(p, corners, true, cv::Scalar(220, 30, 30), 1, cv::LINE_AA);
	}
	samples::save_picture(p, file);
}

void run(const options &o)
{
	if (o.output && o.pictures.size() != 1)
		throw samples::failure(samples::status::usage, "--output is for one picture");
	samples::runtime runtime(o.device, o.plugin);
	reader reader(runtime, o);
	samples::stopwatch watch(runtime.npu());
	nlohmann::ordered_json pictures;
	for (const path &file : o.pictures) {
		const samples::picture picture = samples::load_picture(file);
		std::vector<line> lines;
		for (unsigned i = 0; i < o.repeat; ++i) {
			watch.start();
			lines = reader.read(picture);
			watch.stop();
		}
		pictures.push_back(to_json(file, lines));
		if (!o.json)
			print(file, lines);
		if (o.output)
			draw(picture, lines, *o.output);
	}
	const samples::work_report report{"PP-OCRv4", runtime.where(), reader.activity(), watch};
	samples::deliver(o, report, std::move(pictures));
}

} // namespace

int main(int argc, char **argv)
{
	options o;
	CLI::App app("Finds and reads the text in pictures.", "ocr");
	app.add_option("--models", o.models, "folder of PP-OCRv4 (packaging/host/models ocr)")
		->required();
	app.add_option("--output", o.output, "write the picture with boxes drawn (PNG file)");
	app.add_option("--side", o.side,
	               "longer side of the picture that is searched for text (default 736)")
		->check(CLI::Range(64, 2560))
		->option_text("PIXELS");
	app.add_option("--confidence", o.confidence, "leave out lines below it (default 0.5)")
		->check(CLI::Range(0.0F, 1.0F))
		->option_text("0..1");
	samples::add_picture_options(app, o);
	return samples::run_sample(app, argc, argv, [&] { run(o); });
}
