/* SPDX-License-Identifier: MIT */
#include "differences.h"

#include <cmath>
#include <sstream>

#include "numeric/convert.h"
#include "numeric/half.h"

namespace atom::engine::test {

namespace {

/* No float of moderate memory is above it. */
constexpr double float_max = 8;
/* A bound above it says nothing. */
constexpr double bound_max = 0.25;

/* How far two results may be apart: absolute + relative * |result|. */
struct bound {
	double absolute = 0;
	double relative = 0;
	bool exact = true;
};

constexpr bound useless{HUGE_VAL, 0, false};

template <class T> T as(std::span<const std::byte> command)
{
	T c{};
	std::memcpy(&c, command.data(), std::min(sizeof c, command.size()));
	return c;
}

bool is_float(unsigned dtype) { return dtype >= ATOM_DTYPE_F16 && dtype <= ATOM_DTYPE_F32; }

/* The largest value that an element of moderate memory can stand for. */
double magnitude(const atom_tensor &t)
{
	if (t.dtype == ATOM_DTYPE_NONE)
		return 0;
	if (is_float(t.dtype))
		return float_max;
	if (t.dtype == ATOM_DTYPE_Q8_0)
		return 320;
	if (t.dtype == ATOM_DTYPE_Q4_0 || t.dtype == ATOM_DTYPE_Q4_1)
		return 48;
	const double scale = t.quant.kind == ATOM_QUANT_PER_TENSOR ? t.quant.scale : float_max;
	return scale * std::ldexp(1.0, static_cast<int>(size_of(t.dtype)) * 8);
}

/* How much an activation can enlarge an error. */
double gain(const atom_epilogue &e)
{
	return std::max({1.2, 1.2 * std::fabs(double{e.p0}), 1.2 * std::fabs(double{e.p1}),
			 1.2 * std::fabs(double{e.p0} * e.p1)});
}

/* Of a sum of @n terms no larger than @term: errors add up like a random walk. */
double error_of_sum(double n, double term) { return std::ldexp(n, -20) * term; }

bound of_products(const atom_tensor &a, const atom_tensor &b, const atom_epilogue &e, double alpha, double n)
{
	if (!is_float(a.dtype))
		return {};
	const double sum = error_of_sum(n, magnitude(a) * magnitude(b)) * std::fabs(alpha);
	const double added = std::ldexp(magnitude(e.bias) + magnitude(e.residual), -21);
	return {(sum + added) * gain(e), 0x1p-16 * gain(e), false};
}

bound of_reduce(const atom_cmd_reduce &c, double n)
{
	const double m = magnitude(c.in), error = std::ldexp(n, -24) + 0x1p-21;
	if (!is_float(c.in.dtype) && c.in.quant.kind == ATOM_QUANT_NONE)
		return {};
	switch (c.kind) {
	case ATOM_REDUCE_SUM:
	case ATOM_REDUCE_L1:
		return {error_of_sum(n, m), 0, false};
	case ATOM_REDUCE_MEAN:
		return {error * m, 0, false};
	case ATOM_REDUCE_SUM_SQUARE:
		return {0, error, false};
	case ATOM_REDUCE_L2:
	case ATOM_REDUCE_PROD:
		return {0, 2 * error, false};
	case ATOM_REDUCE_LOG_SUM_EXP:
		return {2 * error, 0x1p-20, false};
	case ATOM_REDUCE_LOG_SUM: /* near a sum of 0 everything may come out */
		return useless;
	default:
		return {};
	}
}

bound of_norm(const atom_cmd_norm &c, double n)
{
	const double m = magnitude(c.in), error = std::ldexp(n, -24) + 0x1p-21;
	const double gamma = c.gamma.dtype ? magnitude(c.gamma) : 1;
	switch (c.kind) {
	case ATOM_NORM_LAYER:
		/* Equal elements leave noise, which only eps keeps small. */
		if (!(c.eps >= 0x1p-10f))
			return useless;
		return {error * m * gamma * 32 * (1 + m * 32), 4 * error, false};
	case ATOM_NORM_LRN:
		/* What is raised to a power may cancel out. */
		if (!(c.lrn_alpha >= 0 && c.lrn_bias >= 0x1p-6f && std::fabs(c.lrn_beta) <= 8))
			return useless;
		return {0, 32 * error, false};
	default:
		return {0x1p-22 * magnitude(c.beta), 4 * error, false};
	}
}

bound bound_of(std::span<const std::byte> command, const operation &op)
{
	const auto opcode = as<atom_cmd_header>(command).opcode;
	const auto outputs = static_cast<double>(std::max<std::uint64_t>(op.work().elements, 1));
	const double terms = static_cast<double>(op.work().macs) / outputs;
	/* A row has no more elements than the limit of work of these tests. */
	constexpr double row = 1 << 14;
	switch (opcode) {
	case ATOM_OP_GEMM: {
		const auto c = as<atom_cmd_gemm>(command);
		return of_products(c.a, c.b, c.epilogue, c.alpha, terms);
	}
	case ATOM_OP_CONV2D:
	case ATOM_OP_CONVT2D: {
		const auto c = as<atom_cmd_conv2d>(command);
		return of_products(c.in, c.weight, c.epilogue, 1, terms);
	}
	case ATOM_OP_SOFTMAX: {
		const auto c = as<atom_cmd_softmax>(command);
		const bool log = c.header.flags & ATOM_SOFTMAX_LOG;
		return {log ? 0x1p-9 : 0, log ? 0x1p-20 : 0x1p-8, false};
	}
	case ATOM_OP_NORM:
		return of_norm(as<atom_cmd_norm>(command), row);
	case ATOM_OP_REDUCE:
		return of_reduce(as<atom_cmd_reduce>(command), row);
	default:
		return {};
	}
}

double value_of(const std::byte *p, const atom_tensor &t)
{
	return is_float(t.dtype) ? double{load_float(p, t.dtype)} : static_cast<double>(load_integer(p, t.dtype));
}

/* The distance between neighbours of the output's type at @p x, or a step of an integer. */
double unit(double x, const atom_tensor &t)
{
	if (!is_float(t.dtype))
		return 1;
	const int digits = t.dtype == ATOM_DTYPE_F32 ? 23 : t.dtype == ATOM_DTYPE_F16 ? 10 : 7;
	return std::ldexp(std::max(std::fabs(x), 0x1p-14), -digits);
}

bool same(const std::byte *a, const std::byte *b, const atom_tensor &t, bound may)
{
	const auto size = static_cast<std::size_t>(size_of(t.dtype));
	if (std::memcmp(a, b, size) == 0)
		return true;
	if (may.exact && !is_float(t.dtype))
		return false;
	const double x = value_of(a, t), y = value_of(b, t);
	if (std::isnan(x) && std::isnan(y))
		return true;
	if (may.exact)
		return false;
	if (!is_float(t.dtype) && t.quant.kind == ATOM_QUANT_PER_TENSOR)
		may.absolute /= t.quant.scale;
	else if (!is_float(t.dtype) && t.quant.kind == ATOM_QUANT_PER_CHANNEL)
		return true; /* its scales may be anything */
	if (!(may.absolute <= bound_max))
		return true;
	return std::fabs(x - y) <= may.absolute + may.relative * std::fabs(x) + 2 * unit(x, t);
}

} // namespace

void fill(arena &mem, content what, unsigned seed)
{
	std::minstd_rand random(seed + 1);
	for (std::uint64_t i = 0; i < mem.bytes().size() / 2; ++i) {
		const auto noise = static_cast<std::uint32_t>(random() >> 4);
		/* As f16 1 to 2.5; as bf16, and f32 by its upper half, 2^-7 to 8. */
		const std::uint32_t lane = 0x3c00 + noise % 0x500 + (what == content::moderate ? noise >> 12 << 15 : 0);
		mem.at<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(what == content::any ? noise : lane);
	}
}

std::string difference(std::span<const std::byte> command, const operation &op, content what, arena &start,
		       arena &reference, arena &fast)
{
	bound may = bound_of(command, op);
	if (!may.exact && what == content::any)
		may = useless;
	std::vector<bool> written(start.bytes().size());
	for (const operand &o : op.operands()) {
		/* What the model does by itself is no tensor. */
		if (!(o.access & ATOM_ACCESS_WRITE) || op.work().where == cost::unit::none)
			continue;
		atom_tensor t;
		std::memcpy(&t, command.data() + o.field, sizeof t);
		std::uint64_t count = 1;
		for (unsigned i = 0; i < t.rank; ++i)
			count *= t.dims[i];
		/* Blocks are only copied: whole operands are enough for them. */
		if (size_of(t.dtype) > 8)
			return fast == reference ? "" : "blocks differ";
		for (std::uint64_t n = 0; n < count; ++n) {
			std::uint64_t at = o.va - memory_va, rest = n;
			for (unsigned i = t.rank; i-- > 0; rest /= t.dims[i])
				at += rest % t.dims[i] * t.strides[i];
			if (!same(reference.at<std::byte>(at), fast.at<std::byte>(at), t, may)) {
				std::ostringstream text;
				text << "opcode " << as<atom_cmd_header>(command).opcode << ", output at " << o.field
				     << ", element " << n << ": reference " << value_of(reference.at<std::byte>(at), t)
				     << ", fast " << value_of(fast.at<std::byte>(at), t);
				return text.str();
			}
			std::fill_n(written.begin() + static_cast<std::ptrdiff_t>(at), size_of(t.dtype), true);
		}
	}
	for (std::uint64_t i = 0; i < written.size(); ++i)
		if (!written[i] && (*fast.at<std::byte>(i) != *start.at<std::byte>(i) ||
				    *reference.at<std::byte>(i) != *start.at<std::byte>(i)))
			return "byte " + std::to_string(i) + " is of no output, and changed";
	return "";
}

} // namespace atom::engine::test
