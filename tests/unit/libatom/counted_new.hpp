// SPDX-License-Identifier: MIT
// Counts what operator new gives. It replaces it: for one file of a program of its own.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

namespace atom::test {

inline std::atomic<std::size_t> allocations{0};

} // namespace atom::test

// Once both are inlined GCC 12 sees free() of what operator new gave, and not that this operator new calls malloc().
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void *operator new(std::size_t bytes)
{
	++atom::test::allocations;
	if (void *p = std::malloc(bytes == 0 ? 1 : bytes))
		return p;
	throw std::bad_alloc();
}

void operator delete(void *p) noexcept { std::free(p); }
void operator delete(void *p, std::size_t) noexcept { std::free(p); }
