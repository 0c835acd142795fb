/* SPDX-License-Identifier: MIT */
#include "fast/depthwise.h"

#include <algorithm>
#include <cstring>

#include "fast/conv_image.h"
#include "fast/conv_weights.h"
#include "fast/epilogue.h"
#include "fast/products.h"

namespace atom::engine::fast {

namespace {

/* Sums of so many pixels stay in the first cache until they are finished. */
constexpr std::int64_t sum_elements = 4096;

struct buffers {
	finish_buffers finish;
	channel_quant weights;
};

/* Real values or integers without their zero point, in 32 bits. */
class plain_pixels final : public pixel_format {
public:
	explicit plain_pixels(const conv_plan &p) : type_(p.in.dtype), integer_(p.integer), zero_point_(p.in.quant.zero_point)
	{
		bytes = 4;
		multiple = depthwise_lanes;
		in_place = type_ == ATOM_DTYPE_F32;
	}
	void convert(const std::byte *from, std::size_t count, std::byte *to) const override
	{
		if (!integer_)
			return vectors().load[type_](from, reinterpret_cast<float *>(to), count);
		auto *values = reinterpret_cast<std::int32_t *>(to);
		vectors().load_integer[type_](from, values, count);
		for (std::size_t i = 0; zero_point_ && i < count; ++i)
			values[i] -= zero_point_;
	}

private:
	std::uint8_t type_;
	bool integer_;
	std::int32_t zero_point_;
};

/* [taps][channels of the image]. */
bool load_weights(const conv_plan &p, memory &mem, const conv_part &part, const channel_quant &quant, std::size_t stride,
		  std::byte *to)
{
	stream s;
	s.t = p.weight;
	std::swap(s.t.strides[1], s.t.strides[4]);
	window from;
	from.attach(mem, s);
	const auto n = static_cast<std::size_t>(part.groups);
	alignas(64) std::byte raw[run_elements * 4];
	for (const axis_tap &h : part.h->taps)
		for (const axis_tap &w : part.w->taps) {
			const std::byte *x = from.read({0, 0, h.kernel, w.kernel, part.group}, n, raw);
			if (!x)
				return false;
			if (p.integer) {
				auto *values = reinterpret_cast<std::int32_t *>(to);
				vectors().load_integer[p.weight.dtype](x, values, n);
				for (std::size_t i = 0; i < n; ++i)
					values[i] -= quant.zero_points[i];
			} else {
				vectors().load[p.weight.dtype](x, reinterpret_cast<float *>(to), n);
			}
			std::memset(to + n * 4, 0, (stride - n) * 4);
			to += stride * 4;
		}
	return true;
}

bool load_quantisation(const conv_plan &p, memory &mem, const conv_part &part, channel_quant &to)
{
	if (!p.integer)
		return true;
	const auto n = static_cast<std::size_t>(part.groups);
	if (!p.transposed)
		return to.load(p, mem, part.group, n);
	if (!to.load(p, mem, 0, 1))
		return false;
	std::fill_n(to.scales, n, to.scales[0]);
	std::fill_n(to.zero_points, n, to.zero_points[0]);
	return true;
}

/* Outputs [first, last) of those of an axis read nothing but the input. */
struct inner {
	std::int64_t first, last;

	inner(const axis_phase &phase, std::int64_t from, std::int64_t count, std::int64_t inputs)
	{
		const auto inside = [&](std::int64_t i) {
			const std::int64_t begin = (from + i) * phase.in_step + phase.least();
			return begin >= 0 && begin + phase.reach(1) <= inputs;
		};
		for (first = 0; first < count && !inside(first);)
			++first;
		for (last = count; last > first && !inside(last - 1);)
			--last;
	}
	std::int64_t count() const { return last - first; }
};

/* Where most of a part needs no pads, it is one piece, which may be read in place, and what is around it are others. */
std::vector<conv_part> pieces_of(const conv_plan &p, const conv_part &part)
{
	const inner h(*part.h, part.y, part.rows, p.in.dims[2]), w(*part.w, part.x, part.columns, p.in.dims[3]);
	if (p.in.dtype != ATOM_DTYPE_F32 || 4 * h.count() * w.count() < 3 * part.rows * part.columns)
		return {part};
	std::vector<conv_part> pieces;
	const auto add = [&](std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
		if (top >= bottom || left >= right)
			return;
		conv_part piece = part;
		piece.y += top;
		piece.rows = bottom - top;
		piece.x += left;
		piece.columns = right - left;
		pieces.push_back(piece);
	};
	add(h.first, h.last, w.first, w.last);
	add(0, h.first, 0, part.columns);
	add(h.last, part.rows, 0, part.columns);
	add(h.first, h.last, 0, w.first);
	add(h.first, h.last, w.last, part.columns);
	return pieces;
}

/* What the pieces of a tile share. */
struct tile {
	const conv_plan &p;
	memory &mem;
	scratch &work;
	const channel_quant &quant;
	finisher &end;
	const std::byte *weights;
};

bool multiply(const tile &t, const conv_part &part)
{
	const conv_plan &p = t.p;
	conv_image image;
	if (!make_image(p.in, part, {part.group, 1, part.groups}, plain_pixels(p), t.mem, t.work, image))
		return false;
	std::vector<std::ptrdiff_t> offsets;
	for (const axis_tap &h : part.h->taps)
		for (const axis_tap &w : part.w->taps)
			offsets.push_back((h.offset - part.h->least()) * image.row_stride +
					  (w.offset - part.w->least()) * image.column_stride);
	const auto stride = static_cast<std::size_t>(image.channels);
	const std::int64_t most = std::max(sum_elements / image.channels, std::int64_t{4});
	depthwise_args args;
	args.channels = stride;
	args.taps = offsets.size();
	args.pixel_stride = part.w->in_step * image.column_stride;
	args.offsets = offsets.data();
	args.weights = t.weights;
	args.sums = t.work.get(4, static_cast<std::size_t>(most) * stride * 4);
	for (std::int64_t row = 0; row < part.rows; ++row) {
		if (t.mem.interrupted())
			return false;
		for (std::int64_t column = 0; column < part.columns; column += most) {
			args.pixels = static_cast<std::size_t>(std::min(most, part.columns - column));
			args.image = image.data + row * part.h->in_step * image.row_stride + column * args.pixel_stride;
			(p.integer ? products().depthwise_i32 : products().depthwise_f32)(args);
			const sums all{args.sums, stride, args.pixels, static_cast<std::size_t>(part.groups),
				       p.integer ? t.quant.scales : nullptr};
			if (!t.end.finish(part.at(p, row, column, 0, 0), all, part.w->step))
				return false;
		}
	}
	return true;
}

} // namespace

void depthwise(const conv_plan &p, memory &mem, scratch &work, const conv_part &part)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	if (!load_quantisation(p, mem, part, buf.weights))
		return;
	const auto stride = (static_cast<std::size_t>(part.groups) + depthwise_lanes - 1) / depthwise_lanes * depthwise_lanes;
	const std::size_t taps = part.h->taps.size() * part.w->taps.size();
	std::byte *weights = work.get(3, (taps * stride + 1) * 4);
	finisher end(p.tail, p.out, p.exact, buf.finish);
	if (!load_weights(p, mem, part, buf.weights, stride, weights) ||
	    !end.open(mem, part.at(p, 0, 0, 0, 0), part.at(p, part.rows - 1, part.columns - 1, part.groups - 1, 0)))
		return;
	for (const conv_part &piece : pieces_of(p, part))
		if (!multiply({p, mem, work, buf.weights, end, weights}, piece))
			return;
}

} // namespace atom::engine::fast
