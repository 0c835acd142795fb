// SPDX-License-Identifier: MIT
#pragma once

#include "api.hpp"
#include "npu.hpp"

namespace atom_ort {

/** How ONNX Runtime names the memory of an NPU. */
[[nodiscard]] Ort::MemoryInfo memory_info_of(const npu &on);

/** Whether @p where is memory of @p on. */
[[nodiscard]] bool is_memory_of(const OrtMemoryDevice *where, const npu &on);

/** ONNX Runtime's allocator over the memory of an NPU. */
class allocator : public OrtAllocator {
public:
	explicit allocator(npu &on);

private:
	static allocator &self(OrtAllocator *a) { return *static_cast<allocator *>(a); }

	npu &npu_;
	Ort::MemoryInfo info_;
};

} // namespace atom_ort
