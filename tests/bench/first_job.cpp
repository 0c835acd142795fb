// SPDX-License-Identifier: MIT
// boot.seconds: runs one job and says so; the runner on the host looks at its clock then.
#include "context.hpp"
#include "figures.hpp"

#include <cstdio>
#include <exception>

int main()
{
	try {
		vmtest::context c;
		c.run(vmtest::command_list(vmtest::make_nop()));
		bench::tell("first_job", 1);
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_first_job: %s\n", error.what());
		return 1;
	}
	return 0;
}
