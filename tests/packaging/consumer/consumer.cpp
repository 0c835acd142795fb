// SPDX-License-Identifier: MIT
// Computes on the in-process device and prints the version of the library that it runs with.
#include <cstdint>
#include <cstdio>
#include <exception>

#include <atom/atom.hpp>

int main()
{
	try {
		const atom::context context(atom::device::open());
		const atom::buffer memory(context, 4096);
		atom::queue queue(context);
		const auto fill = atom::command_builder(context)
		                          .fill(atom::tensor(memory, atom::dtype::i32, {8}), 7)
		                          .finish();
		queue.run({fill, {}});
		if (memory.map().as<std::int32_t>()[7] != 7)
			return 1;
		const atom::library_version v = atom::runtime_version();
		std::printf("%u.%u.%u\n", v.major, v.minor, v.patch);
	} catch (const std::exception &e) {
		std::fprintf(stderr, "%s\n", e.what());
		return 1;
	}
}
