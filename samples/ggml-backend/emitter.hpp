// SPDX-License-Identifier: MIT
// Adds the commands of ggml's operators to a command buffer.
#pragma once

#include "constants.hpp"
#include "shape.hpp"

namespace ggml_atom {

/** Says where tensors lie: in the graph's buffers, or, when it is only asked whether, anywhere. */
class places {
public:
	virtual ~places() = default;
	/** Where the first byte of @p t is. */
	virtual atom::location of(const ggml_tensor *t) = 0;
};

/** What an operator needs to become commands. */
class emitter {
public:
	emitter(atom::command_builder &builder, const atom::device_info &info, places &where,
	        constants &values)
		: commands(builder), info_(info), where_(where), values_(values)
	{
	}

	atom::command_builder &commands;

	[[nodiscard]] const atom::device_info &info() const { return info_; }
	[[nodiscard]] atom::tensor at(const ggml_tensor *t) { return at(t, shape_of(t)); }
	/** The same memory as @p s says. */
	[[nodiscard]] atom::tensor at(const ggml_tensor *t, const shape &s);
	/** An f32 that is @p value everywhere, with the dimensions of @p like. */
	[[nodiscard]] atom::tensor constant(float value, const shape &like);

private:
	const atom::device_info &info_;
	places &where_;
	constants &values_;
};

/** Whether @p node takes no work: it only says how to look at another, or is empty. */
bool is_nothing(const ggml_tensor *node);

/**
 * Adds the commands of @p node, which may run at the same time.
 * @return false if the device cannot do it; atom::system_error says the same
 */
bool lower(emitter &e, const ggml_tensor *node);

// By family; nodes of other operators are refused.
bool lower_matrix(emitter &e, const ggml_tensor *node);
bool lower_elementwise(emitter &e, const ggml_tensor *node);
bool lower_rows(emitter &e, const ggml_tensor *node);
bool lower_moves(emitter &e, const ggml_tensor *node);
bool lower_attention(emitter &e, const ggml_tensor *node);

// What operators are made of, one command or more of it.

/**
 * out[row, column] = sum of x[row, k] * weight[column, k], ggml's MUL_MAT; @p options may not say
 * how to treat blocks. @p added, like out, may be absent; with it there is one matrix.
 */
bool multiply(emitter &e, const ggml_tensor *weight, const ggml_tensor *x, const ggml_tensor *out,
              atom::gemm_options options = {}, const ggml_tensor *added = nullptr);

/** @p node is RMS_NORM; its result times @p factor, one row, goes to @p out. */
bool rms_norm(emitter &e, const ggml_tensor *node, const ggml_tensor *factor,
              const ggml_tensor *out);

/** Along the rows of @p in; @p mask and @p sinks may be absent. */
bool soft_max(emitter &e, const ggml_tensor *in, const ggml_tensor *mask, const ggml_tensor *sinks,
              const ggml_tensor *out, float scale, float max_bias);

/** Bytes behind the result of @p node that its commands use in between. */
std::size_t work_bytes(const ggml_tensor *node);

/** A parameter of an operator: 32 bits at @p index. */
float float_param(const ggml_tensor *node, unsigned index);
std::int32_t int_param(const ggml_tensor *node, unsigned index);

} // namespace ggml_atom
