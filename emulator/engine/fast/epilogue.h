/* SPDX-License-Identifier: MIT */
/**
 * @file epilogue.h
 * @brief From the sums of GEMM and CONV* to their outputs.
 */
#pragma once

#include "fast/finish.h"
#include "fast/values.h"
#include "kernels/tile_output.h"

namespace atom::engine::fast {

/** Buffers of one worker for a tile's epilogue. */
struct finish_buffers {
	run_buffers run;
	alignas(64) float r[run_elements];
	alignas(64) float s[run_elements];
	alignas(64) float t[run_elements];
	alignas(64) std::int32_t i[run_elements];
	alignas(64) float bias[run_elements];
	alignas(64) std::int32_t integer_bias[run_elements];
	/* Of what direct() said last. */
	alignas(64) float direct_bias[run_elements];
	alignas(64) float direct_factor[run_elements];
	alignas(64) std::int32_t direct_integer_bias[run_elements];
	std::byte lut[256];
};

/** Sums of one tile; they are changed. */
struct sums {
	void *first = nullptr; ///< f32, or i32
	std::size_t stride = 0; ///< elements from row to row
	std::size_t rows = 0, columns = 0; ///< at most run_elements columns
	const float *scale = nullptr; ///< integers: of each column
};

class finisher {
public:
	/** @p exact: the outputs are the i32 sums and their bias. */
	finisher(const epilogue &tail, const tensor &out, bool exact, finish_buffers &buffers);

	/** All outputs of the tile lie between these two in row-major order. False: fault. */
	bool open(memory &mem, const index5 &first, const index5 &last);
	/**
	 * Finishes sums whose rows are @p step outputs apart along dimension 3, and
	 * columns neighbours along dimension 4. False: fault.
	 */
	bool finish(const index5 &first, const sums &of, std::int64_t step = 1);
	/**
	 * How sums become outputs without finish(): from @p first on, @p columns of them along dimension 4 and rows @p step
	 * outputs apart along dimension 3. to.to is nullptr if they do not. False: fault.
	 * @param scale integers: of each column; has to last as long as @p to is used
	 */
	bool direct(const index5 &first, std::size_t columns, std::int64_t step, const float *scale, kernels::tile_output &to);

private:
	bool direct_floats(const index5 &first, std::size_t columns, std::int64_t step, kernels::tile_output &to);
	bool direct_bytes(const index5 &first, std::size_t columns, const float *scale, kernels::tile_output &to);
	bool finish_at_once(const index5 &first, const sums &of, std::int64_t step);
	bool finish_rows(finish_args args, const index5 &first, std::int64_t step);
	void activate(const sums &of, std::byte *out, std::int64_t out_stride);
	/** f32 of the residual where they lie, or nullptr. */
	const std::byte *residual_at(const index5 &first) const;
	bool load_bias(const index5 &first, std::size_t n);
	bool row(const index5 &index, std::size_t n, std::int32_t *sums, const float *scale);
	bool row(const index5 &index, std::size_t n, const float *r);
	std::uint64_t linear(const index5 &index) const;

	const epilogue &tail_;
	const tensor &out_tensor_;
	bool exact_;
	memory *mem_ = nullptr;
	finish_buffers &buf_;
	const finish_kernels &kernels_ = finish_vectors();
	stream out_stream_, bias_stream_, residual_stream_;
	real_run bias_, residual_, out_;
	integer_run integer_bias_, exact_out_;
	bool at_once_ = false;
	bool activates_ = false; ///< at once, but for the activation, which is none of bounds
	std::int64_t bias_at_ = -1; ///< column that the loaded bias begins at
	std::size_t bias_count_ = 0;
};

} // namespace atom::engine::fast
