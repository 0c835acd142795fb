// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "atom/atom.hpp"

namespace ggml_atom {

/**
 * Numbers in memory of the device, for operators whose commands take a tensor where ggml has
 * a parameter. Each is written once and stays. Thread-safe.
 */
class constants {
public:
	explicit constants(atom::context ctx) : context_(std::move(ctx)) {}

	/** Where @p value lies as f32. @throws atom::system_error when memory is short */
	atom::location find(float value);

private:
	atom::context context_;
	std::mutex mutex_;
	std::map<std::uint32_t, atom::location> known_; // by bits: NaN is a key too
	atom::buffer page_;
	atom::mapping bytes_;
	std::size_t used_ = 0;
};

} // namespace ggml_atom
