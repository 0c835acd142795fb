/* SPDX-License-Identifier: MIT */
// Which instruction set is in use, and the sizes of the caches.
#include <unistd.h>

#include <algorithm>

#include "kernel_table.h"

namespace atom::engine::kernels {
namespace {

const gemm_kernels *table_of(isa which)
{
	switch (which) {
	case isa::scalar:
		return &scalar_kernels;
#if defined(__x86_64__)
	case isa::avx2:
		return &avx2_kernels;
	case isa::avx512:
		return &avx512_kernels;
	case isa::avx512_vnni:
		return &avx512_vnni_kernels;
	case isa::avx512_bf16:
		return &avx512_bf16_kernels;
#endif
	default:
		return nullptr;
	}
}

isa best()
{
	isa found = isa::scalar;
	for (std::size_t i = 0; i < isa_count; ++i)
		if (available(static_cast<isa>(i)))
			found = static_cast<isa>(i);
	return found;
}

struct selection {
	isa which;
	const gemm_kernels *table;
};

selection &current()
{
	static selection one = {best(), table_of(best())};
	return one;
}

/** Bytes of a cache, or a common size where the system does not tell. */
std::size_t cache_size(int name, std::size_t otherwise)
{
	const long size = sysconf(name);
	return size > 0 ? static_cast<std::size_t>(size) : otherwise;
}

} // namespace

const char *name(isa which)
{
	static constexpr const char *names[isa_count] = {"scalar", "avx2", "avx512", "avx512-vnni",
							 "avx512-vnni-bf16"};
	return names[static_cast<std::size_t>(which)];
}

bool available(isa which)
{
	if (which == isa::scalar)
		return true;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c"))
		return false;
	if (which == isa::avx2)
		return true;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
	    !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
		return false;
	if (which == isa::avx512)
		return true;
	if (!__builtin_cpu_supports("avx512vnni"))
		return false;
	return which == isa::avx512_vnni || __builtin_cpu_supports("avx512bf16");
#else
	return false;
#endif
}

isa selected()
{
	return current().which;
}

bool select(isa which)
{
	if (!available(which))
		return false;
	current() = {which, table_of(which)};
	return true;
}

const gemm_kernels &kernels()
{
	return *current().table;
}

blocking block_sizes(const family &f)
{
	// Half of the first cache for the rows of a, half of the second for the block of b.
	static const std::size_t first = cache_size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10) / 2;
	static const std::size_t second = cache_size(_SC_LEVEL2_CACHE_SIZE, 512 << 10) / 2;
	blocking sizes;
	sizes.groups = std::max<std::size_t>(first / (f.rows * 4) / 16 * 16, 64);
	sizes.bytes = std::max<std::size_t>(second, f.columns * 4 * sizes.groups);
	return sizes;
}

} // namespace atom::engine::kernels
