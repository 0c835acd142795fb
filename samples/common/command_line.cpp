// SPDX-License-Identifier: MIT
#include <fstream>
#include <map>

#include "command_line.hpp"

namespace samples {

namespace {

// Beside this program in the build folder.
std::filesystem::path built_plugin()
{
	const auto program = std::filesystem::read_symlink("/proc/self/exe");
	return program.parent_path().parent_path() / "onnxruntime-ep" / "libatom_ort_ep.so";
}

} // namespace

void add_picture_options(CLI::App &app, picture_options &o)
{
	static const std::map<std::string, processor> processors{{"npu", processor::npu},
	                                                         {"cpu", processor::cpu}};
	o.plugin = built_plugin();
	app.add_option("PICTURE", o.pictures, "PNG or JPEG files")->required();
	app.add_option("--device", o.device, "npu (default), or cpu to compare")
		->transform(CLI::CheckedTransformer(processors).description("npu|cpu"));
	app.add_option("--plugin", o.plugin,
	               "ONNX Runtime's plug-in for the NPU (default: the one built beside)");
	app.add_option("--repeat", o.repeat,
	               "run N times on each picture; times are means (default 1)")
		->check(CLI::Range(1U, 1000U))
		->option_text("N");
	app.add_flag("--json", o.json, "print one JSON object");
	app.add_option("--report", o.report, "write the JSON object to FILE besides")
		->option_text("FILE");
	app.footer("Exit status: 0 all right, 2 usage, 3 no device, 4 a "
	           "run failed,\n"
	           "5 a model or picture is missing or cannot be read, 7 no permission to use "
	           "the device.");
}

void deliver(const picture_options &o, const work_report &report, nlohmann::ordered_json pictures)
{
	auto out = report.json();
	out["pictures"] = std::move(pictures);
	std::cout << (o.json ? out.dump(1) : report.sentence()) << std::endl;
	if (o.report.empty())
		return;
	std::ofstream file(o.report);
	file << out.dump(1) << '\n';
	if (!file.flush())
		throw failure(status::input, o.report.string() + ": cannot be written");
}

} // namespace samples
