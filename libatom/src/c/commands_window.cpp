// SPDX-License-Identifier: MIT
// Commands on images.
#include "c/operands.hpp"

using namespace atom::c;

namespace {

atom::conv2d_options conv2d_of(const atom_conv2d_options *options)
{
	const atom_conv2d_options o = read(options);
	return {window_of(o.window), usual(o.groups, 1U), epilogue_of(o.epilogue),
	        o.constant_weight != 0};
}

} // namespace

int atom_builder_conv2d(atom_builder *builder, const atom_operand *in, const atom_operand *weight,
                        const atom_operand *out, const atom_conv2d_options *options)
{
	return guarded([&] {
		live(builder, "builder")
			.value.conv2d(tensor_of(in, "in"), tensor_of(weight, "weight"),
		                      tensor_of(out, "out"), conv2d_of(options));
	});
}

int atom_builder_conv_transpose2d(atom_builder *builder, const atom_operand *in,
                                  const atom_operand *weight, const atom_operand *out,
                                  const atom_conv2d_options *options)
{
	return guarded([&] {
		live(builder, "builder")
			.value.conv_transpose2d(tensor_of(in, "in"), tensor_of(weight, "weight"),
		                                tensor_of(out, "out"), conv2d_of(options));
	});
}

int atom_builder_pool2d(atom_builder *builder, uint32_t kind, const atom_operand *in,
                        const atom_operand *out, const atom_pool2d_options *options)
{
	return guarded([&] {
		const atom_pool2d_options o = read(options);
		atom::pool2d_options to;
		to.kernel = {usual(o.kernel[0], 1U), usual(o.kernel[1], 1U)};
		to.window = window_of(o.window);
		to.p = o.p;
		to.count_padding = o.count_padding != 0;
		to.index = optional_tensor(o.index, "index");
		to.epilogue = epilogue_of(o.epilogue);
		live(builder, "builder")
			.value.pool2d(enum_of<atom::pool_kind>(kind, "kind"), tensor_of(in, "in"),
		                      tensor_of(out, "out"), to);
	});
}

int atom_builder_resize2d(atom_builder *builder, const atom_operand *in, const atom_operand *out,
                          const atom_resize2d_options *options)
{
	return guarded([&] {
		const atom_resize2d_options o = read(options);
		atom::resize2d_options to;
		to.mode = enum_of<atom::resize_mode>(o.mode, "mode");
		to.coordinate = enum_of<atom::resize_coordinate>(o.coordinate, "coordinate");
		to.nearest = enum_of<atom::resize_nearest>(o.nearest, "nearest");
		to.scale_h = o.scale[0];
		to.scale_w = o.scale[1];
		to.cubic_coeff = o.cubic_coeff;
		to.roi = {o.roi[0], o.roi[1], o.roi[2], o.roi[3]};
		to.extrapolation = o.extrapolation;
		to.exclude_outside = o.exclude_outside != 0;
		to.antialias = o.antialias != 0;
		live(builder, "builder")
			.value.resize2d(tensor_of(in, "in"), tensor_of(out, "out"), to);
	});
}
