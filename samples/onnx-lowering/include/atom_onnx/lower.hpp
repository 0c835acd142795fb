// SPDX-License-Identifier: MIT
/**
 * @file lower.hpp
 * @brief From a graph to commands of the NPU.
 *
 * lower() needs no device and tells what cannot be lowered; program puts a plan
 * onto a device.
 */
#ifndef ATOM_ONNX_LOWER_HPP
#define ATOM_ONNX_LOWER_HPP

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "atom/buffer.hpp"
#include "atom/command.hpp"
#include "atom/queue.hpp"
#include "atom_onnx/constant_pool.hpp"
#include "atom_onnx/graph.hpp"

namespace atom_onnx {

struct options {
	/** Inputs of the graph whose values the program may be specialised on. */
	std::map<value_id, host_tensor> known;
	/** Fuse activations, residuals, norms and quantisation into the command before. */
	bool fuse = true;
};

/** An input or an output of a program: row-major, without gaps. */
struct argument {
	value_id value;
	element_type type;
	shape dims;
	std::uint64_t bytes; ///< of the buffer: at least 1, also for a tensor without elements
};

namespace detail {
struct plan_data;
} // namespace detail

/** A lowered graph. A cheap handle; immutable and thread-safe. */
class plan {
public:
	explicit plan(std::shared_ptr<const detail::plan_data> data) : data_(std::move(data)) {}

	[[nodiscard]] const std::vector<argument> &inputs() const;
	[[nodiscard]] const std::vector<argument> &outputs() const;
	/** Commands, barriers not counted. 0: the host knew all results. */
	[[nodiscard]] std::size_t commands() const;
	[[nodiscard]] std::size_t barriers() const;
	/** Memory that intermediate values share; 0 if there are none. */
	[[nodiscard]] std::uint64_t scratch_bytes() const;
	[[nodiscard]] std::uint64_t constant_bytes() const;
	/** Index of the node that command @p index of the command buffer was made from. */
	[[nodiscard]] std::optional<std::size_t> node_of(std::size_t index) const;

private:
	friend class program;
	std::shared_ptr<const detail::plan_data> data_;
};

/**
 * @throws unsupported, saying why; of reason::unknown_value it names an input of the graph
 *         that must be in options::known
 */
[[nodiscard]] plan lower(const graph &g, const options &o = {});

/**
 * A plan on a device: commands and constants, immutable. Several submissions may be under way
 * if each has scratch memory of its own. Thread-safe.
 */
class program {
public:
	/** Uploads the constants. @throws atom::system_error */
	program(const atom::context &ctx, atom_onnx::plan lowered);
	/** The same; large constants are shared with the other programs of the pool. */
	program(constant_pool &pool, atom_onnx::plan lowered);

	[[nodiscard]] const atom_onnx::plan &plan() const { return plan_; }
	[[nodiscard]] const atom::command_buffer &commands() const { return commands_; }

	/**
	 * Arguments of a submission, in the order of the slots.
	 * @param scratch scratch_bytes() of device memory; may be empty if that is 0
	 */
	[[nodiscard]] atom::args arguments(const std::vector<atom::buffer_view> &inputs,
	                                   const std::vector<atom::buffer_view> &outputs,
	                                   const atom::buffer_view &scratch) const;

private:
	program(const atom::context &ctx, constant_pool *pool, atom_onnx::plan lowered);

	atom_onnx::plan plan_;
	std::vector<std::shared_ptr<const atom::buffer>> weights_; ///< of the pool
	atom::command_buffer commands_;
};

} // namespace atom_onnx

#endif
