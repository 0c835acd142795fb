/* SPDX-License-Identifier: MIT */
/**
 * @file conv_image.h
 * @brief The part of a convolution's input that one tile reads, with its pads.
 */
#pragma once

#include "fast/conv.h"

namespace atom::engine::fast {

/** What the elements of an image are. */
class pixel_format {
public:
	virtual ~pixel_format() = default;
	/** Of @p count contiguous elements of the input. */
	virtual void convert(const std::byte *from, std::size_t count, std::byte *to) const = 0;

	std::uint32_t bytes = 4;     ///< of an element
	std::int64_t multiple = 1;   ///< channels of a group are filled up to a multiple of this
	std::int64_t behind = 0;     ///< bytes that may be read behind the last one
	bool same_bytes = false;     ///< an element of the input is converted by copying it
	bool in_place = false;       ///< the elements of the input are used as they are
	bool pads_unused = false;    ///< nobody reads pads: an image in place may reach beyond the input
	std::int32_t fill = 0;       ///< of pads; integers
};

/** Channels of the input that a tile reads. */
struct image_channels {
	std::int64_t first = 0, groups = 1, each = 1;

	std::int64_t all() const { return groups * each; }
};

/** Pixels [rows][columns], each [groups][channels]. */
struct conv_image {
	const std::byte *data = nullptr;
	bool in_place = false;
	std::int64_t element_bytes = 0;
	std::ptrdiff_t row_stride = 0, column_stride = 0, group_stride = 0;
	std::int64_t rows = 0, columns = 0, channels = 0;
};

/** The image of a tile, in scratch buffers 1 and 2 or in place. False: fault. */
bool make_image(const tensor &in, const conv_part &part, const image_channels &channels, const pixel_format &format,
		memory &mem, scratch &work, conv_image &to);

} // namespace atom::engine::fast
