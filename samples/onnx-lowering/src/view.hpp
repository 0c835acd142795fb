// SPDX-License-Identifier: MIT
// A tensor on the device while a graph is lowered: a strided window on a storage. Most
// movement operators of ONNX are changes of a view and cost nothing.
#ifndef ATOM_ONNX_VIEW_HPP
#define ATOM_ONNX_VIEW_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include "atom_onnx/types.hpp"

namespace atom_onnx {

/** What integers stand for; arrays lie in a storage of constants or of the program. */
struct view_quantisation {
	enum class kind {
		none,
		per_tensor,
		per_channel,
	} of = kind::none;
	float scale = 1;
	std::int32_t zero_point = 0;
	unsigned axis = 0;       ///< per_channel
	int scales = -1;         ///< per_channel: storage of f32 [dims[axis]]
	int zero_points = -1;    ///< per_channel: storage of i32 [dims[axis]], or -1
};

struct view {
	int storage = -1;
	std::int64_t offset = 0; ///< bytes of element (0, 0, ..)
	atom::dtype type = atom::dtype::none;
	shape dims;
	shape strides; ///< bytes; 0 where an element is repeated
	view_quantisation quant;

	[[nodiscard]] unsigned rank() const { return static_cast<unsigned>(dims.size()); }
	[[nodiscard]] std::int64_t dim(unsigned axis) const { return dims[axis]; }
	[[nodiscard]] bool quantised() const
	{
		return quant.of != view_quantisation::kind::none;
	}
	/** Whether its elements stand for reals. */
	[[nodiscard]] bool is_real() const;
};

/** Strides of a dense tensor whose dimensions lie in memory in @p order, outermost first. */
[[nodiscard]] shape dense_strides(atom::dtype type, const shape &dims,
                                  const std::vector<unsigned> &order);
[[nodiscard]] shape row_major_strides(atom::dtype type, const shape &dims);

/** Dimensions from the largest stride to the smallest. */
[[nodiscard]] std::vector<unsigned> memory_order(const view &v);
/** Row-major without gaps; dimensions of 1 have no say. */
[[nodiscard]] bool is_row_major(const view &v);

[[nodiscard]] view permute(const view &v, const std::vector<unsigned> &order);
/** Elements from @p start on, @p count of them, @p step apart (negative: backwards). */
[[nodiscard]] view slice(const view &v, unsigned axis, std::int64_t start, std::int64_t count,
                         std::int64_t step = 1);
/** By NumPy's rules. @throws unsupported invalid_model: the shapes do not fit */
[[nodiscard]] view broadcast(const view &v, const shape &dims);
/** Dimension @p axis, which must be 1, is taken away. */
[[nodiscard]] view squeeze(const view &v, unsigned axis);
[[nodiscard]] view unsqueeze(const view &v, unsigned axis);
/** Makes one of dimensions @p axis and the next, whose strides must fit. */
[[nodiscard]] view merge(const view &v, unsigned axis);
/** Splits dimension @p axis into @p outer and the rest. */
[[nodiscard]] view split(const view &v, unsigned axis, std::int64_t outer);
/** The same elements in order in other dimensions; empty if no strides can say so. */
[[nodiscard]] std::optional<view> reshape(const view &v, const shape &dims);

/** The shape of both broadcast together. @throws unsupported invalid_model */
[[nodiscard]] shape broadcast_shape(const shape &a, const shape &b);

/** First byte and the one behind the last, relative to the storage. */
struct extent {
	std::int64_t begin;
	std::int64_t end;
};
[[nodiscard]] extent extent_of(const view &v);

} // namespace atom_onnx

#endif
