/* SPDX-License-Identifier: MIT */
/**
 * @file tensor_values.h
 * @brief What the elements of a tensor in the test's memory stand for, as doubles; and runs that are interrupted.
 */
#pragma once

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "harness.h"
#include "numeric/convert.h"
#include "numeric/half.h"

namespace atom::engine::test {

using element_index = std::vector<std::uint64_t>;

/** Calls @p f with the index of each element in row-major order. */
inline void each_index(const atom_tensor &t, const std::function<void(const element_index &)> &f)
{
	element_index i(t.rank);
	for (;;) {
		f(i);
		std::size_t d = t.rank;
		while (d-- > 0) {
			if (++i[d] < t.dims[d])
				break;
			i[d] = 0;
		}
		if (d == SIZE_MAX)
			return;
	}
}

inline std::uint64_t address_of(const atom_tensor &t, const element_index &i)
{
	std::uint64_t at = t.offset;
	for (std::size_t d = 0; d < i.size(); ++d)
		at += i[d] * t.strides[d];
	return at;
}

struct scale_and_zero {
	double scale = 1;
	std::int32_t zero = 0;
};

inline scale_and_zero quantisation_at(arena &mem, const atom_tensor &t, const element_index &i)
{
	if (t.quant.kind == ATOM_QUANT_PER_TENSOR)
		return {t.quant.scale, static_cast<std::int32_t>(t.quant.zero_point)};
	if (t.quant.kind != ATOM_QUANT_PER_CHANNEL)
		return {};
	const std::uint64_t channel = i[t.quant.axis];
	scale_and_zero q = {mem.at<float>(t.quant.scale_offset)[channel], 0};
	if (t.quant.flags & ATOM_QUANT_ZERO_POINTS)
		q.zero = mem.at<std::int32_t>(t.quant.zero_point_offset)[channel];
	return q;
}

/** f32 arithmetic where the specification asks for it. */
inline double value_at(arena &mem, const atom_tensor &t, const element_index &i)
{
	const std::byte *p = mem.at<std::byte>(address_of(t, i));
	if (t.dtype >= ATOM_DTYPE_F16 && t.dtype <= ATOM_DTYPE_F32)
		return load_float(p, t.dtype);
	const auto q = static_cast<double>(load_integer(p, t.dtype));
	if (t.quant.kind == ATOM_QUANT_NONE)
		return q;
	const scale_and_zero how = quantisation_at(mem, t, i);
	return static_cast<float>(how.scale) * static_cast<float>(q - how.zero);
}

/** Elements of a float dtype become @p value() each; integers its low bits. */
inline void put_values(arena &mem, const atom_tensor &t, const std::function<float()> &value)
{
	each_index(t, [&](const element_index &i) {
		std::byte *p = mem.at<std::byte>(address_of(t, i));
		if (t.dtype >= ATOM_DTYPE_F16 && t.dtype <= ATOM_DTYPE_F32)
			store_float(p, t.dtype, value());
		else
			store_integer(p, t.dtype, wrap(std::nearbyint(static_cast<double>(value())), t.dtype));
	});
}

/** @p exact as the tensor can hold it, and how far off the nearest is that a value of size @p exact may become. */
struct holdable {
	double value, step;
};
inline holdable hold(arena &mem, const atom_tensor &t, const element_index &i, double exact)
{
	switch (t.dtype) {
	case ATOM_DTYPE_F32:
		return {std::fabs(exact) >= 0x1.ffffffp127 ? std::copysign(HUGE_VAL, exact) : exact,
			std::max(std::fabs(exact) * 0x1p-23, 0x1p-149)};
	case ATOM_DTYPE_F16:
		return {std::fabs(exact) >= 65520 ? std::copysign(HUGE_VAL, exact) : exact,
			std::max(std::fabs(exact) * 0x1p-10, 0x1p-24)};
	case ATOM_DTYPE_BF16:
		return {std::fabs(exact) >= 0x1.ffp127 ? std::copysign(HUGE_VAL, exact) : exact,
			std::max(std::fabs(exact) * 0x1p-7, 0x1p-133)};
	default: {
		const scale_and_zero how = quantisation_at(mem, t, i);
		if (std::isnan(exact))
			return {0, how.scale};
		const double low = static_cast<double>(saturate(-HUGE_VAL, t.dtype)) - how.zero;
		const double high = static_cast<double>(saturate(HUGE_VAL, t.dtype)) - how.zero;
		return {std::clamp(exact, low * how.scale, high * how.scale), how.scale + std::fabs(exact) * 0x1p-22};
	}
	}
}

/** Expects each element of @p out within @p tolerance(exact) of what @p exact says, and one step of the dtype. */
inline testing::AssertionResult near_values(arena &mem, const atom_tensor &out,
					    const std::function<double(const element_index &)> &exact,
					    const std::function<double(double)> &tolerance)
{
	testing::AssertionResult result = testing::AssertionSuccess();
	each_index(out, [&](const element_index &i) {
		if (!result)
			return;
		const double is = value_at(mem, out, i), expected = exact(i);
		const holdable should = hold(mem, out, i, expected);
		const bool same = std::isnan(should.value) ? std::isnan(is) : is == should.value;
		if (same || std::fabs(is - should.value) <= tolerance(expected) + should.step)
			return;
		result = testing::AssertionFailure() << "element";
		for (const std::uint64_t x : i)
			result << ' ' << x;
		result << ": " << is << " is not " << should.value << " +- " << tolerance(expected) << " + "
		       << should.step << ", dtype " << unsigned{out.dtype};
	});
	return result;
}

/** Nothing but elements of @p outputs differs. */
inline bool only_changed(arena &mem, const arena &start, std::initializer_list<const atom_tensor *> outputs)
{
	arena expected = start;
	for (const atom_tensor *t : outputs)
		if (t->dtype != ATOM_DTYPE_NONE)
			each_index(*t, [&](const element_index &i) {
				const std::uint64_t at = address_of(*t, i);
				std::memcpy(expected.at<std::byte>(at), mem.at<std::byte>(at),
					    static_cast<std::size_t>(size_of(t->dtype)));
			});
	return mem == expected;
}

/** Runs every tile, stopping it at each @p every-th question; counts the stops. */
inline outcome run_with_stops(std::span<const std::byte> c, arena &mem, bool reference, unsigned every, unsigned &stops)
{
	const atom_arg args[] = {whole(mem)};
	outcome o;
	const auto op = decode(c, args, {.reference = reference}, o.why);
	if (!op)
		return o;
	o.decoded = true;
	scratch work;
	fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
	for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile) {
		m.kept = {};
		do {
			m.was_interrupted = false;
			m.interrupts = every;
			op->run(tile, m, work);
			stops += m.was_interrupted;
			/* What a worker has in its buffers is another tile's by then. */
			work = scratch();
		} while (m.was_interrupted);
	}
	o.why = m.why();
	o.breach = m.breach();
	return o;
}

} // namespace atom::engine::test
