// SPDX-License-Identifier: MIT
// Runs ONNX's own test vectors through the lowering and libatom, and compares what comes out.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <thread>

#include <fnmatch.h>
#include <getopt.h>

#include "atom/atom.hpp"
#include "expectation.hpp"
#include "report.hpp"

namespace {

using namespace conformance;

constexpr int exit_unexpected = 1;
constexpr int exit_usage = 2;
constexpr int exit_device = 3;

constexpr const char *usage =
	"usage: onnx_conformance --data DIR [--only GLOB] [--expected DIR] [--report DIR]\n"
	"                        [--threads N] [--device WHICH] [--write-expected FILE]\n"
	"\n"
	"Runs the vectors in DIR/GROUP/NAME (of libonnx-testdata) on an ATOM NPU; with\n"
	"ATOM_DEVICE=model on one inside of the process.\n"
	"  --only GLOB      vectors whose GROUP/NAME matches, '*relu*'\n"
	"  --expected DIR   expected.txt: what does not apply; corrections.txt: what ONNX has wrong\n"
	"  --report DIR     where conformance.txt and conformance.json go\n"
	"\n"
	"Exit status: 0 all as expected, 1 not so, 2 usage, 3 no device.\n";

struct settings {
	std::filesystem::path data;
	std::string only = "*";
	std::filesystem::path expected;
	std::filesystem::path report;
	std::filesystem::path write_expected;
	unsigned threads = 2;
	std::string device = "0";
};

settings parse(int argc, char **argv)
{
	const ::option known[] = {
		{"data", required_argument, nullptr, 'd'},
		{"only", required_argument, nullptr, 'o'},
		{"expected", required_argument, nullptr, 'e'},
		{"report", required_argument, nullptr, 'r'},
		{"threads", required_argument, nullptr, 't'},
		{"device", required_argument, nullptr, 'D'},
		{"write-expected", required_argument, nullptr, 'w'},
		{"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	settings s;
	for (int c = 0; (c = getopt_long(argc, argv, "d:o:e:r:t:D:w:h", known, nullptr)) != -1;) {
		switch (c) {
		case 'd':
			s.data = optarg;
			break;
		case 'o':
			s.only = optarg;
			break;
		case 'e':
			s.expected = optarg;
			break;
		case 'r':
			s.report = optarg;
			break;
		case 't':
			s.threads = static_cast<unsigned>(std::clamp(std::atoi(optarg), 1, 64));
			break;
		case 'D':
			s.device = optarg;
			break;
		case 'w':
			s.write_expected = optarg;
			break;
		case 'h':
			std::fputs(usage, stdout);
			std::exit(0);
		default:
			std::exit(exit_usage);
		}
	}
	if (optind != argc || s.data.empty()) {
		std::fputs(usage, stderr);
		std::exit(exit_usage);
	}
	return s;
}

std::vector<result> run_all(const atom::device &device, const std::vector<test_vector> &vectors,
                            const expectations &expected, const corrections &corrected,
                            unsigned threads)
{
	const std::vector<correction> none;
	std::vector<result> results(vectors.size());
	std::atomic<std::size_t> next{0};
	const auto work = [&] {
		for (std::size_t i; (i = next++) < vectors.size();) {
			// A context each: what a fault leaves behind ends with it.
			outcome o;
			std::error_code error;
			const atom::context ctx = atom::context::create(device, error);
			if (error)
				o.text = error.message();
			else if (const auto c = corrected.find(vectors[i].name);
			         c != corrected.end())
				o = run_vector(ctx, vectors[i], c->second);
			else
				o = run_vector(ctx, vectors[i], none);
			results[i] = {vectors[i].name, o, expected.judge(vectors[i].name, o)};
		}
	};
	std::vector<std::thread> pool;
	for (unsigned i = 0; i < threads; ++i)
		pool.emplace_back(work);
	for (std::thread &t : pool)
		t.join();
	return results;
}

int run(const settings &s)
{
	std::vector<test_vector> vectors = find_vectors(s.data);
	std::erase_if(vectors, [&](const test_vector &v) {
		return fnmatch(s.only.c_str(), v.name.c_str(), 0) != 0;
	});
	if (vectors.empty()) {
		std::fprintf(stderr, "onnx_conformance: no vector below %s matches '%s'\n",
		             s.data.c_str(), s.only.c_str());
		return exit_usage;
	}
	expectations expected;
	corrections corrected;
	if (!s.expected.empty()) {
		expected.not_applicable = read_list(s.expected / "expected.txt");
		corrected = read_corrections(s.expected / "corrections.txt");
	}
	const auto device = atom::device::open(s.device);
	const std::vector<result> results = run_all(device, vectors, expected, corrected, s.threads);
	if (!s.report.empty()) {
		write_text(s.report / "conformance.txt", results);
		write_json(s.report / "conformance.json", results);
	}
	if (!s.write_expected.empty())
		write_expected(s.write_expected, results);
	for (const result &r : results)
		if (!r.unexpected.empty())
			std::printf("%s: %s\n", r.vector.c_str(), r.unexpected.c_str());
	const summary total = sum_up(results);
	std::printf("%s\n", to_string(total).c_str());
	return total.unexpected == 0 ? 0 : exit_unexpected;
}

} // namespace

int main(int argc, char **argv)
{
	const settings s = parse(argc, argv);
	try {
		return run(s);
	} catch (const std::exception &e) {
		std::fprintf(stderr, "onnx_conformance: %s\n", e.what());
		return exit_device;
	}
}
