// SPDX-License-Identifier: MIT
// The networks of the published runs, as streams of commands.
#pragma once

#include "stream.hpp"

namespace bench {

/** ResNet-50 v1.5 at 224 x 224. int8: images come as int8; fp16: in f32, as the framework has them. */
stream resnet50(std::uint8_t dtype, std::uint64_t batch);

struct bert_shape {
	std::uint64_t sequence, hidden, layers, heads, feed_forward;
};
inline constexpr bert_shape bert_large{384, 1024, 24, 16, 4096};
inline constexpr bert_shape bert_base{128, 768, 12, 12, 3072};

/** Encoder with the head of question answering: two numbers for each position. */
stream bert(std::uint8_t dtype, const bert_shape &shape);

} // namespace bench
