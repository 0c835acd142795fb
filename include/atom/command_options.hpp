// SPDX-License-Identifier: MIT
/**
 * @file command_options.hpp
 * @brief What commands take besides their tensors. Made for designated initialisers:
 * `{.window = {.stride = {2, 2}}, .groups = 32}`. What is left out is the usual case.
 *
 * An optional tensor that is empty is absent. The values of the enumerations are those of
 * atom/hw/command.h; what each means to the last bit is in include/README.md, 8.
 */
#ifndef ATOM_COMMAND_OPTIONS_HPP
#define ATOM_COMMAND_OPTIONS_HPP

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "atom/functions.hpp"
#include "atom/tensor.hpp"

namespace atom {
inline namespace v1 {

/** A set of dimensions, 0 the outermost: `{1, 2}`. */
class axis_set {
public:
	constexpr axis_set() noexcept = default;
	/** One that no tensor has is refused where the set is used. */
	constexpr axis_set(std::initializer_list<unsigned> axes) noexcept
	{
		for (const unsigned axis : axes)
			bits_ |= std::uint32_t{1} << (axis < 31 ? axis : 31);
	}

	/** The one whose bits() these are. */
	[[nodiscard]] static constexpr axis_set of_bits(std::uint32_t bits) noexcept
	{
		axis_set set;
		set.bits_ = bits;
		return set;
	}
	/** Bit n: dimension n. */
	[[nodiscard]] constexpr std::uint32_t bits() const noexcept { return bits_; }
	/** Whether the dimension is in it. */
	[[nodiscard]] constexpr bool contains(unsigned axis) const noexcept
	{
		return axis < 32 && (bits_ >> axis & 1) != 0;
	}

private:
	std::uint32_t bits_ = 0;
};

/** What happens to a result before it is written, in this order. */
struct epilogue {
	std::optional<tensor> bias{};             ///< added; dimensions of the output: f32, or i32
	std::optional<tensor> residual{};         ///< added; dimensions of the output
	function activation = function::identity; ///< applied after the additions
	float p0 = 0;                             ///< first parameter of the activation
	float p1 = 0;                             ///< second parameter
	std::optional<location> table{};          ///< 256 bytes, for function::lut
};

/** Of cast(). */
struct cast_options {
	bool toward_zero = false; ///< else to nearest, ties to even
	bool wrap = false;        ///< integers wrap instead of saturate
};

/**
 * Promises that an operand is constant: constant_b, constant_weight. From the first job with the
 * promise on, none of its bytes changes (nor its channels' scales and zero points) for as long as
 * the memory lives that it lies in, which ends with the last buffer, command buffer and job that
 * has it. The device may keep a copy of its own, so that later jobs are faster. If bytes change all
 * the same, results are as if they had, or had not, each for itself; nothing else happens.
 * So do not promise it of memory that gets other contents later, such as that of a buffer_pool.
 */

/** Of gemm(). */
struct gemm_options {
	float alpha = 1;                   ///< factor on the product
	bool quantise_activations = false; ///< block types in b: quantise rows of a to q8_0 first
	bool constant_b = false;           ///< promise: b is constant, as told above
	atom::epilogue epilogue{};         ///< what happens to the result
};

/** Elements along height and width. */
struct size2d {
	std::uint32_t h = 1; ///< at least 1
	std::uint32_t w = 1; ///< at least 1
};

/** Elements around an image; what lies there counts as real 0. */
struct padding2d {
	std::uint32_t top = 0;    ///< before the first row
	std::uint32_t left = 0;   ///< before the first column
	std::uint32_t bottom = 0; ///< behind the last row
	std::uint32_t right = 0;  ///< behind the last column
};

/** How a kernel moves over an image. */
struct window2d {
	size2d stride{};     ///< between two places of the kernel
	size2d dilation{};   ///< between two taps of the kernel
	padding2d padding{}; ///< around the image
};

/** Of conv2d() and conv_transpose2d(). */
struct conv2d_options {
	window2d window{};            ///< how the kernel moves
	std::uint32_t groups = 1;     ///< divides the channels of input and output
	atom::epilogue epilogue{};    ///< what happens to the result
	bool constant_weight = false; ///< promise: weight is constant, as told above gemm_options
};

/** What pool2d() makes of a window. */
enum class pool_kind : std::uint32_t {
	max = 0,
	average = 1,
	lp = 2, ///< (sum of |x|^p)^(1/p)
};

/** Of pool2d(). */
struct pool2d_options {
	size2d kernel{};               ///< size of the window
	window2d window{};             ///< how it moves
	float p = 0;                   ///< of pool_kind::lp, greater than 0; 0 for the others
	bool count_padding = false;    ///< average: divide by the whole kernel, padding included
	std::optional<tensor> index{}; ///< max: also written, h * W + w of the maximum; i32 or i64
	atom::epilogue epilogue{};     ///< without bias and residual
};

/** How values between pixels are made. */
enum class resize_mode : std::uint8_t {
	nearest = 0,
	linear = 1,
	cubic = 2,
};

/** Where in the input an output index i lies; s = scale, n = input size, m = output size, L = s *
 * n. */
enum class resize_coordinate : std::uint8_t {
	half_pixel = 0,           ///< (i + 0.5) / s - 0.5
	asymmetric = 1,           ///< i / s
	align_corners = 2,        ///< i * (n - 1) / (L - 1), 0 if L is 1
	pytorch_half_pixel = 3,   ///< half_pixel, 0 if m is 1
	half_pixel_symmetric = 4, ///< as ONNX defines it
	crop_and_resize = 5,      ///< inside of roi, as TensorFlow defines it
};

/** How resize_mode::nearest rounds a coordinate. */
enum class resize_nearest : std::uint8_t {
	round_prefer_floor = 0,
	round_prefer_ceil = 1,
	floor = 2,
	ceil = 3,
};

/** A part of an image in units of its size minus 1; 0 to 1 is the whole. */
struct region2d {
	float start_h = 0; ///< first row
	float start_w = 0; ///< first column
	float end_h = 0;   ///< last row
	float end_w = 0;   ///< last column
};

/** Of resize2d(). */
struct resize2d_options {
	resize_mode mode = resize_mode::nearest; ///< how values between pixels are made
	/** Where an output index lies in the input. */
	resize_coordinate coordinate = resize_coordinate::half_pixel;
	resize_nearest nearest = resize_nearest::round_prefer_floor; ///< of resize_mode::nearest
	float scale_h = 0;            ///< output size / input size; 0: of the tensors' dimensions
	float scale_w = 0;            ///< the same for the width
	float cubic_coeff = 0;        ///< of resize_mode::cubic: -0.75 or -0.5 are usual
	region2d roi{};               ///< of resize_coordinate::crop_and_resize
	float extrapolation = 0;      ///< of crop_and_resize: value outside of the input
	bool exclude_outside = false; ///< the weights of what lies outside become 0
	bool antialias = false;       ///< a wider filter when shrinking
};

/** Of glu(). */
struct glu_options {
	float p0 = 0;         ///< of function::silu: x * sigmoid(p0 * x), so 1 is usual
	float limit = 0;      ///< > 0: gate is cut to (-inf, limit] and value to [-limit, limit]
	float bias = 0;       ///< added to value
	bool swapped = false; ///< packed input: the gate is the second half
};

/** What reduce() makes of the elements. */
enum class reduce_kind : std::uint32_t {
	sum = 0,
	mean = 1,
	max = 2,
	min = 3,
	prod = 4,
	argmax = 5, ///< one dimension; out is i32 or i64
	argmin = 6, ///< as argmax
	l1 = 7,
	l2 = 8,
	log_sum = 9,
	log_sum_exp = 10,
	sum_square = 11,
};

/** Of reduce(). */
struct reduce_options {
	bool last_index = false; ///< argmax, argmin: the last of equals, not the first
};

/** Of softmax(). */
struct softmax_options {
	float scale = 1;                ///< factor on the scores, finite
	bool log = false;               ///< the logarithm of softmax
	bool causal = false;            ///< row i sees columns 0 to i + causal_offset
	std::int64_t causal_offset = 0; ///< of causal
	float max_bias = 0;             ///< ALiBi of the mask, as in llama.cpp; 0: slopes are 1
	std::optional<tensor> mask{};   ///< added; dimensions of in; f16 or f32
	std::optional<tensor> sinks{};  ///< f32 [heads], heads being dimension rank - 3
};

/** What norm() makes of a row x. */
enum class norm_kind : std::uint32_t {
	layer = 0, ///< (x - mean) / sqrt(variance + eps)
	rms = 1,   ///< x / sqrt(mean(x^2) + eps)
	l2 = 2,    ///< x / max(sqrt(sum(x^2)), eps)
	l1 = 3,    ///< x / max(sum(|x|), eps)
	lrn = 4,   ///< x / (bias + alpha / size * sum(x^2))^beta over a window of the one axis
};

/** Of norm_kind::lrn. */
struct lrn_options {
	float alpha = 0;        ///< see norm_kind::lrn
	float beta = 0;         ///< see norm_kind::lrn
	float bias = 0;         ///< see norm_kind::lrn
	std::uint32_t size = 0; ///< elements of the window
};

/** Of norm(). */
struct norm_options {
	float eps = 0;                 ///< at least 0
	std::uint32_t groups = 0;      ///< > 0: group_axis is split into so many parts (GroupNorm)
	unsigned group_axis = 0;       ///< a dimension that groups divides
	std::optional<tensor> gamma{}; ///< factor; dimensions of in (tensor::broadcast())
	std::optional<tensor> beta{};  ///< added; as gamma
	std::optional<tensor> mean{};  ///< also written: f32, normalised dimensions are 1
	std::optional<tensor> inverse{}; ///< also written: 1 / divisor; as mean
	lrn_options lrn{};               ///< of norm_kind::lrn
};

/** YaRN, as in llama.cpp. */
struct yarn_options {
	std::uint32_t original_context = 0; ///< positions of the training; 0: no YaRN
	float extrapolation = 0;            ///< ext_factor
	float beta_fast = 0;                ///< 32 is usual
	float beta_slow = 0;                ///< 1 is usual
};

/** Of rope(). */
struct rope_options {
	std::uint32_t rotary_dims = 0;     ///< even; 0: all of the last dimension
	bool interleaved = false;          ///< pairs (2i, 2i + 1), else (i, i + rotary_dims / 2)
	bool inverse = false;              ///< turns back
	unsigned position_axis = 0;        ///< the dimension that positions count
	float base = 10000;                ///< this and what follows: not looked at beside tables
	float frequency_scale = 1;         ///< factor on all frequencies
	float attention = 1;               ///< factor on sine and cosine
	yarn_options yarn{};               ///< frequencies beyond the trained context
	std::optional<tensor> positions{}; ///< i32 or i64 [dims[position_axis]]; absent: tables
	std::optional<tensor> factors{};   ///< f32 [rotary_dims / 2], divides the frequency
	/**
	 * Tables, both or none: dimensions of in, the last rotary_dims / 2; or with positions,
	 * which then select rows, [rows, rotary_dims / 2].
	 */
	std::optional<tensor> cos{};
	std::optional<tensor> sin{}; ///< as cos
};

/** What an index tensor addresses. */
enum class index_mode : std::uint32_t {
	rows = 0,     ///< out[.., index.., ..] = data[.., index[..], ..] along an axis
	elements = 1, ///< out[i..] = data[i.. with i[axis] = index[i..]]
	nd = 2,       ///< the index's last dimension addresses leading dimensions of data
};

/** Of gather(). */
struct gather_options {
	unsigned axis = 0;          ///< of rows and elements
	unsigned batch_dims = 0;    ///< leading dimensions that data and index share
	bool wrap_negative = false; ///< -n counts from the end; else it is a fault
};

/** What becomes of the element that is already there. */
enum class scatter_reduction : std::uint32_t {
	assign = 0, ///< equal indices: the last in row-major order wins
	add = 1,
	mul = 2,
	min = 3,
	max = 4,
};

/** Of scatter(). */
struct scatter_options {
	scatter_reduction reduction = scatter_reduction::assign; ///< what equal places become
	unsigned axis = 0;                                       ///< of rows and elements
	unsigned batch_dims = 0;    ///< leading dimensions that out and index share
	bool wrap_negative = false; ///< -n counts from the end; else it is a fault
};

} // namespace v1
} // namespace atom

#endif
