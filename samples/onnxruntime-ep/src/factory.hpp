// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "allocator.hpp"

namespace atom_ort {

/** What ONNX Runtime finds in the plug-in: the NPUs, and providers for sessions on them. */
class factory : public OrtEpFactory {
public:
	factory();

	[[nodiscard]] const std::vector<std::unique_ptr<npu>> &npus() const { return npus_; }

private:
	static factory &self(OrtEpFactory *f) { return *static_cast<factory *>(f); }
	std::size_t offer(const OrtHardwareDevice *const *devices, std::size_t count,
	                  OrtEpDevice **offered, std::size_t offered_max);
	OrtEpDevice *offer_one(const OrtHardwareDevice *device, const npu &on);
	OrtEp *create(const OrtKeyValuePairs *const *metadata, std::size_t count,
	              const OrtSessionOptions *options, const OrtLogger *log);
	npu &find(const std::string &which);
	npu &of_memory(const OrtMemoryDevice *memory);

	std::vector<std::unique_ptr<npu>> npus_;
	std::vector<Ort::MemoryInfo> infos_; ///< of each
	/** Made here, for devices that ONNX Runtime does not list. */
	std::vector<OrtHardwareDevice *> virtual_devices_;
};

} // namespace atom_ort
