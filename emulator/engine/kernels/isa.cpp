/* SPDX-License-Identifier: MIT */
// Which instruction set is in use, and the sizes of the caches.
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

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

#if defined(__x86_64__)
// Not names of __builtin_cpu_supports() in every compiler. That the system keeps the registers is known from AVX2 and
// AVX-512F, which are asked for first.
bool has_f16c()
{
	unsigned a = 0, b = 0, c = 0, d = 0;
	return __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
}

bool has_avx512_bf16()
{
	unsigned a = 0, b = 0, c = 0, d = 0;
	return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
}
#endif

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
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
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
	return which == isa::avx512_vnni || has_avx512_bf16();
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
	// Not above 512: errors of f32 sums of equal terms all have one sign and grow with the length of a block.
	sizes.groups = std::clamp<std::size_t>(first / (f.rows * 4) / 16 * 16, 64, 512);
	sizes.bytes = std::max<std::size_t>(second, f.columns * 4 * sizes.groups);
	return sizes;
}

} // namespace atom::engine::kernels
