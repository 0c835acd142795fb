// SPDX-License-Identifier: MIT
#include "c/operands.hpp"

using namespace atom::c;

namespace {

/** Runs @p add with the builder in @p builder. */
template <class F>
int with(atom_builder *builder, F &&add)
{
	return guarded([&] { add(live(builder, "builder").value); });
}

atom::gather_options gather_of(const atom_index_options *options)
{
	const atom_index_options o = read(options);
	return {o.axis, o.batch_dims, o.wrap_negative != 0};
}

atom::scatter_options scatter_of(const atom_index_options *options)
{
	const atom_index_options o = read(options);
	return {enum_of<atom::scatter_reduction>(o.reduction, "reduction"), o.axis, o.batch_dims,
	        o.wrap_negative != 0};
}

} // namespace

int atom_builder_create(const atom_context *context, atom_builder **out)
{
	return give(out, [&] { return atom::command_builder(live(context, "context").value); });
}

void atom_builder_destroy(atom_builder *builder) { delete builder; }

int atom_builder_finish(atom_builder *builder, atom_commands **out)
{
	return give(out, [&] { return live(builder, "builder").value.finish(); });
}

void atom_commands_destroy(atom_commands *commands) { delete commands; }

uint32_t atom_commands_argument_count(const atom_commands *commands)
{
	return commands == nullptr ? 0 : commands->value.argument_count();
}

uint64_t atom_commands_argument_bytes(const atom_commands *commands, uint32_t slot)
{
	if (commands == nullptr || slot >= ATOM_SLOTS_MAX)
		return 0;
	return commands->value.argument_bytes(atom::slot(static_cast<std::uint16_t>(slot)));
}

int atom_builder_tag(atom_builder *builder, uint32_t value)
{
	return with(builder, [&](auto &b) { b.tag(value); });
}

int atom_builder_nop(atom_builder *builder)
{
	return with(builder, [](auto &b) { b.nop(); });
}

int atom_builder_barrier(atom_builder *builder)
{
	return with(builder, [](auto &b) { b.barrier(); });
}

int atom_builder_timestamp(atom_builder *builder, const atom_place *out)
{
	return with(builder, [&](auto &b) { b.timestamp(location_of(live(out, "out"), "out")); });
}

int atom_builder_copy(atom_builder *builder, const atom_operand *in, const atom_operand *out)
{
	return with(builder, [&](auto &b) { b.copy(tensor_of(in, "in"), tensor_of(out, "out")); });
}

int atom_builder_fill(atom_builder *builder, const atom_operand *out, double value)
{
	return with(builder, [&](auto &b) { b.fill(tensor_of(out, "out"), value); });
}

int atom_builder_fill_bits(atom_builder *builder, const atom_operand *out, uint64_t bits)
{
	return with(builder, [&](auto &b) { b.fill_bits(tensor_of(out, "out"), bits); });
}

int atom_builder_cast(atom_builder *builder, const atom_operand *in, const atom_operand *out,
                      uint32_t flags)
{
	return with(builder, [&](auto &b) {
		if (flags > 3)
			atom::core::fail(atom::errc::invalid_argument,
			                 "cast: there is no such flag");
		b.cast(tensor_of(in, "in"), tensor_of(out, "out"),
		       {(flags & 1) != 0, (flags & 2) != 0});
	});
}

int atom_builder_gemm(atom_builder *builder, const atom_operand *a, const atom_operand *b,
                      const atom_operand *out, const atom_gemm_options *options)
{
	return with(builder, [&](auto &to) {
		const atom_gemm_options o = read(options);
		to.gemm(tensor_of(a, "a"), tensor_of(b, "b"), tensor_of(out, "out"),
		        {usual(o.alpha, 1.0F), o.quantise_activations != 0, o.constant_b != 0,
		         epilogue_of(o.epilogue)});
	});
}

int atom_builder_binary(atom_builder *builder, uint32_t kind, const atom_operand *a,
                        const atom_operand *b, const atom_operand *out,
                        const atom_epilogue_options *epilogue)
{
	return with(builder, [&](auto &to) {
		to.binary(enum_of<atom::binary_kind>(kind, "kind"), tensor_of(a, "a"),
		          tensor_of(b, "b"), tensor_of(out, "out"), epilogue_of(epilogue));
	});
}

int atom_builder_unary(atom_builder *builder, uint32_t function, const atom_operand *in,
                       const atom_operand *out, float p0, float p1)
{
	return with(builder, [&](auto &b) {
		b.unary(enum_of<atom::function>(function, "function"), tensor_of(in, "in"),
		        tensor_of(out, "out"), p0, p1);
	});
}

int atom_builder_select(atom_builder *builder, const atom_operand *condition, const atom_operand *a,
                        const atom_operand *b, const atom_operand *out)
{
	return with(builder, [&](auto &to) {
		to.select(tensor_of(condition, "condition"), tensor_of(a, "a"), tensor_of(b, "b"),
		          tensor_of(out, "out"));
	});
}

int atom_builder_glu(atom_builder *builder, uint32_t function, const atom_operand *gate,
                     const atom_operand *value, const atom_operand *out,
                     const atom_glu_options *options)
{
	return with(builder, [&](auto &b) {
		const atom_glu_options o = read(options);
		const atom::glu_options how{usual(o.p0, function == ATOM_FN_SILU ? 1.0F : 0.0F),
		                            o.limit, o.bias, o.swapped != 0};
		const auto fn = enum_of<atom::function>(function, "function");
		if (value == nullptr)
			b.glu(fn, tensor_of(gate, "gate"), tensor_of(out, "out"), how);
		else
			b.glu(fn, tensor_of(gate, "gate"), tensor_of(value, "value"),
			      tensor_of(out, "out"), how);
	});
}

int atom_builder_reduce(atom_builder *builder, uint32_t kind, const atom_operand *in,
                        const atom_operand *out, uint32_t axes, uint32_t last_index)
{
	return with(builder, [&](auto &b) {
		b.reduce(enum_of<atom::reduce_kind>(kind, "kind"), tensor_of(in, "in"),
		         tensor_of(out, "out"), atom::axis_set::of_bits(axes), {last_index != 0});
	});
}

int atom_builder_softmax(atom_builder *builder, const atom_operand *in, const atom_operand *out,
                         uint32_t axis, const atom_softmax_options *options)
{
	return with(builder, [&](auto &b) {
		const atom_softmax_options o = read(options);
		b.softmax(tensor_of(in, "in"), tensor_of(out, "out"), axis,
		          {usual(o.scale, 1.0F), o.log != 0, o.causal != 0, o.causal_offset,
		           o.max_bias, optional_tensor(o.mask, "mask"),
		           optional_tensor(o.sinks, "sinks")});
	});
}

int atom_builder_norm(atom_builder *builder, uint32_t kind, const atom_operand *in,
                      const atom_operand *out, uint32_t axes, const atom_norm_options *options)
{
	return with(builder, [&](auto &b) {
		const atom_norm_options o = read(options);
		b.norm(enum_of<atom::norm_kind>(kind, "kind"), tensor_of(in, "in"),
		       tensor_of(out, "out"), atom::axis_set::of_bits(axes),
		       {o.eps,
		        o.groups,
		        o.group_axis,
		        optional_tensor(o.gamma, "gamma"),
		        optional_tensor(o.beta, "beta"),
		        optional_tensor(o.mean, "mean"),
		        optional_tensor(o.inverse, "inverse"),
		        {o.lrn_alpha, o.lrn_beta, o.lrn_bias, o.lrn_size}});
	});
}

int atom_builder_rope(atom_builder *builder, const atom_operand *in, const atom_operand *out,
                      const atom_rope_options *options)
{
	return with(builder, [&](auto &b) {
		const atom_rope_options o = read(options);
		b.rope(tensor_of(in, "in"), tensor_of(out, "out"),
		       {o.rotary_dims,
		        o.interleaved != 0,
		        o.inverse != 0,
		        o.position_axis,
		        usual(o.base, 10000.0F),
		        usual(o.frequency_scale, 1.0F),
		        usual(o.attention, 1.0F),
		        {o.yarn_original_context, o.yarn_extrapolation, o.yarn_beta_fast,
		         o.yarn_beta_slow},
		        optional_tensor(o.positions, "positions"),
		        optional_tensor(o.factors, "factors"),
		        optional_tensor(o.cosines, "cosines"),
		        optional_tensor(o.sines, "sines")});
	});
}

int atom_builder_gather(atom_builder *builder, uint32_t mode, const atom_operand *data,
                        const atom_operand *index, const atom_operand *out,
                        const atom_index_options *options)
{
	return with(builder, [&](auto &b) {
		b.gather(enum_of<atom::index_mode>(mode, "mode"), tensor_of(data, "data"),
		         tensor_of(index, "index"), tensor_of(out, "out"), gather_of(options));
	});
}

int atom_builder_scatter(atom_builder *builder, uint32_t mode, const atom_operand *updates,
                         const atom_operand *index, const atom_operand *out,
                         const atom_index_options *options)
{
	return with(builder, [&](auto &b) {
		b.scatter(enum_of<atom::index_mode>(mode, "mode"), tensor_of(updates, "updates"),
		          tensor_of(index, "index"), tensor_of(out, "out"), scatter_of(options));
	});
}
