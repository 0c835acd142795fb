// SPDX-License-Identifier: MIT
// ggml's tensors as libatom's: dimensions the other way round, and split where one repeats inside
// another.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <vector>

#include "atom/atom.hpp"
#include "ggml.h"

namespace ggml_atom {

/** Dimensions, the outermost first, with their strides in bytes. */
struct shape {
	std::array<std::uint64_t, atom::rank_max> dims{};
	std::array<std::int64_t, atom::rank_max> strides{};
	unsigned rank = 0;
	std::int64_t offset = 0; ///< bytes by which it starts behind the tensor

	/** Adds an inner dimension; there must be room. */
	void push(std::int64_t dim, std::int64_t stride);
};

/** dtype::none for types that the device does not know. */
atom::dtype dtype_of(ggml_type type);
bool is_float(const ggml_tensor *t);
bool is_block(const ggml_tensor *t);

/** The stride of dimension @p axis of @p t in bytes. */
std::int64_t stride_of(const ggml_tensor *t, int axis);
/** The four dimensions of @p t. */
shape shape_of(const ggml_tensor *t);

/**
 * Dimensions along which several tensors are walked together, each with strides of its own. They
 * can be more than the device has: the outermost are then done by several commands.
 */
class nest {
public:
	explicit nest(std::size_t tensors) : tensors_(tensors) {}

	/** Adds an inner dimension with a stride for each tensor. One that goes on in all is
	 * merged. */
	void add(std::int64_t count, const std::vector<std::int64_t> &strides);

	/**
	 * Calls @p command with a shape for each tensor, of at most @p room dimensions and at least
	 * @p least, once for each command. @return false, and no call, if these are too many
	 */
	bool split(unsigned room, unsigned least,
	           const std::function<void(const std::vector<shape> &)> &command) const;

private:
	struct axis {
		std::int64_t count;
		std::vector<std::int64_t> strides;
	};

	std::size_t tensors_;
	std::vector<axis> axes_; // the outermost first
};

/**
 * Dimensions of @p whole (the first of the nest), split such that @p parts, which repeat to
 * fill it, have strides for them.
 */
std::optional<nest> tiled(const ggml_tensor *whole,
                          std::initializer_list<const ggml_tensor *> parts);

/**
 * Two tensors with the same number of elements, none of a block type, walked in row-major order,
 * whatever the dimensions of each.
 */
std::optional<nest> regrouped(const ggml_tensor *one, const ggml_tensor *other);

} // namespace ggml_atom
