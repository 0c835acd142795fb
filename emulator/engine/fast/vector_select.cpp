/* SPDX-License-Identifier: MIT */
#include "fast/vector.h"
#include "kernels/gemm.h"

namespace atom::engine::fast {

const vector_kernels &vectors()
{
#ifdef ATOM_ENGINE_X86
	switch (kernels::selected()) {
	case kernels::isa::scalar:
		break;
	case kernels::isa::avx2:
		return vectors_avx2;
	default:
		return vectors_avx512;
	}
#endif
	return vectors_baseline;
}

} // namespace atom::engine::fast
