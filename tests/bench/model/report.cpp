// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench {

namespace {

/** The same round of MLPerf Inference, v3.0 (April 2023, closed, edge); SingleStream in ms, Offline in samples/s. */
struct other_system {
	const char *name;
	double resnet_ms, bert_ms, resnet_rate;
	double press_resnet, press_bert; // how many times ATOM's time, as reported
};
constexpr other_system others[] = {
	{"NVIDIA T4", 0.818169, 6.093055, 6121.33, 3.43, 1.42},
	{"NVIDIA A2", 0.712671, 8.505711, 3156.68, 2.98, 1.98},
	{"NVIDIA L4 (preview)", 0.361604, 2.530929, 13157.8, 1.51, 0.59},
	{"Cloud AI 100 Pro x1", 0.407, 7.916, 24892.9, 1.70, 1.84},
	{"Cloud AI 100 Std x4", 0.335786, 7.547, 79213, 1.41, 1.76},
};
/* The percentiles that ATOM's scores are; the model is compared with means. */
constexpr double atom_resnet_p90 = 0.238835, atom_bert_p90 = 4.297444, atom_resnet_rate = 7245.87;

std::string quoted(const std::string &text)
{
	std::string out = "\"";
	for (const char c : text)
		out += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
	return out + "\"";
}

const char *limit_name(std::uint32_t by)
{
	constexpr const char *names[ATOM_LIMIT_COUNT] = {"overhead", "matrix", "vector", "dram", "shm", "pcie"};
	return by < ATOM_LIMIT_COUNT ? names[by] : "?";
}

void write_breakdown(workloads &w, std::size_t i, const std::string &path)
{
	const published_run &run = published_runs[i];
	const timed_run details = w.details(i, "");
	const std::vector<label> &labels = w.of(i).labels();
	std::ofstream out(path);
	out << "{\"title\": " << quoted(std::string(run.what) + " (modelled, not an MLPerf result)") << ",\n"
	    << " \"job_ns\": " << static_cast<std::uint64_t>(details.job_ns) << ", \"launch_ns\": " << details.launch_ns
	    << ",\n \"commands\": [";
	const char *separator = "\n";
	for (const atom_model_command_time &t : details.commands) {
		if (t.opcode == ATOM_OP_FENCE)
			continue;
		const label &l = labels.at(t.tag);
		out << separator << "  {\"index\": " << t.index << ", \"opcode\": " << t.opcode << ", \"name\": " << quoted(l.name)
		    << ", \"kind\": " << quoted(l.kind) << ", \"start_ns\": " << t.start_ns << ", \"ns\": " << t.ns
		    << ", \"limit\": \"" << limit_name(t.limit) << "\", \"matrix_ns\": " << t.matrix_ns
		    << ", \"vector_ns\": " << t.vector_ns << ", \"dram_ns\": " << t.dram_ns
		    << ", \"dram_ahead_ns\": " << t.dram_ahead_ns << ", \"shm_ns\": " << t.shm_ns
		    << ", \"pcie_ns\": " << t.pcie_ns << ", \"overhead_ns\": " << t.overhead_ns << ", \"macs\": " << t.macs
		    << ", \"dram_bytes\": " << t.dram_bytes << ", \"shm_bytes\": " << t.shm_bytes
		    << ", \"pcie_bytes\": " << t.pcie_bytes << "}";
		separator = ",\n";
	}
	out << "\n ]}\n";
	if (!out)
		throw std::runtime_error("cannot write " + path);
}

} // namespace

std::vector<described_parameter> device_parameters()
{
	atom::host::host_bus bus({});
	char *text = atom_model_describe(bus.model());
	std::istringstream lines(text ? text : "");
	std::free(text);
	std::vector<described_parameter> all;
	const std::string mark = "timing: ";
	for (std::string line; std::getline(lines, line);) {
		if (line.compare(0, mark.size(), mark) != 0)
			continue;
		const std::size_t equals = line.find(" = "), open = line.find(" ("), colon = line.find(": ", open);
		described_parameter p;
		p.name = line.substr(mark.size(), equals - mark.size());
		char *rest = nullptr;
		p.value = std::strtod(line.c_str() + equals + 3, &rest);
		const auto unit = static_cast<std::size_t>(rest - line.c_str()) + 1;
		p.unit = line.substr(unit, open - unit);
		p.from = line.substr(open + 2, colon - open - 2);
		p.why = line.substr(colon + 2, line.size() - colon - 3);
		all.push_back(p);
	}
	return all;
}

void print_parameters()
{
	std::printf("Parameters of the timing model\n");
	for (const described_parameter &p : device_parameters())
		std::printf("  %-18s %12.6g %-15s %-10s %s\n", p.name.c_str(), p.value, p.unit.c_str(), p.from.c_str(), p.why.c_str());
	std::printf("\n");
}

void print_results(const std::array<double, run_count> &values)
{
	std::printf("Modelled beside published, means\n  %-44s %12s %12s %8s %8s\n", "", "modelled", "published", "error", "aim");
	for (std::size_t i = 0; i < run_count; ++i) {
		const published_run &r = published_runs[i];
		const double error = values[i] / r.reference - 1;
		std::printf("  %-44s %9.4f %-9s %9.4f %+7.2f %% %5.0f %%%s%s\n", r.what, values[i], r.unit, r.reference, 100 * error,
			    100 * r.aim, r.fitted ? "" : "  held out", std::abs(error) <= r.aim ? "" : "  NOT MET");
	}
	std::printf("\n");
}

void print_others(const std::array<double, run_count> &values)
{
	const auto row = [](const char *name, double resnet, double bert, double rate) {
		std::printf("  %-26s %9.4f ms %9.4f ms %10.1f/s", name, resnet, bert, rate);
	};
	std::printf("Beside the others of that round (scores: 90th percentiles; MLPerf Inference v3.0, closed, edge)\n");
	std::printf("  %-26s %12s %12s %12s   x ATOM's time\n", "", "ResNet-50", "BERT-99", "ResNet-50");
	std::printf("  %-26s %12s %12s %12s   reported; to the model\n", "", "Single", "Single", "Offline");
	row("ATOM, published", atom_resnet_p90, atom_bert_p90, atom_resnet_rate);
	std::printf("\n");
	row("this model (means)", values[0], values[3], values[2]);
	std::printf("   modelled, not an MLPerf result\n");
	for (const other_system &o : others) {
		row(o.name, o.resnet_ms, o.bert_ms, o.resnet_rate);
		std::printf("   %.2f, %.2f; %.2f, %.2f\n", o.press_resnet, o.press_bert, o.resnet_ms / values[0],
			    o.bert_ms / values[3]);
	}
	std::printf("\n");
}

void print_sensitivity(workloads &w, const std::array<double, run_count> &values)
{
	std::printf("Change of each result, in %%, when an assumed parameter is 25 %% smaller / larger (nothing fitted again)\n  %-18s",
		    "");
	constexpr const char *columns[run_count] = {"RN50 single", "RN50 multi", "RN50 offline", "BERT-L", "RN50 fp16", "BERT-b fp16"};
	for (const char *c : columns)
		std::printf(" %15s", c);
	std::printf("\n");
	for (const described_parameter &p : device_parameters()) {
		if (p.from != "assumed")
			continue;
		std::array<std::array<double, run_count>, 2> changed;
		for (std::size_t side = 0; side < 2; ++side) {
			char timing[96];
			std::snprintf(timing, sizeof timing, "%s=%.9g", p.name.c_str(), p.value * (side ? 1.25 : 0.75));
			changed[side] = w.values(timing);
		}
		std::printf("  %-18s", p.name.c_str());
		for (std::size_t i = 0; i < run_count; ++i) {
			char text[32];
			std::snprintf(text, sizeof text, "%+.2f / %+.2f", 100 * (changed[0][i] / values[i] - 1),
				      100 * (changed[1][i] / values[i] - 1));
			std::printf(" %15s", text);
		}
		std::printf("\n");
	}
	std::printf("\n");
}

void write_breakdowns(workloads &w, const std::string &folder)
{
	for (std::size_t i = 0; i < run_count; ++i) {
		const std::string name = std::string(published_runs[i].figure).substr(std::string("model.").size());
		if (name != "resnet50.offline") /* its jobs are resnet50.multi's */
			write_breakdown(w, i, folder + "/" + name + ".json");
	}
}

} // namespace bench
