/* SPDX-License-Identifier: MIT */
/**
 * @file atom_commands.h
 * @brief Command buffers for C. Included by atom.h, whose rules hold.
 *
 * Constants of types, functions and kinds (ATOM_DTYPE_*, ATOM_FN_*, ATOM_BINARY_*, ATOM_REDUCE_*,
 * ATOM_NORM_*, ATOM_GATHER_*, ATOM_SCATTER_*, ATOM_POOL_*, ATOM_RESIZE_*, ATOM_COORD_*,
 * ATOM_NEAREST_*) are those of atom/hw/command.h. What a command computes is in include/README.md.
 */
#ifndef ATOM_ATOM_COMMANDS_H
#define ATOM_ATOM_COMMANDS_H

#include "atom/atom_memory.h"
#include "atom/hw/command.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where something starts. */
struct atom_place {
	const atom_buffer *buffer; /**< null: in a slot */
	uint32_t slot;             /**< from 1, argument slot - 1 of each submission; 0: in the buffer */
	uint32_t reserved;         /**< 0 */
	uint64_t offset;           /**< bytes */
};

/** A tensor. Where one is optional, null leaves it out. */
struct atom_operand {
	uint32_t size;                 /**< of the structure */
	uint32_t dtype;                /**< enum atom_dtype */
	struct atom_place where;       /**< of its first element; a command buffer keeps the memory */
	uint32_t rank;                 /**< dimensions, at most ATOM_RANK_MAX */
	uint32_t has_strides;          /**< 1: as in strides, else row-major without gaps */
	uint64_t dims[ATOM_RANK_MAX];  /**< the outermost first */
	int64_t strides[ATOM_RANK_MAX]; /**< bytes; 0 repeats an input, negative ones walk backwards */
	uint32_t quantisation;         /**< enum atom_quant_kind; block types may leave it 0 */
	uint32_t axis;                 /**< of per channel; of block: along which blocks lie, else the last */
	float scale;                   /**< of per tensor */
	int32_t zero_point;            /**< of per tensor */
	struct atom_place scales;      /**< of per channel: f32 [dims[axis]] */
	struct atom_place zero_points; /**< of per channel: i32 [dims[axis]]; all 0: none */
};

/** What happens to a result before it is written. */
struct atom_epilogue_options {
	uint32_t size;                        /**< of the structure */
	uint32_t activation;                  /**< enum atom_function */
	float p0;                             /**< of the activation */
	float p1;                             /**< of the activation */
	const struct atom_operand *bias;      /**< added; optional */
	const struct atom_operand *residual;  /**< added; optional */
	const struct atom_place *table;       /**< 256 bytes, of ATOM_FN_LUT; optional */
};

/*
 * constant_b and constant_weight promise that an operand is constant. From the first job with the
 * promise on, none of its bytes changes (nor its channels' scales and zero points) for as long as
 * the memory lives that it lies in, which ends with the last buffer, command buffer and job that
 * has it. The device may keep a copy of its own, so that later jobs are faster. If bytes change all
 * the same, results are as if they had, or had not, each for itself; nothing else happens.
 * So do not promise it of memory that gets other contents later.
 */

/** Of atom_builder_gemm(). */
struct atom_gemm_options {
	uint32_t size;                               /**< of the structure */
	float alpha;                                 /**< factor; 0: 1 */
	uint32_t quantise_activations;               /**< 1: rows of a to q8_0 first, with block types in b */
	uint32_t constant_b;                         /**< 1: promise: b is constant, as told above */
	const struct atom_epilogue_options *epilogue; /**< null: none */
};

/** How a kernel moves over an image: height, then width. */
struct atom_window_options {
	uint32_t stride[2];   /**< 0: 1 */
	uint32_t dilation[2]; /**< 0: 1 */
	uint32_t padding[4];  /**< top, left, bottom, right */
};

/** Of atom_builder_conv2d() and atom_builder_conv_transpose2d(). */
struct atom_conv2d_options {
	uint32_t size;                               /**< of the structure */
	uint32_t groups;                             /**< 0: 1 */
	struct atom_window_options window;           /**< how the kernel moves */
	const struct atom_epilogue_options *epilogue; /**< null: none */
	uint32_t constant_weight;                    /**< 1: promise: weight is constant, as told above */
	uint32_t reserved;                           /**< 0 */
};

/** Of atom_builder_pool2d(). */
struct atom_pool2d_options {
	uint32_t size;                     /**< of the structure */
	uint32_t count_padding;            /**< 1: an average divides by the whole kernel */
	uint32_t kernel[2];                /**< height, width */
	struct atom_window_options window; /**< how it moves */
	float p;                           /**< of ATOM_POOL_LP */
	const struct atom_operand *index;  /**< of the maximum, also written; optional */
	const struct atom_epilogue_options *epilogue; /**< without additions; null: none */
};

/** Of atom_builder_resize2d(). */
struct atom_resize2d_options {
	uint32_t size;            /**< of the structure */
	uint32_t mode;            /**< enum atom_resize_mode */
	uint32_t coordinate;      /**< enum atom_resize_coordinate */
	uint32_t nearest;         /**< enum atom_resize_nearest */
	float scale[2];           /**< output / input, height and width; 0: of the dimensions */
	float cubic_coeff;        /**< -0.75 or -0.5 are usual */
	float roi[4];             /**< of crop and resize: start h, w, end h, w */
	float extrapolation;      /**< of crop and resize: value outside */
	uint32_t exclude_outside; /**< 1: the weights of what lies outside become 0 */
	uint32_t antialias;       /**< 1: a wider filter when shrinking */
};

/** Of atom_builder_glu(). */
struct atom_glu_options {
	uint32_t size;    /**< of the structure */
	float p0;         /**< of silu; 0: 1 */
	float limit;      /**< > 0: gate and value are cut */
	float bias;       /**< added to value */
	uint32_t swapped; /**< 1: packed input whose second half is the gate */
};

/** Of atom_builder_softmax(). */
struct atom_softmax_options {
	uint32_t size;                    /**< of the structure */
	float scale;                      /**< 0: 1 */
	uint32_t log;                     /**< 1: the logarithm */
	uint32_t causal;                  /**< 1: row i sees columns 0 to i + causal_offset */
	int64_t causal_offset;            /**< of causal */
	float max_bias;                   /**< of ALiBi */
	const struct atom_operand *mask;  /**< added; optional */
	const struct atom_operand *sinks; /**< f32 [heads]; optional */
};

/** Of atom_builder_norm(). */
struct atom_norm_options {
	uint32_t size;                      /**< of the structure */
	float eps;                          /**< at least 0 */
	uint32_t groups;                    /**< > 0: group_axis is split into so many parts */
	uint32_t group_axis;                /**< of groups */
	const struct atom_operand *gamma;   /**< factor; optional */
	const struct atom_operand *beta;    /**< added; optional */
	const struct atom_operand *mean;    /**< also written; optional */
	const struct atom_operand *inverse; /**< also written; optional */
	float lrn_alpha;                    /**< of ATOM_NORM_LRN */
	float lrn_beta;                     /**< of ATOM_NORM_LRN */
	float lrn_bias;                     /**< of ATOM_NORM_LRN */
	uint32_t lrn_size;                  /**< of ATOM_NORM_LRN */
};

/** Of atom_builder_rope(). */
struct atom_rope_options {
	uint32_t size;                        /**< of the structure */
	uint32_t rotary_dims;                 /**< 0: all of the last dimension */
	uint32_t interleaved;                 /**< 1: pairs (2i, 2i + 1) */
	uint32_t inverse;                     /**< 1: turns back */
	uint32_t position_axis;               /**< the dimension that positions count */
	float base;                           /**< 0: 10000 */
	float frequency_scale;                /**< 0: 1 */
	float attention;                      /**< 0: 1 */
	uint32_t yarn_original_context;       /**< 0: no YaRN */
	float yarn_extrapolation;             /**< of YaRN */
	float yarn_beta_fast;                 /**< of YaRN */
	float yarn_beta_slow;                 /**< of YaRN */
	const struct atom_operand *positions; /**< i32 or i64; optional */
	const struct atom_operand *factors;   /**< divide the frequencies; optional */
	const struct atom_operand *cosines;   /**< tables, both or none */
	const struct atom_operand *sines;     /**< as cosines */
};

/** Of atom_builder_gather() and atom_builder_scatter(). */
struct atom_index_options {
	uint32_t size;          /**< of the structure */
	uint32_t axis;          /**< of rows and elements */
	uint32_t batch_dims;    /**< leading dimensions that data and index share */
	uint32_t wrap_negative; /**< 1: -n counts from the end */
	uint32_t reduction;     /**< of scatter: enum atom_scatter_reduction */
};

/** Builds a command buffer. For one thread at a time. */
typedef struct atom_builder atom_builder;
/** Commands, finished: for many threads, queues and submissions. */
typedef struct atom_commands atom_commands;

/** Starts a command buffer. */
ATOM_C_API int atom_builder_create(const atom_context *context, atom_builder **out);
/** Lets go of a builder. */
ATOM_C_API void atom_builder_destroy(atom_builder *builder);
/** Makes the commands; the builder is empty then, and only to be destroyed. */
ATOM_C_API int atom_builder_finish(atom_builder *builder, atom_commands **out);
/** Lets go of commands; jobs in flight keep them. */
ATOM_C_API void atom_commands_destroy(atom_commands *commands);
/** Arguments that a job must bring: the highest slot named; 0 of null. */
ATOM_C_API uint32_t atom_commands_argument_count(const atom_commands *commands);
/** Bytes that the argument of @p slot must have at least; 0 for a slot not used, and of null. */
ATOM_C_API uint64_t atom_commands_argument_bytes(const atom_commands *commands, uint32_t slot);

/*
 * Each adds one command, or fails and leaves the builder as it was. Options may be null. What is
 * between two barriers may run at the same time.
 */

/** Commands from here on carry @p value in faults and traces. */
ATOM_C_API int atom_builder_tag(atom_builder *builder, uint32_t value);
/** Nothing. */
ATOM_C_API int atom_builder_nop(atom_builder *builder);
/** What is behind it starts after all before it have ended. */
ATOM_C_API int atom_builder_barrier(atom_builder *builder);
/** Writes device time and modelled time, two u64. */
ATOM_C_API int atom_builder_timestamp(atom_builder *builder, const struct atom_place *out);
/** out = in, of one type. */
ATOM_C_API int atom_builder_copy(atom_builder *builder, const struct atom_operand *in, const struct atom_operand *out);
/** All elements become @p value. */
ATOM_C_API int atom_builder_fill(atom_builder *builder, const struct atom_operand *out, double value);
/** All elements become the low bytes of @p bits. */
ATOM_C_API int atom_builder_fill_bits(atom_builder *builder, const struct atom_operand *out, uint64_t bits);
/** out = in converted. @p flags: 1 toward zero, 2 integers wrap. */
ATOM_C_API int atom_builder_cast(atom_builder *builder, const struct atom_operand *in, const struct atom_operand *out,
				 uint32_t flags);
/** out = epilogue(alpha * a * b), matrices in the last two dimensions. */
ATOM_C_API int atom_builder_gemm(atom_builder *builder, const struct atom_operand *a, const struct atom_operand *b,
				 const struct atom_operand *out, const struct atom_gemm_options *options);
/** in [N, H, W, C], weight [O, KH, KW, C / groups], out [N, H', W', O]. */
ATOM_C_API int atom_builder_conv2d(atom_builder *builder, const struct atom_operand *in, const struct atom_operand *weight,
				   const struct atom_operand *out, const struct atom_conv2d_options *options);
/** in [N, H, W, C], weight [C, KH, KW, O / groups], out [N, H', W', O]. */
ATOM_C_API int atom_builder_conv_transpose2d(atom_builder *builder, const struct atom_operand *in,
					     const struct atom_operand *weight, const struct atom_operand *out,
					     const struct atom_conv2d_options *options);
/** @p kind: enum atom_pool_kind. */
ATOM_C_API int atom_builder_pool2d(atom_builder *builder, uint32_t kind, const struct atom_operand *in,
				   const struct atom_operand *out, const struct atom_pool2d_options *options);
/** in [N, H, W, C], out [N, H', W', C]. */
ATOM_C_API int atom_builder_resize2d(atom_builder *builder, const struct atom_operand *in, const struct atom_operand *out,
				     const struct atom_resize2d_options *options);
/** out = epilogue(a kind b). @p kind: enum atom_binary_kind. */
ATOM_C_API int atom_builder_binary(atom_builder *builder, uint32_t kind, const struct atom_operand *a,
				   const struct atom_operand *b, const struct atom_operand *out,
				   const struct atom_epilogue_options *epilogue);
/** out = function(in). @p function: enum atom_function. */
ATOM_C_API int atom_builder_unary(atom_builder *builder, uint32_t function, const struct atom_operand *in,
				  const struct atom_operand *out, float p0, float p1);
/** out = condition ? a : b. */
ATOM_C_API int atom_builder_select(atom_builder *builder, const struct atom_operand *condition, const struct atom_operand *a,
				   const struct atom_operand *b, const struct atom_operand *out);
/** out = function(gate) * value; @p value null: both lie in @p gate, one behind the other. */
ATOM_C_API int atom_builder_glu(atom_builder *builder, uint32_t function, const struct atom_operand *gate,
				const struct atom_operand *value, const struct atom_operand *out,
				const struct atom_glu_options *options);
/** @p kind: enum atom_reduce_kind. @p axes: bit n = dimension n. @p last_index: of argmax, argmin. */
ATOM_C_API int atom_builder_reduce(atom_builder *builder, uint32_t kind, const struct atom_operand *in,
				   const struct atom_operand *out, uint32_t axes, uint32_t last_index);
/** Along dimension @p axis. */
ATOM_C_API int atom_builder_softmax(atom_builder *builder, const struct atom_operand *in, const struct atom_operand *out,
				    uint32_t axis, const struct atom_softmax_options *options);
/** @p kind: enum atom_norm_kind. @p axes: bit n = dimension n. */
ATOM_C_API int atom_builder_norm(atom_builder *builder, uint32_t kind, const struct atom_operand *in,
				 const struct atom_operand *out, uint32_t axes, const struct atom_norm_options *options);
/** Needs positions or tables. */
ATOM_C_API int atom_builder_rope(atom_builder *builder, const struct atom_operand *in, const struct atom_operand *out,
				 const struct atom_rope_options *options);
/** out = what @p index names of @p data. @p mode: enum atom_gather_mode. */
ATOM_C_API int atom_builder_gather(atom_builder *builder, uint32_t mode, const struct atom_operand *data,
				   const struct atom_operand *index, const struct atom_operand *out,
				   const struct atom_index_options *options);
/** Changes what @p index names of @p out. @p mode: enum atom_gather_mode. */
ATOM_C_API int atom_builder_scatter(atom_builder *builder, uint32_t mode, const struct atom_operand *updates,
				    const struct atom_operand *index, const struct atom_operand *out,
				    const struct atom_index_options *options);

#ifdef __cplusplus
}
#endif

#endif
