/* SPDX-License-Identifier: MIT */
#include "decode/window.h"

namespace atom::engine {

bool read_window(parser &in, const atom_window &from, std::size_t field, window_plan &to)
{
	const auto read = [&](std::uint32_t value, std::size_t offset, std::uint32_t least, std::int64_t &into) {
		into = value;
		return in.require(value >= least && value <= INT32_MAX, ATOM_FAULT_BAD_FIELD, field + offset);
	};
	return read(from.kernel_h, offsetof(atom_window, kernel_h), 1, to.h.kernel) &&
	       read(from.kernel_w, offsetof(atom_window, kernel_w), 1, to.w.kernel) &&
	       read(from.stride_h, offsetof(atom_window, stride_h), 1, to.h.stride) &&
	       read(from.stride_w, offsetof(atom_window, stride_w), 1, to.w.stride) &&
	       read(from.dilation_h, offsetof(atom_window, dilation_h), 1, to.h.dilation) &&
	       read(from.dilation_w, offsetof(atom_window, dilation_w), 1, to.w.dilation) &&
	       read(from.pad_top, offsetof(atom_window, pad_top), 0, to.h.pad_before) &&
	       read(from.pad_left, offsetof(atom_window, pad_left), 0, to.w.pad_before) &&
	       read(from.pad_bottom, offsetof(atom_window, pad_bottom), 0, to.h.pad_after) &&
	       read(from.pad_right, offsetof(atom_window, pad_right), 0, to.w.pad_after);
}

} // namespace atom::engine
