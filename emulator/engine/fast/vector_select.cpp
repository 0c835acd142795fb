/* SPDX-License-Identifier: MIT */
#include "fast/products.h"
#include "fast/vector.h"
#include "kernels/gemm.h"

namespace atom::engine::fast {

#ifdef ATOM_ENGINE_X86
namespace {

template <class Table>
const Table &choose(const Table &baseline, const Table &avx2, const Table &avx512)
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

const vector_kernels &vectors() { return choose(vectors_baseline, vectors_avx2, vectors_avx512); }
const product_kernels &products() { return choose(products_baseline, products_avx2, products_avx512); }
#else
const vector_kernels &vectors() { return vectors_baseline; }
const product_kernels &products() { return products_baseline; }
#endif

} // namespace atom::engine::fast
