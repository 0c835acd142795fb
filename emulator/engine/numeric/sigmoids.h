/* SPDX-License-Identifier: MIT */
/**
 * @file sigmoids.h
 * @brief tanh and erf of f32 without branches: the reference and the vector loops give the same bits.
 *
 * As exponential.h: both sides of each choice are computed, internal linkage, no contraction to FMA.
 */
#pragma once

#include "exponential.h"

namespace atom::engine {

/** Less than two units in the last place off. */
static inline float hyperbolic_tangent(float x)
{
	const float size = __builtin_fabsf(x), z = x * x;
	/* Near 0 an odd polynomial, where the other form cancels. */
	float p = -5.70498872745e-3f;
	p = p * z + 2.06390887954e-2f;
	p = p * z - 5.37397155531e-2f;
	p = p * z + 1.33314422036e-1f;
	p = p * z - 3.33332819422e-1f;
	const float near = p * z * x + x;
	const float far = 1.0f - 2.0f / (exponential(size + size) + 1.0f);
	return __builtin_copysignf(size < 0.625f ? near : far, x);
}

/** Less than two units in the last place off. */
static inline float error_function(float x)
{
	const float size = __builtin_fabsf(x), z = x * x;
	float p = -5.96761703e-4f;
	p = p * z + 4.99119423e-3f;
	p = p * z - 2.67681349e-2f;
	p = p * z + 1.12819925e-1f;
	p = p * z - 3.76125336e-1f;
	p = p * z + 1.28379166e-1f;
	const float near = p * x + x;
	/* 1 - erf is e to the power of a polynomial. */
	float q = -1.72853470e-5f * size + 3.83197126e-4f;
	q = q * z + (-3.88396438e-3f * size + 2.42546219e-2f);
	q = q * size - 1.06777877e-1f;
	q = q * size - 6.34846687e-1f;
	q = q * size - 1.28717512e-1f;
	q = q * size - size;
	const float far = 1.0f - exponential(q);
	return __builtin_copysignf(size <= 0.921875f ? near : far, x);
}

} // namespace atom::engine
