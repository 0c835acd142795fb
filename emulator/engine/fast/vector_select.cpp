/* SPDX-License-Identifier: MIT */
#include "fast/depthwise_vectors.h"
#include "fast/finish.h"
#include "fast/lane_kernels.h"
#include "fast/row_kernels.h"
#include "fast/vector.h"
#include "kernels/gemm.h"

namespace atom::engine::fast {

#ifdef ATOM_ENGINE_X86

namespace {

template <class Table> const Table &select(const Table &baseline, const Table &avx2, const Table &avx512)
{
	switch (kernels::selected()) {
	case kernels::isa::scalar:
		return baseline;
	case kernels::isa::avx2:
		return avx2;
	default:
		return avx512;
	}
}

} // namespace

const vector_kernels &vectors() { return select(vectors_baseline, vectors_avx2, vectors_avx512); }
const depthwise_kernels &depthwise_vectors()
{
	return select(depthwise_vectors_baseline, depthwise_vectors_avx2, depthwise_vectors_avx512);
}
const finish_kernels &finish_vectors() { return select(finish_vectors_baseline, finish_vectors_avx2, finish_vectors_avx512); }
const row_kernels &row_vectors() { return select(row_vectors_baseline, row_vectors_avx2, row_vectors_avx512); }
const lane_kernels &lane_vectors() { return select(lane_vectors_baseline, lane_vectors_avx2, lane_vectors_avx512); }

#else

const vector_kernels &vectors() { return vectors_baseline; }
const depthwise_kernels &depthwise_vectors() { return depthwise_vectors_baseline; }
const finish_kernels &finish_vectors() { return finish_vectors_baseline; }
const row_kernels &row_vectors() { return row_vectors_baseline; }
const lane_kernels &lane_vectors() { return lane_vectors_baseline; }

#endif

} // namespace atom::engine::fast
