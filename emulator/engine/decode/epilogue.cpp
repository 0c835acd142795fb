/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

namespace atom::engine {

bool read_epilogue(parser &in, const atom_epilogue &from, std::size_t field, std::uint32_t bias_dtypes,
		   const tensor &out, epilogue &to)
{
	const auto at = [&](std::size_t offset) { return field + offset; };
	if (!in.read_function(from.activation, at(offsetof(atom_epilogue, activation)), ATOM_FN_ABS, from.p0,
			      at(offsetof(atom_epilogue, p0)), from.p1, at(offsetof(atom_epilogue, p1))) ||
	    !in.require(from.flags == 0, ATOM_FAULT_BAD_FIELD, at(offsetof(atom_epilogue, flags))) ||
	    !in.require(from.reserved == 0, ATOM_FAULT_BAD_FIELD, at(offsetof(atom_epilogue, reserved))))
		return false;
	to.activation = from.activation;
	to.p0 = from.p0;
	to.p1 = from.p1;
	const std::size_t lut_field = at(offsetof(atom_epilogue, lut));
	if (to.activation == ATOM_FN_LUT) {
		if (!in.require(out.dtype == ATOM_DTYPE_I8 || out.dtype == ATOM_DTYPE_U8, ATOM_FAULT_BAD_DTYPE,
				out.field + offsetof(atom_tensor, dtype)) ||
		    !in.read_ref(from.lut, lut_field, 256, 1, ATOM_ACCESS_READ, to.lut))
			return false;
	} else if (!in.require(from.lut.slot == 0, ATOM_FAULT_BAD_FIELD, lut_field + offsetof(atom_ref, slot)) ||
		   !in.require(from.lut.reserved0 == 0, ATOM_FAULT_BAD_FIELD,
			       lut_field + offsetof(atom_ref, reserved0)) ||
		   !in.require(from.lut.reserved1 == 0, ATOM_FAULT_BAD_FIELD,
			       lut_field + offsetof(atom_ref, reserved1)) ||
		   !in.require(from.lut.offset == 0, ATOM_FAULT_BAD_FIELD,
			       lut_field + offsetof(atom_ref, offset))) {
		return false;
	}

	tensor_rules bias{.dtypes = bias_dtypes, .optional = true};
	if (!in.read_tensor(from.bias, at(offsetof(atom_epilogue, bias)), bias, to.bias))
		return false;
	if (to.bias && (!in.require(to.bias.quant.kind == ATOM_QUANT_NONE, ATOM_FAULT_BAD_QUANT,
				    to.bias.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, kind)) ||
			!in.same_dims(to.bias, out)))
		return false;
	tensor_rules residual{.dtypes = float_dtypes | small_integer_dtypes, .optional = true};
	return in.read_tensor(from.residual, at(offsetof(atom_epilogue, residual)), residual, to.residual) &&
	       (!to.residual ||
		(in.same_dims(to.residual, out) &&
		 in.require(!is_plain_integer(to.residual), ATOM_FAULT_BAD_QUANT,
			    to.residual.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, kind))));
}

bool read_product_epilogue(parser &in, const atom_epilogue &from, std::size_t field, bool integer, const tensor &out,
			   epilogue &to, bool &exact)
{
	const std::uint32_t bias = dtype_bit(ATOM_DTYPE_F32) | (integer ? dtype_bit(ATOM_DTYPE_I32) : 0);
	if (!read_epilogue(in, from, field, bias, out, to))
		return false;
	/* An integer without quantisation can only be the i32 of an integer product. */
	const bool plain = is_plain_integer(out);
	exact = plain && to.activation == ATOM_FN_IDENTITY && !to.residual &&
		(!to.bias || to.bias.dtype == ATOM_DTYPE_I32);
	return in.require(!plain || (integer && out.dtype == ATOM_DTYPE_I32), ATOM_FAULT_BAD_QUANT,
			  out.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, kind));
}

} // namespace atom::engine
