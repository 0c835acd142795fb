// SPDX-License-Identifier: MIT
// ggml's tensors as libatom's: dimensions the other way round, and split where one repeats inside
// another.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "atom/atom.hpp"
#include "ggml.h"

namespace ggml_atom {

/** Dimensions, the outermost first, with their strides in bytes. */
struct shape {
	std::array<std::uint64_t, atom::rank_max> dims{};
	std::array<std::int64_t, atom::rank_max> strides{};
	unsigned rank = 0;

	/** Adds an inner dimension. @return false if there is no room */
	bool push(std::uint64_t dim, std::int64_t stride);
	/** Adds a dimension of 1 if there is none. */
	void fill(std::int64_t stride);
};

/** dtype::none for types that the device does not know. */
atom::dtype dtype_of(ggml_type type);
bool is_float(const ggml_tensor *t);
bool is_block(const ggml_tensor *t);

/** The four dimensions of @p t. */
shape shape_of(const ggml_tensor *t);

/**
 * Dimensions of @p whole, split such that each of @p parts, which repeats to fill it, has a
 * stride for each. First that of @p whole, then those of the parts. Empty if it needs
 * more dimensions than the device has.
 */
std::vector<shape> tiled(const ggml_tensor *whole,
                         std::initializer_list<const ggml_tensor *> parts);

/**
 * Common dimensions of two tensors with the same number of elements in the same row-major
 * order, whatever the dimensions of each.
 */
std::optional<std::pair<shape, shape>> regrouped(const ggml_tensor *one, const ggml_tensor *other);

} // namespace ggml_atom
