// SPDX-License-Identifier: MIT
// copy.h2d and copy.d2h: 64 MiB between system and device memory by the device, submit to wake.
#include "context.hpp"
#include "figures.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>

using namespace vmtest;

namespace {

constexpr std::uint64_t bytes = 64 * mib;

double gigabytes_per_second(context &c, const drm_atom_job &job)
{
	std::vector<double> rates;
	for (int i = 0; i < 25; ++i) {
		const double start = bench::now();
		c.run(job);
		if (i >= 5) // the first ones fault pages in on the host
			rates.push_back(static_cast<double>(bytes) / (bench::now() - start) / 1e9);
	}
	return bench::quantile(rates);
}

} // namespace

int main()
{
	try {
		context c;
		const memory host = c.alloc(bytes), back = c.alloc(bytes), local = c.alloc(bytes, DRM_ATOM_BO_LOCAL);
		fill_pattern(host.as<std::uint32_t>(), 1);
		const double h2d = gigabytes_per_second(c, c.job(command_list(make_copy_bytes(host.va, local.va, bytes))));
		const double d2h = gigabytes_per_second(c, c.job(command_list(make_copy_bytes(local.va, back.va, bytes))));
		if (find_damage(back.as<std::uint32_t>(), 1) >= 0)
			throw std::runtime_error("the data came back changed");
		bench::tell("copy.h2d", h2d);
		bench::tell("copy.d2h", d2h);
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_copy: %s\n", error.what());
		return 1;
	}
	return 0;
}
