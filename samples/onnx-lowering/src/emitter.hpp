// SPDX-License-Identifier: MIT
// Tensor arithmetic over views: each method records the commands for one step and returns the
// result in new memory, so that operators are written as expressions. Ranks above the device's,
// strides and broadcasting are dealt with here.
#ifndef ATOM_ONNX_EMITTER_HPP
#define ATOM_ONNX_EMITTER_HPP

#include <optional>
#include <vector>

#include "recorder.hpp"

namespace atom_onnx {

/** An epilogue; bias and residual broadcast to the output. */
struct finish {
	std::optional<view> bias{};
	std::optional<view> residual{};
	atom::function activation = atom::function::identity;
	float p0 = 0;
	float p1 = 0;
};

struct matrix_options {
	float alpha = 1;
	finish after{};
};

struct window_options {
	atom::size2d kernel{};
	atom::window2d window{};
	std::uint32_t groups = 1;
	finish after{};
};

struct pooling_options {
	atom::size2d kernel{};
	atom::window2d window{};
	float p = 0;
	bool count_padding = false;
	std::optional<view> index{};
};

struct softmax_parameters {
	float scale = 1;
	bool log = false;
	bool causal = false;
	std::int64_t causal_offset = 0;
	std::optional<view> mask{}; ///< broadcasts to the input; float
};

struct norm_parameters {
	float eps = 0;
	std::uint32_t groups = 0;
	unsigned group_axis = 0;
	std::optional<view> gamma{}; ///< gamma and beta broadcast to the input
	std::optional<view> beta{};
	std::optional<view> mean{}; ///< written
	std::optional<view> inverse{};
	atom::lrn_options lrn{};
};

/** Tables have the input's dimensions, the last one rotary_dims / 2. */
struct rotary_parameters {
	std::uint32_t rotary_dims = 0;
	bool interleaved = false;
	view cos;
	view sin;
};

/** How indices of a scatter combine and count. */
struct scatter_parameters {
	atom::scatter_reduction reduction = atom::scatter_reduction::assign;
	unsigned axis = 0;
};

class emitter {
public:
	explicit emitter(recorder &r) : recorder_(r) {}

	[[nodiscard]] recorder &commands() { return recorder_; }

	// Memory.
	[[nodiscard]] view allocate(atom::dtype type, const shape &dims);
	[[nodiscard]] view allocate(atom::dtype type, const shape &dims,
	                            const std::vector<unsigned> &memory_order);
	/** Memory in the order of @p like if that has the same dimensions. */
	[[nodiscard]] view allocate_like(atom::dtype type, const shape &dims, const view &like);
	[[nodiscard]] view constant(const host_tensor &data);
	[[nodiscard]] view constant(atom::dtype type, const shape &dims,
	                            const std::vector<double> &values);
	/** One value, broadcast to anything. */
	[[nodiscard]] view scalar(atom::dtype type, double value);

	// Movement (emit_move.cpp).
	void copy(const view &in, const view &out);
	void fill(const view &out, double value);
	[[nodiscard]] view filled(atom::dtype type, const shape &dims, double value);
	/** Itself if it is row-major already. */
	[[nodiscard]] view contiguous(const view &v);
	[[nodiscard]] view reshape(const view &v, const shape &dims);
	[[nodiscard]] view concat(const std::vector<view> &parts, unsigned axis);
	[[nodiscard]] view pad_constant(const view &v, const shape &before, const shape &after,
	                                double value);
	/** To another type; integers wrap, floats are cut toward zero. Drops quantisation. */
	[[nodiscard]] view cast(const view &v, atom::dtype type);
	/** Rounds to nearest even and saturates. */
	[[nodiscard]] view quantise(const view &v, atom::dtype type,
	                            const view_quantisation &quant);
	/** As floats: itself unless it is quantised. */
	[[nodiscard]] view real(const view &v);

	// Elementwise (emit_elementwise.cpp).
	[[nodiscard]] view unary(atom::function fn, const view &v, float p0 = 0, float p1 = 0);
	[[nodiscard]] view binary(atom::binary_kind kind, const view &a, const view &b,
	                          const finish &after = {});
	void binary_into(atom::binary_kind kind, const view &a, const view &b, const view &out,
	                 const finish &after = {});
	[[nodiscard]] view select(const view &condition, const view &a, const view &b);
	[[nodiscard]] view add(const view &a, const view &b);
	[[nodiscard]] view sub(const view &a, const view &b);
	[[nodiscard]] view mul(const view &a, const view &b);
	[[nodiscard]] view div(const view &a, const view &b);

	// Rows (emit_rows.cpp). Reduced dimensions stay, as 1.
	[[nodiscard]] view reduce(atom::reduce_kind kind, const view &v,
	                          const std::vector<unsigned> &axes);
	/** argmax and argmin. */
	[[nodiscard]] view arg(atom::reduce_kind kind, const view &v, unsigned axis, bool last,
	                       atom::dtype type);
	[[nodiscard]] view softmax(const view &v, unsigned axis,
	                           const softmax_parameters &options = {});
	[[nodiscard]] view norm(atom::norm_kind kind, const view &v,
	                        const std::vector<unsigned> &axes, const norm_parameters &options);
	[[nodiscard]] view rope(const view &v, const rotary_parameters &options);

	// Matrices and windows (emit_matrix.cpp). Images are [N, H, W, C]. Weights that are constants
	// of the program are promised to the device to stay as they are.
	[[nodiscard]] view gemm(const view &a, const view &b, const matrix_options &options = {});
	void gemm_into(const view &a, const view &b, const view &out,
	               const matrix_options &options = {});
	void conv(const view &in, const view &weight, const view &out,
	          const window_options &options);
	void conv_transpose(const view &in, const view &weight, const view &out,
	                    const window_options &options);
	void pool(atom::pool_kind kind, const view &in, const view &out,
	          const pooling_options &options);
	void resize(const view &in, const view &out, const atom::resize2d_options &options);

	// Indices, i32 or i64; negative ones count from the end (emit_index.cpp).
	[[nodiscard]] view gather_rows(const view &data, const view &index, unsigned axis);
	[[nodiscard]] view gather_elements(const view &data, const view &index, unsigned axis);
	[[nodiscard]] view gather_nd(const view &data, const view &index, unsigned batch_dims);
	/** Data with the elements that index names changed. */
	[[nodiscard]] view scatter_elements(const view &data, const view &index,
	                                    const view &updates,
	                                    const scatter_parameters &options);
	[[nodiscard]] view scatter_nd(const view &data, const view &index, const view &updates,
	                              const scatter_parameters &options);

private:
	/** Constants are put in order when the graph is lowered. Empty: no constant. */
	std::optional<view> constant_row_major(const view &v);
	/** On i64 (emit_wide.cpp). @throws unsupported dtype where there is no way */
	[[nodiscard]] view wide_binary(atom::binary_kind kind, const view &a, const view &b);

	recorder &recorder_;
};

/**
 * Calls @p use with views of the same elements whose rank the device can take. The views have
 * the same dimensions, the last is the output; nothing is called if there are no elements.
 */
void in_device_rank(std::vector<view> views,
                    const std::function<void(const std::vector<view> &)> &use);

/** @throws unsupported dtype if it is i64 */
void refuse_i64(const view &v, const char *work);

} // namespace atom_onnx

#endif
