// SPDX-License-Identifier: MIT
// Fourier transforms as products with matrices of sines, and window functions.
#include <cmath>
#include <numbers>

#include "registry.hpp"

namespace atom_onnx {
namespace {

constexpr std::int64_t length_max = 8192; // the matrix has the square of it

struct transform {
	std::int64_t length;
	std::int64_t bins;
	bool inverse;
	bool real_out; ///< inverse of half a spectrum: only the real part is told
};

// e^(-+2 pi i k n / length), the angle reduced first so that it is exact for long transforms.
double angle_of(const transform &t, std::int64_t k, std::int64_t n)
{
	const auto turn = static_cast<double>(k * n % t.length) / static_cast<double>(t.length);
	return (t.inverse ? 2 : -2) * std::numbers::pi * turn;
}

// How often an input of half a spectrum stands for itself and its mirror image.
double weight_of(const transform &t, std::int64_t n)
{
	if (!t.real_out)
		return 1;
	return n == 0 || 2 * n == t.length ? 1 : 2;
}

// Matrix [inputs * parts, bins * out parts]; real and imaginary parts lie side by side.
view matrix_of(lowering &n, const transform &t, std::int64_t inputs, std::int64_t parts)
{
	const double scale = t.inverse ? 1.0 / static_cast<double>(t.length) : 1.0;
	const std::int64_t out_parts = t.real_out ? 1 : 2;
	std::vector<double> m;
	for (std::int64_t i = 0; i < inputs; ++i)
		for (std::int64_t part = 0; part < parts; ++part)
			for (std::int64_t k = 0; k < t.bins; ++k) {
				const double a = angle_of(t, k, i);
				const double s = scale * weight_of(t, i);
				m.push_back(s * (part == 0 ? std::cos(a) : -std::sin(a)));
				if (out_parts == 2)
					m.push_back(s * (part == 0 ? std::sin(a) : std::cos(a)));
			}
	return n.e.constant(atom::dtype::f32, {inputs * parts, t.bins * out_parts}, m);
}

// Rows [.., n, parts] to [.., bins, 2].
view apply(lowering &n, const view &rows, const transform &t)
{
	const unsigned rank = rows.rank();
	const std::int64_t parts = rows.dims[rank - 1];
	if (parts != 1 && parts != 2)
		n.invalid("the last dimension is neither 1 nor 2");
	n.only_if(t.length <= length_max, "a transform of this length");
	const std::int64_t inputs = std::min(rows.dims[rank - 2], t.length);
	const view used = slice(rows, rank - 2, 0, inputs);
	const shape outer(used.dims.begin(), used.dims.end() - 2);
	const view flat = n.e.reshape(used, {count_of(outer), inputs * parts});
	const view product = n.e.gemm(flat, matrix_of(n, t, inputs, parts));
	shape dims = outer;
	dims.insert(dims.end(), {t.bins, t.real_out ? 1 : 2});
	return n.e.reshape(product, dims);
}

void lower_dft(lowering &n)
{
	const view in = n.plain(0);
	if (in.rank() < 2 || in.type != atom::dtype::f32)
		n.refuse(in.rank() < 2 ? reason::invalid_model : reason::dtype, "the input");
	const std::int64_t told = n.opset() >= 20 ? (n.has(2) ? n.integer(2) : -2)
	                                          : n.attr("axis", std::int64_t{1});
	const unsigned axis = n.axis(told, in.rank());
	if (axis + 1 == in.rank())
		n.invalid("axis");
	const bool half = n.attr("onesided", std::int64_t{0}) != 0;
	transform t{};
	t.inverse = n.attr("inverse", std::int64_t{0}) != 0;
	t.real_out = t.inverse && half;
	t.length = t.real_out ? 2 * (in.dims[axis] - 1) : in.dims[axis];
	if (n.has(1))
		t.length = n.integer(1);
	if (t.length < 1)
		n.invalid("dft_length");
	t.bins = half && !t.inverse ? t.length / 2 + 1 : t.length;
	std::vector<unsigned> order;
	for (unsigned d = 0; d + 1 < in.rank(); ++d)
		if (d != axis)
			order.push_back(d);
	order.insert(order.end(), {axis, in.rank() - 1});
	std::vector<unsigned> back(order.size());
	for (unsigned i = 0; i < order.size(); ++i)
		back[order[i]] = i;
	n.set(0, permute(apply(n, permute(in, order), t), back));
}

// Frames overlap as a view of the signal does: no copy is made of them.
void lower_stft(lowering &n)
{
	n.require_inputs(2);
	view signal = n.plain(0);
	if (signal.rank() == 2)
		signal = unsqueeze(signal, 2);
	if (signal.rank() != 3 || signal.type != atom::dtype::f32)
		n.invalid("the signal");
	const std::int64_t step = n.integer(1);
	std::int64_t length = signal.dims[1];
	if (n.has(2))
		length = count_of(n.dims(2));
	if (n.has(3))
		length = n.integer(3);
	if (step < 1 || length < 1 || length > signal.dims[1] ||
	    (n.has(2) && count_of(n.dims(2)) != length))
		n.invalid("frame_step or frame_length");
	view frames = unsqueeze(signal, 1);
	frames.dims[1] = (signal.dims[1] - length) / step + 1;
	frames.strides[1] = step * signal.strides[1];
	frames.dims[2] = length;
	if (n.has(2))
		frames = n.e.mul(frames, n.e.reshape(n.plain(2), {length, 1}));
	const bool half = n.attr("onesided", std::int64_t{1}) != 0;
	n.set(0, apply(n, frames, {length, half ? length / 2 + 1 : length, false, false}));
}

/** A window as a sum of cosines: a0 - a1 cos(x) + a2 cos(2 x). */
struct cosines {
	double a0, a1, a2;
};

void set_window(lowering &n, const cosines &c)
{
	const std::int64_t size = n.integer(0);
	const auto type = static_cast<element_type>(n.attr("output_datatype", std::int64_t{1}));
	if (!device_type(type))
		n.refuse(reason::dtype, name_of(type));
	if (size < 0 || size > (std::int64_t{1} << 28))
		n.invalid("the size");
	const bool periodic = n.attr("periodic", std::int64_t{1}) != 0;
	const auto period = static_cast<double>(periodic ? size : size - 1);
	std::vector<double> values;
	for (std::int64_t i = 0; i < size; ++i) {
		const double x = 2 * std::numbers::pi * static_cast<double>(i) / period;
		values.push_back(c.a0 - c.a1 * std::cos(x) + c.a2 * std::cos(2 * x));
	}
	n.set(0, host_tensor::of(type, {size}, values));
}

void lower_hann(lowering &n) { set_window(n, {0.5, 0.5, 0}); }
void lower_hamming(lowering &n) { set_window(n, {25.0 / 46, 21.0 / 46, 0}); }
void lower_blackman(lowering &n) { set_window(n, {0.42, 0.5, 0.08}); }

double to_mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double to_hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// Triangles over the bins of a spectrum, evenly spaced in mel.
void lower_mel_matrix(lowering &n)
{
	n.require_inputs(5);
	const std::int64_t bands = n.integer(0);
	const std::int64_t length = n.integer(1);
	const auto rate = static_cast<double>(n.integer(2));
	const auto type = static_cast<element_type>(n.attr("output_datatype", std::int64_t{1}));
	if (!device_type(type))
		n.refuse(reason::dtype, name_of(type));
	const std::int64_t bins = length / 2 + 1;
	if (bands < 1 || length < 1 || rate <= 0 || bands > 65536 || length > 65536)
		n.invalid("the sizes");
	const double low = to_mel(n.number(3));
	const double step = (to_mel(n.number(4)) - low) / static_cast<double>(bands + 2);
	std::vector<std::int64_t> edges;
	for (std::int64_t i = 0; i < bands + 2; ++i) {
		const double hertz = to_hertz(low + static_cast<double>(i) * step);
		edges.push_back(static_cast<std::int64_t>(
			std::floor(static_cast<double>(length + 1) * hertz / rate)));
		if (edges.back() < 0 || edges.back() >= bins)
			n.invalid("the edges");
	}
	std::vector<double> m(static_cast<std::size_t>(bins * bands), 0);
	for (std::int64_t b = 0; b < bands; ++b) {
		const auto edge = [&](std::int64_t i) { return edges[static_cast<std::size_t>(i)]; };
		const auto at = [&](std::int64_t bin) -> double & {
			return m[static_cast<std::size_t>(bin * bands + b)];
		};
		const std::int64_t left = edge(b);
		const std::int64_t top = edge(b + 1);
		const std::int64_t right = edge(b + 2);
		if (top == left)
			at(top) = 1;
		for (std::int64_t i = left; i <= top && top > left; ++i)
			at(i) = static_cast<double>(i - left) / static_cast<double>(top - left);
		for (std::int64_t i = top; i < right; ++i)
			at(i) = static_cast<double>(right - i) / static_cast<double>(right - top);
	}
	n.set(0, host_tensor::of(type, {bins, bands}, m));
}

} // namespace

operator_list signal_operators()
{
	return {
		{"DFT", lower_dft},
		{"STFT", lower_stft},
		{"HannWindow", lower_hann},
		{"HammingWindow", lower_hamming},
		{"BlackmanWindow", lower_blackman},
		{"MelWeightMatrix", lower_mel_matrix},
	};
}

} // namespace atom_onnx
