/* SPDX-License-Identifier: MIT */
#include "resample.h"

#include <algorithm>
#include <cmath>

namespace atom::engine {

namespace {

/* Farther out there is nothing but the edge, and no integer in f64. */
constexpr double far = 0x1p50;

/* How far the filter is compressed, or 1. */
double filter_scale(const resample_axis &a) { return a.antialias ? std::min(a.scale, 1.0) : 1.0; }

double coordinate(const resample_axis &a, double i)
{
	const auto n = static_cast<double>(a.in), m = static_cast<double>(a.out);
	switch (a.coordinate) {
	case ATOM_COORD_ASYMMETRIC:
		return i / a.scale;
	case ATOM_COORD_ALIGN_CORNERS:
		return a.length == 1 ? 0 : i * (n - 1) / (a.length - 1);
	case ATOM_COORD_PYTORCH_HALF_PIXEL:
		return a.out == 1 ? 0 : (i + 0.5) / a.scale - 0.5;
	case ATOM_COORD_HALF_PIXEL_SYMMETRIC:
		return n / 2 * (1 - m / a.length) + (i + 0.5) / a.scale - 0.5;
	case ATOM_COORD_CROP_AND_RESIZE: {
		const double span = (a.end - a.start) * (n - 1);
		return (a.length == 1 ? span / 2 : i * span / (a.length - 1)) + a.start * (n - 1);
	}
	default:
		return (i + 0.5) / a.scale - 0.5;
	}
}

std::int64_t nearest(const resample_axis &a, double x)
{
	const double below = std::floor(x), ratio = x - below;
	const auto down = static_cast<std::int64_t>(below);
	if (ratio == 0)
		return down;
	switch (a.nearest) {
	case ATOM_NEAREST_ROUND_PREFER_FLOOR:
		return ratio <= 0.5 ? down : down + 1;
	case ATOM_NEAREST_ROUND_PREFER_CEIL:
		return ratio < 0.5 ? down : down + 1;
	case ATOM_NEAREST_FLOOR:
		return down;
	default:
		return down + 1;
	}
}

bool inside(const resample_axis &a, std::int64_t i) { return i >= 0 && i < a.in; }

/* Before it is divided. */
double raw_weight(const resample_axis &a, const resample_taps &t, std::int64_t k)
{
	if (t.exclude && !inside(a, t.first + k))
		return 0;
	const double d = std::fabs((static_cast<double>(t.first + k) - t.at) * filter_scale(a));
	if (a.mode == ATOM_RESIZE_LINEAR)
		return std::max(1 - d, 0.0);
	const double c = a.cubic_coeff;
	if (d <= 1)
		return ((c + 2) * d - (c + 3)) * d * d + 1;
	return d < 2 ? ((c * d - 5 * c) * d + 8 * c) * d - 4 * c : 0;
}

double sum_of_weights(const resample_axis &a, const resample_taps &t)
{
	double sum = 0;
	for (std::int64_t k = 0; k < a.taps; ++k)
		sum += raw_weight(a, t, k);
	return sum;
}

} // namespace

bool resample_axis::set_sizes(std::int64_t from, std::int64_t to, float asked)
{
	in = from;
	out = to;
	const double ratio = static_cast<double>(to) / static_cast<double>(from);
	/* A caller that resizes to a size can say the ratio only in f32. */
	const bool exact = asked == static_cast<float>(ratio);
	scale = exact ? ratio : double{asked};
	length = exact ? static_cast<double>(to) : scale * static_cast<double>(from);
	if (mode == ATOM_RESIZE_NEAREST) {
		taps = 1;
		return true;
	}
	const double radius = mode == ATOM_RESIZE_LINEAR ? 1 : 2;
	const double half = std::ceil(radius / filter_scale(*this));
	if (half > resample_taps_max / 2)
		return false;
	taps = 2 * static_cast<std::int64_t>(half);
	return true;
}

resample_taps locate(const resample_axis &a, std::int64_t output)
{
	resample_taps t;
	const double x = coordinate(a, static_cast<double>(output));
	t.at = std::clamp(x, -far, far);
	t.outside = a.coordinate == ATOM_COORD_CROP_AND_RESIZE && (x < 0 || x > static_cast<double>(a.in - 1));
	if (a.mode == ATOM_RESIZE_NEAREST) {
		t.first = nearest(a, t.at);
		return t;
	}
	t.first = static_cast<std::int64_t>(std::floor(t.at)) + 1 - a.taps / 2;
	t.exclude = a.exclude_outside;
	if (t.exclude || a.antialias)
		t.divisor = sum_of_weights(a, t);
	if (t.divisor == 0) { /* nothing but the edge is left */
		t.exclude = false;
		t.divisor = a.antialias ? sum_of_weights(a, t) : 1;
	}
	return t;
}

std::int64_t position(const resample_axis &a, const resample_taps &t, std::int64_t k)
{
	return std::clamp<std::int64_t>(t.first + k, 0, a.in - 1);
}

float weight(const resample_axis &a, const resample_taps &t, std::int64_t k)
{
	return a.mode == ATOM_RESIZE_NEAREST ? 1.0f : static_cast<float>(raw_weight(a, t, k) / t.divisor);
}

} // namespace atom::engine
