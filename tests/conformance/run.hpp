// SPDX-License-Identifier: MIT
// Running one vector on a device.
#pragma once

#include <optional>
#include <string>

#include "atom/context.hpp"
#include "atom_onnx/unsupported.hpp"
#include "correction.hpp"

namespace conformance {

enum class verdict {
	passed,
	failed,
	not_applicable,
};

struct outcome {
	verdict result = verdict::failed;
	std::string reason;       ///< of not_applicable: its category
	std::string text;         ///< why it failed or does not apply
	std::size_t commands = 0; ///< 0 of a vector that passed: the host knew the result
	bool corrected = false;   ///< compared with corrected outputs
};

/** Never throws: what goes wrong is the vector's outcome. */
outcome run_vector(const atom::context &ctx, const test_vector &v,
                   const std::vector<correction> &corrections);

} // namespace conformance
