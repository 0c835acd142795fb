// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace samples {

/** Numbers, row by row, last dimension innermost. */
struct tensor {
	std::vector<std::int64_t> dims;
	std::vector<float> values;
};

} // namespace samples
