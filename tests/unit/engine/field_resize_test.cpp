/* SPDX-License-Identifier: MIT */
#include "fields.h"

namespace atom::engine::test {
namespace {

atom_cmd_resize2d resize_command(unsigned mode)
{
	auto c = command<atom_cmd_resize2d>(ATOM_OP_RESIZE2D);
	c.mode = static_cast<std::uint8_t>(mode);
	c.scale_h = c.scale_w = 2;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3, 4, 5});
	c.out = dense(ATOM_DTYPE_F16, 4096, {2, 6, 8, 5});
	return c;
}

template <class T> void parameter_fields(const wrong_field<T> &w)
{
	for (const unsigned mode : {3u, 255u})
		w.expect(offsetof(atom_cmd_resize2d, mode), static_cast<std::uint8_t>(mode), ATOM_FAULT_BAD_FIELD);
	for (const unsigned coordinate : {6u, 255u})
		w.expect(offsetof(atom_cmd_resize2d, coordinate), static_cast<std::uint8_t>(coordinate), ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_resize2d, nearest), std::uint8_t{4}, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_resize2d, reserved0), std::uint8_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_resize2d, reserved1), 1u, ATOM_FAULT_BAD_FIELD);
	for (const float scale : {0.0f, -1.0f, nan, inf}) {
		w.expect(offsetof(atom_cmd_resize2d, scale_h), scale, ATOM_FAULT_BAD_FIELD);
		w.expect(offsetof(atom_cmd_resize2d, scale_w), scale, ATOM_FAULT_BAD_FIELD);
	}
	/* There is no crop. */
	for (std::size_t i = 0; i < 4; ++i)
		w.expect(offsetof(atom_cmd_resize2d, roi) + 4 * i, 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_resize2d, extrapolation), -0.0f, ATOM_FAULT_BAD_FIELD);
}

TEST(Fields, Resize)
{
	const wrong_field w(resize_command(ATOM_RESIZE_LINEAR));
	header_fields(w, 4);
	parameter_fields(w);
	w.expect(offsetof(atom_cmd_resize2d, nearest), std::uint8_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_resize2d, cubic_coeff), -0.75f, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_resize2d, in), false);
	tensor_fields(w, offsetof(atom_cmd_resize2d, out), true);
	for (const unsigned i : {0u, 3u})
		w.expect(offsetof(atom_cmd_resize2d, out.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_resize2d, in.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_resize2d, in.quant.kind));
	w.expect(offsetof(atom_cmd_resize2d, out.dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_resize2d, out.quant.kind));
	w.expect(offsetof(atom_cmd_resize2d, out.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);
	/* 480 outputs of 4 taps. */
	EXPECT_EQ(decode_fault(bytes_of(w.good()), 10).field, offsetof(atom_cmd_resize2d, out.dims));
	EXPECT_EQ(decode_fault(bytes_of(w.good()), 11).code, ATOM_FAULT_NONE);
}

TEST(Fields, ResizeToTheNearest)
{
	const wrong_field w(resize_command(ATOM_RESIZE_NEAREST));
	parameter_fields(w);
	header_fields(w, ATOM_RESIZE_EXCLUDE_OUTSIDE);
	header_fields(w, ATOM_RESIZE_ANTIALIAS);
	auto c = resize_command(ATOM_RESIZE_NEAREST);
	c.in.dtype = ATOM_DTYPE_I32;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_DTYPE);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_resize2d, out.dtype));
	c = resize_command(ATOM_RESIZE_NEAREST);
	c.in = dense(ATOM_DTYPE_I8, 0, {2, 3, 4, 5});
	c.in.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 3, .slot = 1, .scale = 0, .zero_point = 0, .flags = 0,
		      .scale_offset = 32768, .zero_point_offset = 0};
	wrong_field(c).expect(offsetof(atom_cmd_resize2d, in.quant.axis), std::uint8_t{1}, ATOM_FAULT_BAD_QUANT);
}

TEST(Fields, ResizeOfACropAndWithWideFilters)
{
	auto c = resize_command(ATOM_RESIZE_CUBIC);
	c.coordinate = ATOM_COORD_CROP_AND_RESIZE;
	c.extrapolation = 5;
	c.header.flags = ATOM_RESIZE_ANTIALIAS;
	const wrong_field w(c);
	for (const float value : {nan, inf}) {
		w.expect(offsetof(atom_cmd_resize2d, cubic_coeff), value, ATOM_FAULT_BAD_FIELD);
		w.expect(offsetof(atom_cmd_resize2d, roi) + 8, value, ATOM_FAULT_BAD_FIELD);
		w.expect(offsetof(atom_cmd_resize2d, extrapolation), value, ATOM_FAULT_BAD_FIELD);
	}
	/* A filter of 2^16 taps is the widest. */
	w.expect(offsetof(atom_cmd_resize2d, scale_h), 0x1p-14f, ATOM_FAULT_NONE, 0);
	w.expect(offsetof(atom_cmd_resize2d, scale_h), 0x1p-15f, ATOM_FAULT_TOO_LARGE);
	w.expect(offsetof(atom_cmd_resize2d, scale_w), 0x1p-140f, ATOM_FAULT_TOO_LARGE);
}

} // namespace
} // namespace atom::engine::test
