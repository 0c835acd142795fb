// SPDX-License-Identifier: MIT
#include "allocator.hpp"

#include "atom/hw/pci.h"

namespace atom_ort {
namespace {

// ONNX Runtime puts several tensors into one allocation, each at a multiple of this.
constexpr std::size_t alignment = 256;

} // namespace

Ort::MemoryInfo memory_info_of(const npu &on)
{
	return {"AtomLocal",
	        OrtMemoryInfoDeviceType_NPU,
	        ATOM_PCI_VENDOR_ID,
	        on.number(),
	        OrtDeviceMemoryType_DEFAULT,
	        alignment,
	        OrtDeviceAllocator};
}

bool is_memory_of(const OrtMemoryDevice *where, const npu &on)
{
	const OrtEpApi &api = Ort::GetEpApi();
	return where != nullptr &&
	       api.MemoryDevice_GetDeviceType(where) == OrtMemoryInfoDeviceType_NPU &&
	       api.MemoryDevice_GetVendorId(where) == ATOM_PCI_VENDOR_ID &&
	       api.MemoryDevice_GetDeviceId(where) == on.number();
}

allocator::allocator(npu &on) : OrtAllocator{}, npu_(on), info_(memory_info_of(on))
{
	version = ORT_API_VERSION;
	Alloc = [](OrtAllocator *a, std::size_t bytes) -> void * {
		npu &n = self(a).npu_;
		if (bytes == 0)
			return nullptr;
		try {
			return n.memory().publish(std::make_shared<block>(n.open(), bytes));
		} catch (const std::exception &e) {
			// ONNX Runtime passes the null on; who is given it asks why.
			n.set_memory_error(std::to_string(bytes) + " bytes: " + e.what());
			return nullptr;
		}
	};
	Free = [](OrtAllocator *a, void *address) {
		self(a).npu_.memory().forget(address);
	};
	Info = [](const OrtAllocator *a) -> const OrtMemoryInfo * {
		return static_cast<const allocator *>(a)->info_;
	};
	Reserve = Alloc;
}

} // namespace atom_ort
