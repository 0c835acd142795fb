// SPDX-License-Identifier: MIT
// The network that is served: two dense layers and softmax, with weights that everybody can make for himself.
#pragma once

#include <cstddef>
#include <vector>

#include "atom/atom.hpp"
#include "protocol.hpp"

namespace serve {

inline constexpr std::size_t hidden_size = 512;
inline constexpr std::size_t batch_max = 64;

/** Weights [inputs][outputs] and bias of a layer. */
struct dense_layer {
	std::size_t inputs;
	std::size_t outputs;
	std::vector<float> weights;
	std::vector<float> bias;
};

struct weights {
	dense_layer first;
	dense_layer second;
};

/** The same on every machine. */
weights make_weights();

/** The scores as plain loops compute them. */
output expected_scores(const weights &w, const input &in);

/** The network on a device, for batches of 1 to batch_max. */
class network {
public:
	/** Throws atom::system_error. */
	explicit network(const atom::context &ctx);

	/** Commands for @p batch requests. Slots: 1 inputs, 2 hidden, 3 scores. Made once each. */
	const atom::command_buffer &commands(std::size_t batch);

private:
	struct layer_memory {
		layer_memory(const atom::context &ctx, const dense_layer &layer);

		atom::tensor weights;
		atom::tensor bias; ///< [1, outputs]
	};

	[[nodiscard]] atom::command_buffer build(std::size_t batch) const;

	atom::context context_;
	layer_memory first_;
	layer_memory second_;
	std::vector<atom::command_buffer> commands_; // by size of the batch
};

/** Memory of one batch in flight, and the queue that it goes through. */
struct batch_memory {
	explicit batch_memory(const atom::context &ctx);

	atom::queue queue;
	atom::buffer inputs;
	atom::buffer hidden;
	atom::buffer scores;
	atom::mapping inputs_mapped;
	atom::mapping scores_mapped;
	atom::args arguments;
};

} // namespace serve
