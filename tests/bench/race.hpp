// SPDX-License-Identifier: MIT
// Races against oneDNN: one thread each, thread CPU time, taken in turns, the best of several runs counts. oneDNN is held to
// the instruction set that the engine uses.
#pragma once

#include <dnnl.hpp>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <string>

#include "figures.hpp"
#include "kernels/gemm.h"

namespace bench {

inline double cpu_seconds()
{
	timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct aligned {
	explicit aligned(std::size_t bytes)
	    : data(static_cast<std::byte *>(::operator new[](bytes, std::align_val_t{64})))
	{
		std::memset(data, 0, bytes);
	}
	~aligned() { ::operator delete[](data, std::align_val_t{64}); }
	aligned(const aligned &) = delete;
	std::byte *data;
};

/** Seconds of each, the best of several turns; short ones are repeated within a turn. */
inline std::vector<double> race(const std::vector<std::function<void()>> &runners, double operations)
{
	const int repeat = std::max(1, static_cast<int>(2e8 / operations));
	const int turns = operations > 4e9 ? 5 : 15;
	std::vector<double> best(runners.size(), 1e30);
	for (int turn = 0; turn < turns; ++turn)
		for (std::size_t i = 0; i < runners.size(); ++i) {
			const double start = cpu_seconds();
			for (int j = 0; j < repeat; ++j)
				runners[i]();
			best[i] = std::min(best[i], (cpu_seconds() - start) / repeat);
		}
	return best;
}

inline dnnl::cpu_isa cap_of(atom::engine::kernels::isa which)
{
	switch (which) {
	case atom::engine::kernels::isa::avx512_bf16:
		return dnnl::cpu_isa::avx512_core_bf16;
	case atom::engine::kernels::isa::avx512_vnni:
		return dnnl::cpu_isa::avx512_core_vnni;
	case atom::engine::kernels::isa::avx512:
		return dnnl::cpu_isa::avx512_core;
	case atom::engine::kernels::isa::avx2:
		return dnnl::cpu_isa::avx2;
	default:
		return dnnl::cpu_isa::sse41;
	}
}

class geometric_mean {
public:
	void add(double ratio)
	{
		sum_ += std::log(ratio);
		++count_;
	}
	double value() const { return std::exp(sum_ / count_); }

private:
	double sum_ = 0;
	int count_ = 0;
};

inline void tell_both(const std::string &name, double value, double reference)
{
	tell(name.c_str(), value);
	tell((name + ".reference").c_str(), reference);
}

/** Starts the program again with one thread of OpenMP, which reads its environment when it is loaded; caps oneDNN. */
inline bool hold_onednn(char **argv)
{
	const char *threads = std::getenv("OMP_NUM_THREADS");
	if (!threads || std::strcmp(threads, "1") != 0) {
		setenv("OMP_NUM_THREADS", "1", 1);
		execv("/proc/self/exe", argv);
		std::perror("starting again with one thread");
		return false;
	}
	if (dnnl::set_max_cpu_isa(cap_of(atom::engine::kernels::selected())) == dnnl::status::success)
		return true;
	std::fprintf(stderr, "oneDNN does not accept the limit of its instruction set\n");
	return false;
}

} // namespace bench
