/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: command buffers (spec: include/README.md, 7 and 8).
 *
 * A command buffer is a header and commands behind one another, all 8-byte
 * aligned. Growth: a later minor version may append fields to a command. A
 * device takes a command that is longer than it knows if the bytes beyond are
 * zero, and one as short as version 1.0 knew it; what is missing counts as zero.
 */
#ifndef ATOM_HW_COMMAND_H
#define ATOM_HW_COMMAND_H

#include "dtype.h"
#include "layout.h"

enum atom_opcode {
	ATOM_OP_NOP			= 0x00,
	ATOM_OP_FENCE			= 0x01,
	ATOM_OP_TIMESTAMP		= 0x02,
	ATOM_OP_COPY			= 0x10,
	ATOM_OP_CAST			= 0x11,
	ATOM_OP_GEMM			= 0x20,
	ATOM_OP_CONV2D			= 0x21,
	ATOM_OP_CONVT2D			= 0x22,
	ATOM_OP_POOL2D			= 0x23,
	ATOM_OP_RESIZE2D		= 0x24,
	ATOM_OP_BINARY			= 0x30,
	ATOM_OP_UNARY			= 0x31,
	ATOM_OP_SELECT			= 0x32,
	ATOM_OP_GLU			= 0x33,
	ATOM_OP_REDUCE			= 0x40,
	ATOM_OP_SOFTMAX			= 0x41,
	ATOM_OP_NORM			= 0x42,
	ATOM_OP_ROPE			= 0x43,
	ATOM_OP_GATHER			= 0x50,
	ATOM_OP_SCATTER			= 0x51,
	ATOM_OP_COUNT			= 0x100,
};

#define ATOM_CMDBUF_MAGIC		0x444d4341u	/* "ACMD" in memory order */
#define ATOM_CMDBUF_MAJOR		1
#define ATOM_CMDBUF_MINOR		0
#define ATOM_SLOT_ABSOLUTE		0	/* offset is a VA */
#define ATOM_SLOTS_MAX			1024
#define ATOM_RANK_MAX			5

/** struct atom_cmdbuf_header - start of a command buffer */
struct atom_cmdbuf_header {
	/** @magic: ATOM_CMDBUF_MAGIC. */
	__le32 magic;
	/** @major: ATOM_CMDBUF_MAJOR; the device refuses another. */
	__le16 major;
	/** @minor: any. */
	__le16 minor;
	/** @bytes: of header and commands; must equal the descriptor's. */
	__le32 bytes;
	/** @commands: how many commands follow. */
	__le32 commands;
	/**
	 * @slots: 1 + the highest argument slot named; the table has at least slots - 1
	 * entries.
	 */
	__le32 slots;
	__le32 reserved0;
	__le64 reserved1;
};
ATOM_HW_LAYOUT(struct atom_cmdbuf_header, 32);

/** struct atom_cmd_header - start of a command */
struct atom_cmd_header {
	/** @opcode: enum atom_opcode. */
	__le16 opcode;
	/** @flags: of the opcode; the others must be zero. */
	__le16 flags;
	/** @bytes: of the command with this header, multiple of 8. */
	__le32 bytes;
	/** @tag: of the program's choosing; told in faults and traces. */
	__le32 tag;
	__le32 reserved;
};
ATOM_HW_LAYOUT(struct atom_cmd_header, 16);

/** struct atom_ref - address inside an argument slot */
struct atom_ref {
	/** @slot: 0 = absolute. */
	__le16 slot;
	__le16 reserved0;
	__le32 reserved1;
	/** @offset: bytes from the slot's base, or the VA. */
	__le64 offset;
};
ATOM_HW_LAYOUT(struct atom_ref, 16);

enum atom_quant_kind {
	ATOM_QUANT_NONE			= 0,	/* integers are integers */
	ATOM_QUANT_PER_TENSOR		= 1,	/* real = scale * (q - zero_point) */
	ATOM_QUANT_PER_CHANNEL		= 2,	/* f32 scale[dims[axis]] at scale_offset */
	/* block dtypes: axis = the one that blocks run along */
	ATOM_QUANT_BLOCK		= 3,
};

/** struct atom_quant - what integer elements stand for */
struct atom_quant {
	/** @kind: enum atom_quant_kind. */
	__u8 kind;
	/** @axis: PER_CHANNEL and BLOCK: a dimension of the tensor. */
	__u8 axis;
	/** @slot: PER_CHANNEL: slot of the arrays. */
	__le16 slot;
	/** @scale: PER_TENSOR: finite, greater than 0. */
	float scale;
	/** @zero_point: PER_TENSOR: a value of the dtype. */
	__le32 zero_point;
	/** @flags: ATOM_QUANT_ZERO_POINTS. */
	__le32 flags;
	/** @scale_offset: PER_CHANNEL: f32[dims[axis]]. */
	__le64 scale_offset;
	/** @zero_point_offset: PER_CHANNEL with ATOM_QUANT_ZERO_POINTS: i32[dims[axis]]. */
	__le64 zero_point_offset;
};
ATOM_HW_LAYOUT(struct atom_quant, 32);
#define ATOM_QUANT_ZERO_POINTS		(1u << 0)

/**
 * struct atom_tensor - where a tensor is and how it is laid out
 *
 * Dimension 0 is the outermost. Element (i0, i1, ..) is at
 * base + i0 * strides[0] + i1 * strides[1] + ..; a stride may be 0 (broadcast,
 * inputs only) or negative (inputs only). Strides count bytes and are multiples
 * of the element's size; along the block axis of a block dtype they count
 * bytes from block to block.
 */
struct atom_tensor {
	/** @slot: argument slot, 0 = absolute. */
	__le16 slot;
	/** @dtype: enum atom_dtype; NONE = absent. */
	__u8 dtype;
	/** @rank: 0 (scalar) to ATOM_RANK_MAX. */
	__u8 rank;
	/** @flags: must be zero. */
	__le32 flags;
	/** @offset: of element (0, 0, ..): bytes from the slot's base, or the VA. */
	__le64 offset;
	/** @dims: >= 1 each; those from @rank on are 0. */
	__le64 dims[ATOM_RANK_MAX];
	/** @strides: signed bytes; those from @rank on are 0. */
	__le64 strides[ATOM_RANK_MAX];
	/** @quant: how integers map to reals. */
	struct atom_quant quant;
};
ATOM_HW_LAYOUT(struct atom_tensor, 128);
ATOM_HW_OFFSET(struct atom_tensor, quant, 96);

/*
 * Functions of one value. Used by UNARY, by GLU and by the epilogue's
 * activation; p0 and p1 are its parameters.
 */
enum atom_function {
	ATOM_FN_IDENTITY		= 0,
	ATOM_FN_RELU			= 1,
	ATOM_FN_CLIP			= 2,	/* min(max(x, p0), p1) */
	ATOM_FN_LEAKY_RELU		= 3,	/* x < 0 ? p0 * x : x */
	ATOM_FN_HARD_SIGMOID		= 4,	/* clip(p0 * x + p1, 0, 1) */
	ATOM_FN_HARD_SWISH		= 5,	/* x * clip(x / 6 + 1 / 2, 0, 1) */
	ATOM_FN_SIGMOID			= 6,
	ATOM_FN_TANH			= 7,
	ATOM_FN_GELU_ERF		= 8,
	ATOM_FN_GELU_TANH		= 9,
	ATOM_FN_SILU			= 10,	/* x * sigmoid(p0 * x) */
	ATOM_FN_LUT			= 11,	/* i8/u8 output only: epilogue's 256-byte table */
	ATOM_FN_ELU			= 12,	/* x < 0 ? p0 * (exp(x) - 1) : x */
	ATOM_FN_SELU			= 13,	/* p1 * (x > 0 ? x : p0 * (exp(x) - 1)) */
	ATOM_FN_CELU			= 14,	/* max(0, x) + min(0, p0 * (exp(x / p0) - 1)) */
	ATOM_FN_SOFTPLUS		= 15,	/* log(1 + exp(x)) */
	ATOM_FN_SOFTSIGN		= 16,	/* x / (1 + |x|) */
	ATOM_FN_MISH			= 17,	/* x * tanh(softplus(x)) */
	ATOM_FN_THRESHOLDED_RELU	= 18,	/* x > p0 ? x : 0 */
	ATOM_FN_SHRINK			= 19,	/* x < -p0 ? x + p1 : x > p0 ? x - p1 : 0 */
	ATOM_FN_GELU_QUICK		= 20,	/* x * sigmoid(1.702 * x) */
	ATOM_FN_ABS			= 32,
	ATOM_FN_NEG			= 33,
	ATOM_FN_SIGN			= 34,
	ATOM_FN_EXP			= 35,
	ATOM_FN_LOG			= 36,
	ATOM_FN_SQRT			= 37,
	ATOM_FN_RSQRT			= 38,
	ATOM_FN_RECIPROCAL		= 39,
	ATOM_FN_SQUARE			= 40,
	ATOM_FN_FLOOR			= 41,
	ATOM_FN_CEIL			= 42,
	ATOM_FN_ROUND			= 43,	/* to nearest, ties to even */
	ATOM_FN_TRUNC			= 44,
	ATOM_FN_ERF			= 45,
	ATOM_FN_EXPM1			= 46,
	ATOM_FN_LOG1P			= 47,
	ATOM_FN_SIN			= 48,
	ATOM_FN_COS			= 49,
	ATOM_FN_TAN			= 50,
	ATOM_FN_ASIN			= 51,
	ATOM_FN_ACOS			= 52,
	ATOM_FN_ATAN			= 53,
	ATOM_FN_SINH			= 54,
	ATOM_FN_COSH			= 55,
	ATOM_FN_ASINH			= 56,
	ATOM_FN_ACOSH			= 57,
	ATOM_FN_ATANH			= 58,
	ATOM_FN_LOGICAL_NOT		= 64,	/* x == 0 ? 1 : 0 */
	ATOM_FN_BITWISE_NOT		= 65,	/* integers without quantisation */
	ATOM_FN_IS_NAN			= 66,	/* p0 unused; result 0 or 1 */
	/* p0 != 0: negative ones count, p1 != 0: positive ones */
	ATOM_FN_IS_INF			= 67,
	ATOM_FN_COUNT,
};

/**
 * struct atom_epilogue - what happens to a result before it is written
 *
 * In this order: r = accumulator; r += bias; r += residual; r = activation(r);
 * write r in the output's dtype and quantisation.
 */
struct atom_epilogue {
	/** @activation: enum atom_function; ABS and above only in UNARY. */
	__le16 activation;
	/** @flags: must be zero. */
	__le16 flags;
	__le32 reserved;
	/** @p0: first parameter of the activation, 0 if it has none. */
	float p0;
	/** @p1: second parameter. */
	float p1;
	/** @lut: table of 256 output bytes, indexed by the quantised result; for ATOM_FN_LUT. */
	struct atom_ref lut;
	/**
	 * @bias: absent, or of the output's dimensions (strides of 0 broadcast): f32, or
	 * i32 in units of the accumulator.
	 */
	struct atom_tensor bias;
	/** @residual: absent, or of the output's dimensions (strides of 0 broadcast). */
	struct atom_tensor residual;
};
ATOM_HW_LAYOUT(struct atom_epilogue, 288);

/* NOP does nothing. FENCE: commands behind it start after all before it have
 * ended and their writes are visible to them.
 */
struct atom_cmd_nop {
	struct atom_cmd_header header;
};
ATOM_HW_LAYOUT(struct atom_cmd_nop, 16);

struct atom_cmd_fence {
	struct atom_cmd_header header;
};
ATOM_HW_LAYOUT(struct atom_cmd_fence, 16);

/** struct atom_timestamp - what TIMESTAMP writes */
struct atom_timestamp {
	/** @device_ns: as ATOM_REG_TIMESTAMP. */
	__le64 device_ns;
	/** @modelled_ns: modelled time since the descriptor started. */
	__le64 modelled_ns;
};
ATOM_HW_LAYOUT(struct atom_timestamp, 16);

/* Implies a FENCE before itself. */
struct atom_cmd_timestamp {
	struct atom_cmd_header header;
	/** @out: of a struct atom_timestamp, 8-byte aligned. */
	struct atom_ref out;
};
ATOM_HW_LAYOUT(struct atom_cmd_timestamp, 32);

/* header.flags of COPY */
#define ATOM_COPY_FILL			(1u << 0)	/* @in is absent; elements become @fill */

struct atom_cmd_copy {
	struct atom_cmd_header header;
	/** @fill: the element's bytes, little-endian; the rest 0. */
	__le64 fill;
	/** @in: same dtype and dims as @out; its quantisation is not looked at. */
	struct atom_tensor in;
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_copy, 280);

enum atom_rounding {
	ATOM_ROUND_NEAREST_EVEN		= 0,
	ATOM_ROUND_TOWARD_ZERO		= 1,
};

/* header.flags of CAST */
#define ATOM_CAST_WRAP			(1u << 0)	/* integers wrap instead of saturate */

struct atom_cmd_cast {
	struct atom_cmd_header header;
	/** @rounding: enum atom_rounding. */
	__le32 rounding;
	__le32 reserved;
	struct atom_tensor in;
	/** @out: dims of @in. */
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_cast, 280);

/* header.flags of GEMM */
#define ATOM_GEMM_ACT_Q8		(1u << 0)	/* block B: A becomes q8_0 first */
#define ATOM_GEMM_B_CONSTANT		(1u << 1)	/* promise: B never changes */

/* out[.., m, n] = epilogue(alpha * sum over k of a[.., m, k] * b[.., k, n]) */
struct atom_cmd_gemm {
	struct atom_cmd_header header;
	float alpha;
	__le32 reserved;
	/** @a: rank r of 2 to 5. */
	struct atom_tensor a;
	/** @b: rank r; transposes and broadcast by strides. */
	struct atom_tensor b;
	/** @out: rank r. */
	struct atom_tensor out;
	struct atom_epilogue epilogue;
};
ATOM_HW_LAYOUT(struct atom_cmd_gemm, 696);

/** struct atom_window - geometry of a 2-D sliding window */
struct atom_window {
	__le32 kernel_h;
	__le32 kernel_w;
	__le32 stride_h;
	__le32 stride_w;
	__le32 dilation_h;
	__le32 dilation_w;
	__le32 pad_top;
	__le32 pad_left;
	__le32 pad_bottom;
	__le32 pad_right;
};
ATOM_HW_LAYOUT(struct atom_window, 40);

/* header.flags of CONV2D and CONVT2D */
#define ATOM_CONV_WEIGHT_CONSTANT	(1u << 0)	/* promise: weight never changes */

struct atom_cmd_conv2d {
	struct atom_cmd_header header;
	struct atom_window window;
	/** @groups: divides input and output channels. */
	__le32 groups;
	__le32 reserved;
	/** @in: [N, H, W, C]. */
	struct atom_tensor in;
	/** @weight: CONV2D [O, KH, KW, C / groups]; CONVT2D [C, KH, KW, O / groups]. */
	struct atom_tensor weight;
	/** @out: [N, H', W', O]; CONVT2D's H', W' say the output padding. */
	struct atom_tensor out;
	struct atom_epilogue epilogue;
};
ATOM_HW_LAYOUT(struct atom_cmd_conv2d, 736);

enum atom_pool_kind {
	ATOM_POOL_MAX			= 0,
	ATOM_POOL_AVERAGE		= 1,
	ATOM_POOL_LP			= 2,	/* (sum of |x|^p)^(1/p) */
};

/* header.flags of POOL2D */
#define ATOM_POOL_COUNT_PAD		(1u << 0)	/* AVERAGE counts pads too */

struct atom_cmd_pool2d {
	struct atom_cmd_header header;
	struct atom_window window;
	/** @kind: enum atom_pool_kind. */
	__le32 kind;
	/** @p: of LP: > 0; else 0. */
	float p;
	/** @in: [N, H, W, C]; integers without quantisation: MAX only. */
	struct atom_tensor in;
	/** @out: [N, H', W', C]. */
	struct atom_tensor out;
	/** @index: MAX only, optional: i32 or i64, dims of @out: h * W + w of the maximum or -1. */
	struct atom_tensor index;
	/** @epilogue: bias and residual absent. */
	struct atom_epilogue epilogue;
};
ATOM_HW_LAYOUT(struct atom_cmd_pool2d, 736);

enum atom_resize_mode {
	ATOM_RESIZE_NEAREST		= 0,
	ATOM_RESIZE_LINEAR		= 1,
	ATOM_RESIZE_CUBIC		= 2,
};

/* out index -> in coordinate; s = scale, n = in size, m = out size, L = s * n */
enum atom_resize_coordinate {
	ATOM_COORD_HALF_PIXEL		= 0,	/* (i + 0.5) / s - 0.5 */
	ATOM_COORD_ASYMMETRIC		= 1,	/* i / s */
	ATOM_COORD_ALIGN_CORNERS	= 2,	/* i * (n - 1) / (L - 1), 0 if L = 1 */
	ATOM_COORD_PYTORCH_HALF_PIXEL	= 3,	/* HALF_PIXEL, 0 if m = 1 */
	/* n / 2 * (1 - m / L) + (i + 0.5) / s - 0.5 */
	ATOM_COORD_HALF_PIXEL_SYMMETRIC	= 4,
	/* start * (n - 1) + i * (end - start) * (n - 1) / (L - 1) */
	ATOM_COORD_CROP_AND_RESIZE	= 5,
};

enum atom_resize_nearest {
	ATOM_NEAREST_ROUND_PREFER_FLOOR	= 0,
	ATOM_NEAREST_ROUND_PREFER_CEIL	= 1,
	ATOM_NEAREST_FLOOR		= 2,
	ATOM_NEAREST_CEIL		= 3,
};

/* header.flags of RESIZE2D */
#define ATOM_RESIZE_EXCLUDE_OUTSIDE	(1u << 0)
#define ATOM_RESIZE_ANTIALIAS		(1u << 1)

struct atom_cmd_resize2d {
	struct atom_cmd_header header;
	__u8 mode;		/* enum atom_resize_mode */
	__u8 coordinate;	/* enum atom_resize_coordinate */
	__u8 nearest;		/* enum atom_resize_nearest */
	__u8 reserved0;
	/* out size / in size as the caller means it, > 0; the f32 next to that stands for it */
	float scale_h;
	float scale_w;
	float cubic_coeff;
	float roi[4];		/* CROP_AND_RESIZE: start h, start w, end h, end w */
	float extrapolation;	/* CROP_AND_RESIZE: value outside the input */
	__le32 reserved1;
	/** @in: [N, H, W, C]; integers without quantisation: NEAREST only. */
	struct atom_tensor in;
	/** @out: [N, H', W', C]. */
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_resize2d, 312);

enum atom_binary_kind {
	ATOM_BINARY_ADD			= 0,
	ATOM_BINARY_SUB			= 1,
	ATOM_BINARY_MUL			= 2,
	ATOM_BINARY_DIV			= 3,	/* integers: toward zero; by zero gives 0 */
	ATOM_BINARY_MIN			= 4,	/* NaN if either is */
	ATOM_BINARY_MAX			= 5,	/* NaN if either is */
	ATOM_BINARY_POW			= 6,
	ATOM_BINARY_MOD			= 7,	/* sign of b */
	ATOM_BINARY_FMOD		= 8,	/* sign of a */
	ATOM_BINARY_PRELU		= 9,	/* a < 0 ? a * b : a */
	ATOM_BINARY_ATAN2		= 10,
	/* Comparisons: out is u8, 0 or 1. */
	ATOM_BINARY_EQ			= 16,
	ATOM_BINARY_NE			= 17,
	ATOM_BINARY_LT			= 18,
	ATOM_BINARY_LE			= 19,
	ATOM_BINARY_GT			= 20,
	ATOM_BINARY_GE			= 21,
	/* Logic on truth values: out is u8, 0 or 1. */
	ATOM_BINARY_LOGICAL_AND		= 24,
	ATOM_BINARY_LOGICAL_OR		= 25,
	ATOM_BINARY_LOGICAL_XOR		= 26,
	/* Integers without quantisation. */
	ATOM_BINARY_AND			= 32,
	ATOM_BINARY_OR			= 33,
	ATOM_BINARY_XOR			= 34,
	ATOM_BINARY_SHL			= 35,	/* by b & (bits - 1) */
	ATOM_BINARY_SHR			= 36,	/* arithmetic for signed */
};

struct atom_cmd_binary {
	struct atom_cmd_header header;
	/** @kind: enum atom_binary_kind. */
	__le32 kind;
	__le32 reserved;
	/** @a: dims of @out; broadcast by strides of 0. */
	struct atom_tensor a;
	/** @b: dims of @out; broadcast by strides of 0. */
	struct atom_tensor b;
	struct atom_tensor out;
	/** @epilogue: bias absent. */
	struct atom_epilogue epilogue;
};
ATOM_HW_LAYOUT(struct atom_cmd_binary, 696);

struct atom_cmd_unary {
	struct atom_cmd_header header;
	/** @function: enum atom_function but LUT. */
	__le32 function;
	float p0;
	float p1;
	__le32 reserved;
	struct atom_tensor in;
	/** @out: dims of @in. */
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_unary, 288);

/* out = cond ? a : b */
struct atom_cmd_select {
	struct atom_cmd_header header;
	/** @cond: u8, dims of @out. Quantisation is not looked at, of the others neither. */
	struct atom_tensor cond;
	/** @a: dtype and dims of @out; any dtype but block types. */
	struct atom_tensor a;
	struct atom_tensor b;
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_select, 528);

/* header.flags of GLU */
#define ATOM_GLU_SWAPPED		(1u << 0)	/* packed input: gate is the second half */

/* out = function(gate) * (value + bias) */
struct atom_cmd_glu {
	struct atom_cmd_header header;
	/** @function: RELU, SIGMOID, SILU, GELU_ERF, GELU_TANH, GELU_QUICK or IDENTITY. */
	__le32 function;
	float p0;
	/** @limit: > 0: gate is clamped to (-inf, limit], value to [-limit, limit]. Finite. */
	float limit;
	/** @bias: added to value. Finite. */
	float bias;
	/** @gate: dims of @out; or, if @value is absent, its last dimension is twice that, halves
	 * one behind the other.
	 */
	struct atom_tensor gate;
	struct atom_tensor value;
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_glu, 416);

enum atom_reduce_kind {
	ATOM_REDUCE_SUM			= 0,
	ATOM_REDUCE_MEAN		= 1,
	ATOM_REDUCE_MAX			= 2,
	ATOM_REDUCE_MIN			= 3,
	ATOM_REDUCE_PROD		= 4,
	ATOM_REDUCE_ARGMAX		= 5,	/* one axis; out i32 or i64 */
	ATOM_REDUCE_ARGMIN		= 6,
	ATOM_REDUCE_L1			= 7,
	ATOM_REDUCE_L2			= 8,
	ATOM_REDUCE_LOG_SUM		= 9,
	ATOM_REDUCE_LOG_SUM_EXP		= 10,
	ATOM_REDUCE_SUM_SQUARE		= 11,
};

/* header.flags of REDUCE */
#define ATOM_REDUCE_LAST_INDEX		(1u << 0)	/* ARGMAX, ARGMIN: last of equals */

struct atom_cmd_reduce {
	struct atom_cmd_header header;
	/** @kind: enum atom_reduce_kind. */
	__le32 kind;
	/** @axes: bit n = dimension n is reduced. */
	__le32 axes;
	struct atom_tensor in;
	/** @out: rank of @in, reduced dimensions are 1. */
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_reduce, 280);

/* header.flags of SOFTMAX */
#define ATOM_SOFTMAX_LOG		(1u << 0)
#define ATOM_SOFTMAX_CAUSAL		(1u << 1)	/* row i: columns 0 .. i + causal_offset */

/* out = softmax(in * scale + slope * mask), along axis */
struct atom_cmd_softmax {
	struct atom_cmd_header header;
	__le32 axis;
	float scale;
	__le64 causal_offset;	/* signed */
	/** @max_bias: ALiBi, as in llama.cpp; 0 = slope 1. Heads are dimension rank - 3. */
	float max_bias;
	__le32 reserved;
	struct atom_tensor in;
	/** @mask: optional, dims of @in; f16 or f32. */
	struct atom_tensor mask;
	/** @sinks: optional f32 [heads]: a further logit a row, not written. */
	struct atom_tensor sinks;
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_softmax, 552);

enum atom_norm_kind {
	ATOM_NORM_LAYER			= 0,	/* (x - mean) / sqrt(var + eps) */
	ATOM_NORM_RMS			= 1,	/* x / sqrt(mean(x^2) + eps) */
	ATOM_NORM_L2			= 2,	/* x / max(sqrt(sum(x^2)), eps) */
	ATOM_NORM_L1			= 3,	/* x / max(sum(|x|), eps) */
	/* x / (bias + alpha / size * sum(x^2))^beta over a window of axis */
	ATOM_NORM_LRN			= 4,
};

/* out = norm(in) * gamma + beta over the axes named */
struct atom_cmd_norm {
	struct atom_cmd_header header;
	/** @kind: enum atom_norm_kind. */
	__le32 kind;
	/** @axes: bit n = dimension n is normalised over; LRN: the one axis. */
	__le32 axes;
	/**
	 * @groups: 0, or the dimension @group_axis is split into so many parts (GroupNorm);
	 * rank <= 4.
	 */
	__le32 groups;
	__le32 group_axis;
	float eps;		/* >= 0 */
	float lrn_alpha;
	float lrn_beta;
	float lrn_bias;
	__le32 lrn_size;
	__le32 reserved;
	struct atom_tensor in;
	/** @gamma: optional floats, dims of @in (strides of 0 broadcast). */
	struct atom_tensor gamma;
	struct atom_tensor beta;
	struct atom_tensor out;
	/**
	 * @mean: optional f32 output of LAYER, rank of @in, normalised dimensions 1,
	 * @group_axis @groups.
	 */
	struct atom_tensor mean;
	/** @inverse: optional f32 output: 1 / divisor, as @mean. */
	struct atom_tensor inverse;
};
ATOM_HW_LAYOUT(struct atom_cmd_norm, 824);

/* header.flags of ROPE */
#define ATOM_ROPE_INTERLEAVED		(1u << 0)	/* pairs (2i, 2i + 1), not halves */
#define ATOM_ROPE_INVERSE		(1u << 1)	/* rotates back */

struct atom_cmd_rope {
	struct atom_cmd_header header;
	/** @rotary_dims: even, at most the last dimension; the rest is copied. */
	__le32 rotary_dims;
	__le32 original_context;	/* YaRN */
	/* These are 0 with tables. */
	float base;
	float frequency_scale;
	float extrapolation;		/* YaRN ext_factor, 0 = off: so are context and betas */
	float attention;		/* factor on sin and cos */
	float beta_fast;
	float beta_slow;
	/** @in: [.., heads, head dims] in any order of the dimensions but the last. */
	struct atom_tensor in;
	/**
	 * @positions: i32 or i64, [dims[position_axis]], or dims of @in with last 1 (strides of 0
	 * broadcast); or absent with tables.
	 */
	struct atom_tensor positions;
	/** @factors: optional f32 [rotary_dims / 2], divides the frequency. */
	struct atom_tensor factors;
	/**
	 * @cos: optional table of dims of @in with last rotary_dims / 2 (strides of 0
	 * broadcast), or, with @positions, [positions known, rotary_dims / 2].
	 */
	struct atom_tensor cos;
	struct atom_tensor sin;
	/** @out: dims of @in. */
	struct atom_tensor out;
	/** @position_axis: for @positions of rank 1, else 0. */
	__le32 position_axis;
	__le32 reserved;
};
ATOM_HW_LAYOUT(struct atom_cmd_rope, 824);

/* GATHER reads data, SCATTER writes out the same way round: out[where] = updates[..] */
enum atom_gather_mode {
	/* out[.., idx.., ..] = data[.., index[idx..], ..] along axis */
	ATOM_GATHER_ROWS		= 0,
	ATOM_GATHER_ELEMENTS		= 1,	/* out[i..] = data[i.. with i[axis] = index[i..]] */
	/* last dimension of index addresses leading dims of data */
	ATOM_GATHER_ND			= 2,
};

/* header.flags of GATHER and SCATTER */
#define ATOM_INDEX_WRAP_NEGATIVE	(1u << 0)	/* -n counts from the end */

struct atom_cmd_gather {
	struct atom_cmd_header header;
	/** @mode: enum atom_gather_mode. */
	__le32 mode;
	/** @axis: a dimension of @data; ND: 0. */
	__le32 axis;
	/** @batch_dims: leading dimensions shared by data and index; ELEMENTS: 0. */
	__le32 batch_dims;
	__le32 reserved;
	/**
	 * @data: dtype of @out, but in mode ROWS floats are converted, and block dtypes (along
	 * the last dimension) become f32, f16 or bf16.
	 */
	struct atom_tensor data;
	/** @index: i32 or i64. */
	struct atom_tensor index;
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_gather, 416);

/* Reductions take integers without quantisation, or floats. */
enum atom_scatter_reduction {
	/* equal indices: the last in row-major order wins */
	ATOM_SCATTER_ASSIGN		= 0,
	ATOM_SCATTER_ADD		= 1,
	ATOM_SCATTER_MUL		= 2,
	ATOM_SCATTER_MIN		= 3,
	ATOM_SCATTER_MAX		= 4,
};

struct atom_cmd_scatter {
	struct atom_cmd_header header;
	/** @mode: enum atom_gather_mode. */
	__le32 mode;
	/** @axis: a dimension of @out; ND: 0. */
	__le32 axis;
	/** @reduction: enum atom_scatter_reduction. */
	__le32 reduction;
	/** @batch_dims: leading dimensions shared by out and index; ELEMENTS: 0. */
	__le32 batch_dims;
	/** @updates: dtype of @out, but in mode ROWS floats are converted. */
	struct atom_tensor updates;
	/** @index: i32 or i64. */
	struct atom_tensor index;
	/** @out: changed in place. */
	struct atom_tensor out;
};
ATOM_HW_LAYOUT(struct atom_cmd_scatter, 416);

#endif
