// SPDX-License-Identifier: MIT
// Fuzzes the driver's ioctls: several threads on one file and on files of their own, in rounds of a process each.
//
//   atom_ioctl_fuzz SECONDS [SEED [CORPUS]]
//
// First come the seeds of the file CORPUS, then SEED and what follows it. A round is made again by its seed, which is printed; threads race, so that what depends on a race may take several attempts.
// What goes wrong in the kernel, atom-vm sees in its log; here: a call that does not end, something left behind, a device that
// does not work any more.
#include "context.hpp"
#include "machine.hpp"
#include "worker.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ioctl_fuzz;

namespace {

constexpr unsigned threads = 4;
constexpr double round_seconds = 10;
constexpr double patience_seconds = 180;

/* Threads 0 and 1 share a file; all use each other's now and then. */
void run_round(std::uint64_t seed, double seconds, tally &count)
{
	const std::string node = vmtest::device_nodes().at(0);
	std::array<file, threads - 1> files;
	for (auto &f : files)
		f.fd = ::open(node.c_str(), O_RDWR | O_CLOEXEC);
	const std::int64_t end = vmtest::now_ns() + static_cast<std::int64_t>(seconds * 1e9);
	std::vector<std::thread> pool;
	for (unsigned t = 0; t < threads; ++t)
		pool.emplace_back([&, t] {
			worker w(seed * threads + t, node, count);
			random_source random(seed ^ t);
			while (vmtest::now_ns() < end)
				w.step(files[one_in(random, 16) ? below(random, files.size()) : t == 0 ? 0 : t - 1]);
		});
	for (auto &thread : pool)
		thread.join();
}

/* Where in the kernel the threads of a process are. */
void print_stacks(pid_t pid)
{
	for (const auto &thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
		std::ifstream file(thread.path() / "stack");
		const std::string stack{std::istreambuf_iterator<char>(file), {}};
		std::printf("thread %s:\n%s", thread.path().filename().c_str(), stack.c_str());
	}
}

/* @return "" or what is wrong */
std::string judge_round(pid_t pid, double seconds)
{
	int status = 0;
	if (!vmtest::eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }, seconds + patience_seconds)) {
		print_stacks(pid);
		return "a call does not end";
	}
	// The kernel may write where a spoilt pointer says, and that may be the end of the process, but not of the test.
	return WIFEXITED(status) && WEXITSTATUS(status) ? "the round could not run" : "";
}

/* The seeds of a file: a number at the beginning of a line, behind which is said what it found. */
std::vector<std::uint64_t> read_corpus(const char *path)
{
	std::vector<std::uint64_t> seeds;
	std::ifstream file(path);
	if (!file)
		throw std::runtime_error(std::string("cannot read ") + path);
	for (std::string line; std::getline(file, line);)
		if (!line.empty() && line[0] != '#')
			seeds.push_back(std::stoull(line));
	return seeds;
}

int fuzz(double seconds, const std::vector<std::uint64_t> &corpus, std::uint64_t first)
{
	void *shared = mmap(nullptr, vmtest::page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	auto *count = new (shared) tally;
	const auto baseline = vmtest::read_counters();
	const std::int64_t end = vmtest::now_ns() + static_cast<std::int64_t>(seconds * 1e9);
	for (std::size_t round = 0;; ++round) {
		const std::uint64_t seed = round < corpus.size() ? corpus[round] : first + (round - corpus.size());
		const double left = static_cast<double>(end - vmtest::now_ns()) * 1e-9;
		if (left <= 0)
			break;
		std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
		std::fflush(stdout);
		const pid_t pid = fork();
		if (pid < 0)
			throw std::system_error(errno, std::generic_category(), "fork");
		if (pid == 0) {
			run_round(seed, std::min(left, round_seconds), *count);
			_exit(0);
		}
		auto wrong = judge_round(pid, round_seconds);
		if (wrong.empty())
			wrong = vmtest::await_counters(baseline, 0, 60);
		if (!wrong.empty()) {
			std::printf("FAILED with seed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str());
			return 1;
		}
		vmtest::context c;
		c.run(vmtest::command_list(vmtest::make_nop()));
	}
	std::printf("%llu calls, %llu accepted\n", static_cast<unsigned long long>(count->calls),
		    static_cast<unsigned long long>(count->accepted));
	return count->accepted ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		if (argc < 2 || argc > 4)
			throw std::runtime_error("usage: atom_ioctl_fuzz SECONDS [SEED [CORPUS]]");
		const auto corpus = argc > 3 ? read_corpus(argv[3]) : std::vector<std::uint64_t>();
		return fuzz(std::atof(argv[1]), corpus, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
	} catch (const std::exception &error) {
		std::fprintf(stderr, "atom_ioctl_fuzz: %s\n", error.what());
		return 2;
	}
}
