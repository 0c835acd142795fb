// SPDX-License-Identifier: MIT
/**
 * @file command.hpp
 * @brief Building what the device executes.
 *
 * Commands of a buffer may run at the same time; where one needs what another wrote, put a
 * barrier() between them. What each command computes, to the last bit, is
 * written in include/README.md, 8. The builder refuses what is plainly wrong; the device is
 * the authority and may refuse more (completion::fault).
 */
#ifndef ATOM_COMMAND_HPP
#define ATOM_COMMAND_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>

#include "atom/command_options.hpp"
#include "atom/functions.hpp"
#include "atom/tensor.hpp"

namespace atom {
namespace core {
struct command_memory;
class encoder;
} // namespace core

inline namespace v1 {

/**
 * Commands, ready to run. Immutable: one can be submitted many times, at the same time, by
 * several threads, with arguments of their own. A cheap handle that keeps the memory
 * of the commands, and each buffer that they name, alive. Thread-safe.
 */
class ATOM_API command_buffer {
public:
	/** An empty handle. */
	command_buffer() noexcept = default;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }
	/** As the device reads it: struct atom_cmdbuf_header and commands. Empty if empty. */
	[[nodiscard]] span<const std::byte> bytes() const noexcept;
	/** Number of commands. */
	[[nodiscard]] std::uint32_t size() const noexcept;
	/** Arguments that a submission must bring: the highest slot named. */
	[[nodiscard]] std::uint32_t argument_count() const noexcept;
	/** Bytes that the argument of @p where must have at least; 0 for a slot not used. */
	[[nodiscard]] std::uint64_t argument_bytes(slot where) const noexcept;

private:
	friend struct core::access;
	explicit command_buffer(std::shared_ptr<core::command_memory> impl) noexcept
		: impl_(std::move(impl))
	{
	}
	std::shared_ptr<core::command_memory> impl_;
};

/**
 * Builds a command_buffer. Moves, does not copy; not thread-safe.
 *
 * Every method that adds a command returns the builder and throws system_error, with the
 * builder unchanged, if the command cannot be right: invalid_argument (dimensions,
 * types or parameters that do not fit), out_of_range (a tensor outside its view),
 * wrong_context, unsupported (opcode or type that the device does not have),
 * too_large.
 */
class ATOM_API command_builder {
public:
	/** @throws system_error invalid_argument if @p ctx is empty */
	explicit command_builder(const context &ctx);
	/** Takes what the other has, which is empty afterwards. */
	command_builder(command_builder &&other) noexcept;
	/** Lets go of what it had, and takes what the other has. */
	command_builder &operator=(command_builder &&other) noexcept;
	~command_builder();

	/** Commands from here on carry @p value in faults and traces (0 at first). */
	command_builder &tag(std::uint32_t value);

	/** Does nothing. */
	command_builder &nop();

	/** Commands behind it start after all before it have ended and see what they wrote (FENCE).
	 */
	command_builder &barrier();

	/**
	 * Writes two u64 to @p out, 8-byte aligned: device time in ns, and modelled ns since the
	 * job started. Implies a barrier before itself.
	 */
	command_builder &timestamp(const location &out);

	/** out = in, element by element; equal types and dimensions, any strides. */
	command_builder &copy(const tensor &in, const tensor &out);

	/** Every element of @p out becomes @p value, converted as by cast. Not for block types. */
	command_builder &fill(const tensor &out, double value);

	/** Every element of @p out becomes the low bytes of @p bits. Not for block types. */
	command_builder &fill_bits(const tensor &out, std::uint64_t bits);

	/** out = in converted to out's type and quantisation; equal dimensions. */
	command_builder &cast(const tensor &in, const tensor &out,
	                      const cast_options &options = {});

	/**
	 * out[.., m, n] = epilogue(alpha * sum over k of a[.., m, k] * b[.., k, n]).
	 * All three have the same rank, 2 to 5, and the same leading dimensions (use
	 * tensor::broadcast() and tensor::transpose()).
	 */
	command_builder &gemm(const tensor &a, const tensor &b, const tensor &out,
	                      const gemm_options &options = {});

	/**
	 * Convolution of in [N, H, W, C] with weight [O, KH, KW, C / groups] to
	 * out [N, H', W', O], H' = (H + padding - dilation * (KH - 1) - 1) / stride + 1.
	 */
	command_builder &conv2d(const tensor &in, const tensor &weight, const tensor &out,
	                        const conv2d_options &options = {});

	/**
	 * Transposed convolution of in [N, H, W, C] with weight [C, KH, KW, O / groups] to
	 * out [N, H', W', O], H' = (H - 1) * stride - padding + dilation * (KH - 1) + 1 plus an
	 * output padding of less than the stride.
	 */
	command_builder &conv_transpose2d(const tensor &in, const tensor &weight, const tensor &out,
	                                  const conv2d_options &options = {});

	/**
	 * Each element of out [N, H', W', C] is the maximum, average or p-norm of a window of
	 * in [N, H, W, C]; H' as of conv2d(), rounded down or up.
	 */
	command_builder &pool2d(pool_kind kind, const tensor &in, const tensor &out,
	                        const pool2d_options &options);

	/** Scales in [N, H, W, C] to out [N, H', W', C]. */
	command_builder &resize2d(const tensor &in, const tensor &out,
	                          const resize2d_options &options = {});

	/** out = epilogue(a kind b), element by element; equal dimensions; no bias. */
	command_builder &binary(binary_kind kind, const tensor &a, const tensor &b,
	                        const tensor &out, const epilogue &after = {});

	/** out = fn(in), element by element; equal dimensions; not function::lut. */
	command_builder &unary(function fn, const tensor &in, const tensor &out, float p0 = 0,
	                       float p1 = 0);

	/** out = cond ? a : b, element by element; cond is u8; equal dimensions; a, b, out of one
	 * type. */
	command_builder &select(const tensor &cond, const tensor &a, const tensor &b,
	                        const tensor &out);

	/**
	 * out = fn(gate) * (value + bias), element by element; floats; equal dimensions.
	 * @p fn: relu, sigmoid, silu, gelu_erf, gelu_tanh, gelu_quick or identity
	 */
	command_builder &glu(function fn, const tensor &gate, const tensor &value,
	                     const tensor &out, const glu_options &options = {});
	/** The same with gate and value one behind the other in the last dimension of @p packed. */
	command_builder &glu(function fn, const tensor &packed, const tensor &out,
	                     const glu_options &options = {});

	/** Reduces the dimensions @p axes of @p in, which are 1 in @p out; equal ranks. */
	command_builder &reduce(reduce_kind kind, const tensor &in, const tensor &out,
	                        axis_set axes, const reduce_options &options = {});

	/** out = softmax(in * scale + mask) along dimension @p axis; equal dimensions. */
	command_builder &softmax(const tensor &in, const tensor &out, unsigned axis,
	                         const softmax_options &options = {});

	/** out = normalised(in) * gamma + beta, over the dimensions @p axes; equal dimensions. */
	command_builder &norm(norm_kind kind, const tensor &in, const tensor &out, axis_set axes,
	                      const norm_options &options = {});

	/**
	 * Turns pairs of the last dimension by angles that grow with the position (rotary
	 * embedding); equal dimensions; needs positions or tables.
	 */
	command_builder &rope(const tensor &in, const tensor &out, const rope_options &options);

	/**
	 * out = elements of @p data that @p index (i32 or i64) names. An index that is out of
	 * range is a fault of the job. Rows of floats and block types may change their type to a
	 * float's.
	 */
	command_builder &gather(index_mode mode, const tensor &data, const tensor &index,
	                        const tensor &out, const gather_options &options = {});

	/**
	 * The reverse: changes the elements of @p out that @p index names, in place. Rows of
	 * floats may change their type.
	 */
	command_builder &scatter(index_mode mode, const tensor &updates, const tensor &index,
	                         const tensor &out, const scatter_options &options = {});

	/**
	 * Writes the commands to memory that the device can read. The builder is empty afterwards.
	 * @throws system_error invalid_argument (no command, or finished before), too_large,
	 *         out_of_host_memory, device_lost
	 */
	[[nodiscard]] command_buffer finish();
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] command_buffer finish(std::error_code &ec) noexcept;

private:
	std::unique_ptr<core::encoder> impl_;
};

} // namespace v1
} // namespace atom

#endif
