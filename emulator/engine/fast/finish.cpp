/* SPDX-License-Identifier: MIT */
/* Compiled once for each instruction set, ATOM_FINISH_VECTORS naming the table; see vector.cpp. */
#include "fast/finish.h"

#ifdef __AVX512F__
#include "fast/finish_avx512.h"
#else
#include "fast/finish_loops.h"
#endif

namespace atom::engine::fast {

constinit const finish_kernels ATOM_FINISH_VECTORS = {finish};

} // namespace atom::engine::fast
