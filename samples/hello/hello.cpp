// SPDX-License-Identifier: MIT
// The whole life of a job: open a device, allocate, copy in, multiply two matrices, wait, read.
#include <algorithm>
#include <cstdio>

#include "atom/atom.hpp"

using namespace std::chrono_literals;

int main()
{
	try {
		const auto device = atom::device::open();
		const atom::context context(device);
		atom::queue queue(context);

		// Memory that both sides reach, zero at first.
		const atom::buffer a(context, 2 * 3 * sizeof(float));
		const atom::buffer b(context, 3 * 2 * sizeof(float));
		const atom::buffer c(context, 2 * 2 * sizeof(float));
		const float a_values[] = {1, 2, 3, 4, 5, 6};
		const float b_values[] = {7, 8, 9, 10, 11, 12};
		std::copy(std::begin(a_values), std::end(a_values), a.map().as<float>().begin());
		std::copy(std::begin(b_values), std::end(b_values), b.map().as<float>().begin());

		// Commands are built once; each submission fills the slots with buffers of its own.
		using atom::dtype, atom::slot, atom::tensor;
		const auto multiply = atom::command_builder(context)
		                              .gemm(tensor(slot(1), dtype::f32, {2, 3}),
		                                    tensor(slot(2), dtype::f32, {3, 2}),
		                                    tensor(slot(3), dtype::f32, {2, 2}))
		                              .finish();

		const atom::fence done = queue.submit({multiply, {a, b, c}});
		const atom::completion result = done.wait_for(10s); // throws if the job failed

		const auto out = c.map();
		for (int row = 0; row < 2; ++row)
			std::printf("%6g %6g\n", out.as<float>()[2 * row],
			            out.as<float>()[2 * row + 1]);
		std::printf("on %s: %s\n", device.info().path.c_str(), result.to_string().c_str());
		const float expected[] = {58, 64, 139, 154};
		return std::equal(std::begin(expected), std::end(expected), out.as<float>().begin())
		               ? 0
		               : 1;
	} catch (const atom::system_error &e) {
		std::fprintf(stderr, "hello: %s\n", e.what());
		return 1;
	}
}
