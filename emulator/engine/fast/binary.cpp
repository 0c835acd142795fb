/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include <limits>

#include "fast/values.h"
#include "numeric/function.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) float a[run_elements];
	alignas(64) float b[run_elements];
	alignas(64) float r[run_elements];
	alignas(64) std::int32_t ia[run_elements];
	alignas(64) std::int32_t ib[run_elements];
	alignas(64) std::int32_t ir[run_elements];
};

void apply_integer(const binary_plan &p, const std::int32_t *a, const std::int32_t *b, std::int32_t *to, std::size_t n)
{
	if (vectors().binary_integer[p.kind])
		return vectors().binary_integer[p.kind](a, b, to, n);
	for (std::size_t i = 0; i < n; ++i)
		to[i] = static_cast<std::int32_t>(apply_binary(p.kind, std::int64_t{a[i]}, std::int64_t{b[i]},
							       p.a.element_bytes * 8));
}

void apply_real(const binary_plan &p, const float *a, const float *b, float *to, std::size_t n)
{
	if (vectors().binary[p.kind])
		return vectors().binary[p.kind](a, b, to, n);
	for (std::size_t i = 0; i < n; ++i)
		to[i] = apply_binary(p.kind, a[i], b[i]);
}

void integers(const streams<binary_plan> &s, memory &mem, buffers &buf, std::uint64_t first, std::uint64_t last)
{
	integer_run a, b, out;
	if (!a.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !b.open(mem, s.b, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		if (!a.load(run.index(), run.count(), buf.ia, buf.run) ||
		    !b.load(run.index(), run.count(), buf.ib, buf.run))
			return;
		apply_integer(s.p, buf.ia, buf.ib, buf.ir, run.count());
		if (!out.store(run.index(), run.count(), buf.ir, buf.run))
			return;
	}
}

bool is_quantised_byte(const tensor &t)
{
	return (t.dtype == ATOM_DTYPE_I8 || t.dtype == ATOM_DTYPE_U8) && t.quant.kind == ATOM_QUANT_PER_TENSOR;
}

/* Sums of bytes that are finished in registers. */
bool adds_bytes(const binary_plan &p)
{
	const epilogue &tail = p.tail;
	return vectors().add_bytes && p.kind == ATOM_BINARY_ADD && !tail.residual &&
	       (tail.activation == ATOM_FN_IDENTITY || tail.activation == ATOM_FN_RELU || tail.activation == ATOM_FN_CLIP) &&
	       is_quantised_byte(p.a) && is_quantised_byte(p.b) && is_quantised_byte(p.out);
}

add_bytes_args byte_args(const binary_plan &p)
{
	constexpr float infinity = std::numeric_limits<float>::infinity();
	const bool clips = p.tail.activation == ATOM_FN_CLIP;
	add_bytes_args args{};
	args.a_signed = p.a.dtype == ATOM_DTYPE_I8;
	args.b_signed = p.b.dtype == ATOM_DTYPE_I8;
	args.out_signed = p.out.dtype == ATOM_DTYPE_I8;
	args.a_scale = p.a.quant.scale;
	args.b_scale = p.b.quant.scale;
	args.out_scale = p.out.quant.scale;
	args.a_zero = static_cast<float>(p.a.quant.zero_point);
	args.b_zero = static_cast<float>(p.b.quant.zero_point);
	args.out_zero = static_cast<float>(p.out.quant.zero_point);
	args.low = clips ? p.tail.p0 : p.tail.activation == ATOM_FN_RELU ? 0 : -infinity;
	args.high = clips ? p.tail.p1 : infinity;
	return args;
}

} // namespace

streams<binary_plan> prepare(const binary_plan &p)
{
	streams<binary_plan> s{.p = p, .dims = p.out.dims, .in = make_stream(p.a), .b = make_stream(p.b),
			       .residual = make_stream(p.tail.residual), .out = make_stream(p.out)};
	s.dims = merge(s.dims, {&s.in, &s.b, &s.residual, &s.out});
	return s;
}

void binary(const streams<binary_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	if (s.p.integer)
		return integers(s, mem, buf, first, last);
	real_run a, b, residual, out;
	std::byte lut[256];
	const epilogue &tail = s.p.tail;
	const bool has_lut = tail.activation == ATOM_FN_LUT;
	if (!a.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !b.open(mem, s.b, s.dims, first, last, ATOM_ACCESS_READ) ||
	    (s.residual.t && !residual.open(mem, s.residual, s.dims, first, last, ATOM_ACCESS_READ)) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE) ||
	    (has_lut && !mem.read(tail.lut, 0, lut, sizeof lut)))
		return;
	const bool bytes = adds_bytes(s.p), activates = tail.activation != ATOM_FN_IDENTITY && !has_lut;
	/* Of arithmetic no result is a signalling NaN, which storing makes quiet. */
	const bool in_place = s.p.out.dtype == ATOM_DTYPE_F32 && !s.residual.t && !has_lut && s.p.kind <= ATOM_BINARY_DIV;
	add_bytes_args sum = byte_args(s.p);
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::size_t n = run.count();
		if (bytes) {
			sum.a = a.place(run.index());
			sum.b = b.place(run.index());
			sum.out = out.place(run.index());
			sum.n = n;
			if (sum.a && sum.b && sum.out) {
				vectors().add_bytes(sum);
				continue;
			}
		}
		const float *x = a.view(run.index(), n, buf.a, buf.run);
		const float *y = x ? b.view(run.index(), n, buf.b, buf.run) : nullptr;
		if (!y)
			return;
		float *place = in_place ? reinterpret_cast<float *>(out.place(run.index())) : nullptr;
		if (place == x || place == y) /* the loops want them apart */
			place = nullptr;
		float *r = place && !activates ? place : buf.r;
		apply_real(s.p, x, y, r, n);
		if (s.residual.t) {
			x = residual.view(run.index(), n, buf.a, buf.run);
			if (!x)
				return;
			vectors().binary[ATOM_BINARY_ADD](r, x, buf.b, n);
			r = buf.b;
		}
		if (activates) {
			float *to = place ? place : buf.a;
			apply(tail.activation, r, to, n, tail.p0, tail.p1);
			r = to;
		}
		if (r == place)
			continue;
		if (!out.store(run.index(), n, r, buf.run, has_lut ? lut : nullptr))
			return;
	}
}

} // namespace atom::engine::fast
