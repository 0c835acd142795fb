// SPDX-License-Identifier: MIT
// The whole of ResNet-50 on an NPU inside of the process against ONNX Runtime's CPU provider, with as many threads.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include <getopt.h>

#include "contenders.hpp"
#include "figures.hpp"
#include "onnx/onnx_pb.h"

namespace {

using namespace bench;

constexpr const char *usage = "usage: bench_net MODEL [--threads N] [--rounds N] [--only f32|int8]\n"
			      "\n"
			      "MODEL: light_resnet50.onnx of libonnx-testdata\n";

// ONNX Runtime's threads spin for a while after a run; they shall not take the CPU from the other.
constexpr std::chrono::milliseconds pause_between(30);
constexpr std::size_t image_elements = 3 * 224 * 224;

struct settings {
	std::string model;
	int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
	int rounds = 25;
	std::string only;
};

settings parse(int argc, char **argv)
{
	const option known[] = {
		{"threads", required_argument, nullptr, 't'},
		{"rounds", required_argument, nullptr, 'r'},
		{"only", required_argument, nullptr, 'o'},
		{"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	settings s;
	for (int c = 0; (c = getopt_long(argc, argv, "t:r:o:h", known, nullptr)) != -1;) {
		switch (c) {
		case 't':
			s.threads = std::clamp(std::atoi(optarg), 1, 256);
			break;
		case 'r':
			s.rounds = std::clamp(std::atoi(optarg), 1, 10000);
			break;
		case 'o':
			s.only = optarg;
			break;
		case 'h':
			std::fputs(usage, stdout);
			std::exit(0);
		default:
			std::exit(2);
		}
	}
	if (optind + 1 != argc) {
		std::fputs(usage, stderr);
		std::exit(2);
	}
	s.model = argv[optind];
	return s;
}

/** A folder that is gone at the end. */
class temporary_folder {
public:
	temporary_folder()
	{
		std::string name = (std::filesystem::temp_directory_path() / "bench-net.XXXXXX").string();
		if (mkdtemp(name.data()) == nullptr)
			throw std::system_error(errno, std::generic_category(), name);
		path_ = name;
	}
	temporary_folder(const temporary_folder &) = delete;
	temporary_folder &operator=(const temporary_folder &) = delete;
	~temporary_folder()
	{
		std::error_code ignored;
		std::filesystem::remove_all(path_, ignored);
	}

	std::filesystem::path write(const char *name, const onnx::ModelProto &model) const
	{
		const auto file = path_ / name;
		std::ofstream out(file, std::ios::binary);
		if (!model.SerializeToOstream(&out))
			throw std::runtime_error(file.string() + " cannot be written");
		return file;
	}

private:
	std::filesystem::path path_;
};

template <class Network>
double seconds_of(Network &network, std::vector<float> &image)
{
	const double start = now();
	network.run(image);
	return now() - start;
}

// The largest difference, against the largest result.
double difference(const std::vector<float> &a, const std::vector<float> &b)
{
	double largest = 0;
	double apart = 0;
	for (std::size_t i = 0; i < a.size(); ++i) {
		largest = std::max<double>(largest, std::fabs(a[i]));
		apart = std::max<double>(apart, std::fabs(a[i] - b[i]));
	}
	return apart / largest;
}

// A network that computes something else is not to be compared.
constexpr double tolerance_of(std::string_view kind) { return kind == "f32" ? 1e-3 : 0.25; }

void compare(const std::string &kind, const std::filesystem::path &model, const atom::context &context, const settings &s,
             std::vector<float> image)
{
	cpu_network cpu(model, s.threads);
	npu_network npu(model, context);
	const double apart = difference(cpu.run(image), npu.run(image));
	std::printf("%s: %zu nodes, all on the NPU by %zu commands with %zu barriers; %.1f MiB constants, %.1f MiB scratch; "
	            "results differ by %.2g of the largest\n",
	            kind.c_str(), npu.nodes(), npu.plan().commands(), npu.plan().barriers(),
	            static_cast<double>(npu.plan().constant_bytes()) / (1 << 20),
	            static_cast<double>(npu.plan().scratch_bytes()) / (1 << 20), apart);
	if (!(apart <= tolerance_of(kind)))
		throw std::runtime_error(kind + ": the results are not those of ONNX Runtime");
	double best_cpu = seconds_of(cpu, image);
	double best_npu = seconds_of(npu, image);
	for (int i = 0; i < s.rounds; ++i) {
		best_cpu = std::min(best_cpu, seconds_of(cpu, image));
		std::this_thread::sleep_for(pause_between);
		best_npu = std::min(best_npu, seconds_of(npu, image));
	}
	tell(("net.resnet50." + kind).c_str(), 1e3 * best_npu);
	tell(("net.resnet50." + kind + ".reference").c_str(), 1e3 * best_cpu);
}

void run(const settings &s)
{
	setenv("ATOM_DEVICE", ("model,threads=" + std::to_string(s.threads)).c_str(), 0);
	const atom::context context(atom::device::open());
	std::vector<float> image(image_elements);
	std::mt19937 random(224);
	std::normal_distribution<float> draw;
	std::generate(image.begin(), image.end(), [&] { return draw(random); });

	const temporary_folder folder;
	const onnx::ModelProto f32 = read_resnet50(s.model);
	if (s.only != "int8")
		compare("f32", folder.write("f32.onnx", f32), context, s, image);
	if (s.only == "f32")
		return;
	const onnx::ModelProto folded = fold_norms(f32);
	const auto ranges = cpu_network(folder.write("ranges.onnx", with_all_outputs(folded)), s.threads).ranges(image);
	compare("int8", folder.write("int8.onnx", quantise(folded, ranges)), context, s, image);
}

} // namespace

int main(int argc, char **argv)
{
	const settings s = parse(argc, argv);
	try {
		std::printf("%d threads\n", s.threads);
		run(s);
		return 0;
	} catch (const std::exception &e) {
		std::fprintf(stderr, "bench_net: %s\n", e.what());
		return 1;
	}
}
