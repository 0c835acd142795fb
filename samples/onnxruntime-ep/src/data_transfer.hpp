// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "api.hpp"
#include "npu.hpp"

namespace atom_ort {

/** Copies tensors between the host and NPUs, and inside of NPUs. */
class data_transfer : public OrtDataTransferImpl {
public:
	/** @param all the NPUs, which must outlive it */
	explicit data_transfer(const std::vector<std::unique_ptr<npu>> &all);

private:
	[[nodiscard]] npu *owner(const OrtMemoryDevice *where) const;
	void copy(const OrtValue *from, OrtValue *to) const;

	const std::vector<std::unique_ptr<npu>> &npus_;
};

} // namespace atom_ort
