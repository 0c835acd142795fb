/* SPDX-License-Identifier: MIT */
#include "numeric/rotation.h"

#include <cmath>
#include <numbers>

namespace atom::engine {

namespace {

/* The pair that turns @rotations times in the original context. */
float pair_of(std::uint32_t rotary_dims, std::uint32_t original_context, float rotations, float base)
{
	const float turns = static_cast<float>(original_context) / (rotations * 2 * std::numbers::pi_v<float>);
	return static_cast<float>(rotary_dims) * std::log(turns) / (2 * std::log(base));
}

} // namespace

rotation make_rotation(std::uint32_t rotary_dims, float base, float frequency_scale, float attention, const yarn &y,
		       bool inverse)
{
	rotation r;
	r.step = std::pow(base, -2.0f / static_cast<float>(rotary_dims));
	r.frequency_scale = frequency_scale;
	r.scale = attention;
	r.inverse = inverse;
	r.extrapolation = y.extrapolation;
	if (y.extrapolation == 0)
		return r;
	const float low = std::floor(pair_of(rotary_dims, y.original_context, y.beta_fast, base));
	const float high = std::ceil(pair_of(rotary_dims, y.original_context, y.beta_slow, base));
	const auto last = static_cast<float>(rotary_dims - 1);
	r.low = low > 0 ? low : 0;
	r.high = high < last ? high : last;
	r.scale *= 1.0f + 0.1f * std::log(1.0f / frequency_scale);
	return r;
}

void turn(const rotation &r, float angle, std::int64_t pair, float &cosine, float &sine)
{
	float theta = r.frequency_scale * angle;
	if (r.extrapolation != 0) {
		const float width = r.high - r.low;
		const float y = (static_cast<float>(pair) - r.low) / (width > 0.001f ? width : 0.001f);
		const float ramp = 1 - (y < 0 ? 0 : y > 1 ? 1 : y);
		const float mix = ramp * r.extrapolation;
		theta = theta * (1 - mix) + angle * mix;
	}
	cosine = std::cos(theta) * r.scale;
	sine = std::sin(theta) * r.scale;
	if (r.inverse)
		sine = -sine;
}

} // namespace atom::engine
