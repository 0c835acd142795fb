// SPDX-License-Identifier: MIT
// Matrix products of the engine's kernels against oneDNN on the same shapes: one thread each, thread CPU time, taken in
// turns, the best of several runs counts. oneDNN is held to the instruction set that the kernels use.
#include <dnnl.hpp>
#include <cstdint>
#include <random>

#include "kernels/gemm.h"
#include "race.hpp"

namespace {

using namespace atom::engine::kernels;
using bench::aligned;
using bench::geometric_mean;
using bench::race;
using bench::tell_both;

struct shape {
	std::size_t m, n, k;
	bool transposed = false; ///< b lies along k
	int count = 1;           ///< times in a layer
	double operations() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
};

struct kind {
	const char *name;
	atom_dtype a, b;
	std::size_t bytes;
	dnnl::memory::data_type dnnl_a, dnnl_b, dnnl_out;
};

using dt = dnnl::memory::data_type;
const kind f32 = {"f32", ATOM_DTYPE_F32, ATOM_DTYPE_F32, 4, dt::f32, dt::f32, dt::f32};
const kind bf16 = {"bf16", ATOM_DTYPE_BF16, ATOM_DTYPE_BF16, 2, dt::bf16, dt::bf16, dt::f32};
const kind int8 = {"int8", ATOM_DTYPE_I8, ATOM_DTYPE_I8, 1, dt::s8, dt::s8, dt::s32};
const kind f16 = {"f16", ATOM_DTYPE_F16, ATOM_DTYPE_F16, 2, dt::undef, dt::undef, dt::undef};

/** The projections, the feed-forward layers and the attention (12 heads) of BERT-base, 128 tokens. */
const shape bert[] = {
	{128, 768, 768, false, 4}, {128, 3072, 768}, {128, 768, 3072}, {128, 128, 64, true, 12}, {128, 64, 128, false, 12},
};

void fill(std::byte *to, const kind &k, std::size_t elements)
{
	std::mt19937 random(1);
	std::normal_distribution<float> normal;
	for (std::size_t i = 0; i < elements; ++i) {
		const float value = normal(random);
		std::uint32_t bits;
		std::memcpy(&bits, &value, 4);
		if (k.a == ATOM_DTYPE_F32)
			std::memcpy(to + 4 * i, &value, 4);
		else if (k.bytes == 2) { // f16: sign and fraction of the f32, magnitudes from 0.25 to 2
			const std::uint32_t half = (bits >> 16 & 0x8000) | (13 + bits % 3) << 10 | (bits >> 13 & 0x3ff);
			const auto value16 = static_cast<std::uint16_t>(k.a == ATOM_DTYPE_F16 ? half : bits >> 16);
			std::memcpy(to + 2 * i, &value16, 2);
		} else {
			to[i] = static_cast<std::byte>(random());
		}
	}
}

/** Of the engine, with its operands. */
struct product {
	aligned a, b, out;
	gemm_args args;
	aligned work;

	product(const kind &k, const shape &s)
	    : a(s.m * s.k * k.bytes), b(s.k * s.n * k.bytes), out(s.m * s.n * 4), args(args_of(k, s)), work(gemm_workspace(args))
	{
		fill(a.data, k, s.m * s.k);
		fill(b.data, k, s.k * s.n);
	}

	void run() const { gemm(args, work.data); }

private:
	gemm_args args_of(const kind &k, const shape &s) const
	{
		const auto e = static_cast<std::ptrdiff_t>(k.bytes);
		gemm_args to;
		to.m = s.m;
		to.n = s.n;
		to.k = s.k;
		to.a = {a.data, static_cast<std::ptrdiff_t>(s.k) * e, e, k.a};
		to.b = s.transposed ? matrix{b.data, e, static_cast<std::ptrdiff_t>(s.k) * e, k.b}
				    : matrix{b.data, static_cast<std::ptrdiff_t>(s.n) * e, e, k.b};
		to.out = out.data;
		to.out_stride = s.n;
		return to;
	}
};

struct times {
	double kernel, packed;       ///< seconds: with b as it lies; with b packed before
	double dnnl, dnnl_packed;    ///< the same of oneDNN
};

/** f16 has no counterpart in oneDNN: it runs against f32. */
void race_f16(std::size_t n)
{
	const shape s = {n, n, n};
	const product half(f16, s), single(f32, s);
	const auto best = race({[&] { half.run(); }, [&] { single.run(); }}, s.operations());
	tell_both("gemm.f16." + std::to_string(n), s.operations() / best[0] * 1e-9, s.operations() / best[1] * 1e-9);
}

class contest {
public:
	contest()
	    : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_)
	{
	}

	times run(const kind &k, const shape &s)
	{
		const product ours(k, s);
		const aligned packed(packed_b_bytes(k.a, k.b, s.n, s.k));
		pack_b(ours.args.b, k.a, s.n, s.k, 0, s.n, packed.data);
		const aligned theirs(s.m * s.n * 4);
		const plain dnnl_plain(*this, k, s, ours.a.data, ours.b.data, theirs.data, false);
		const plain dnnl_packed(*this, k, s, ours.a.data, ours.b.data, theirs.data, true);
		const auto best = race({[&] { ours.run(); },
					[&] { gemm_packed(ours.args, packed.data, s.n, 0, ours.work.data); },
					[&] { dnnl_plain.execute(stream_); }, [&] { dnnl_packed.execute(stream_); }},
				       s.operations());
		ours.run();
		dnnl_plain.execute(stream_);
		check_same(k, ours.out.data, theirs.data, s);
		return {best[0], best[1], best[2], best[3]};
	}

private:
	struct plain {
		dnnl::matmul primitive;
		std::unordered_map<int, dnnl::memory> memories;

		plain(contest &c, const kind &k, const shape &s, std::byte *a, std::byte *b, std::byte *out, bool packed)
		{
			using tag = dnnl::memory::format_tag;
			const auto m = static_cast<dnnl::memory::dim>(s.m), n = static_cast<dnnl::memory::dim>(s.n),
				   depth = static_cast<dnnl::memory::dim>(s.k);
			const dnnl::memory::desc da({m, depth}, k.dnnl_a, tag::ab), dc({m, n}, k.dnnl_out, tag::ab);
			const dnnl::memory::desc lying({depth, n}, k.dnnl_b, s.transposed ? tag::ba : tag::ab);
			const dnnl::memory::desc free({depth, n}, k.dnnl_b, tag::any);
			const dnnl::matmul::primitive_desc pd(dnnl::matmul::desc(da, packed ? free : lying, dc), c.engine_);
			primitive = dnnl::matmul(pd);
			dnnl::memory weights(lying, c.engine_, b);
			if (packed) {
				dnnl::memory reordered(pd.weights_desc(), c.engine_);
				dnnl::reorder(weights, reordered).execute(c.stream_, weights, reordered);
				weights = reordered;
			}
			memories = {{DNNL_ARG_SRC, dnnl::memory(da, c.engine_, a)},
				    {DNNL_ARG_WEIGHTS, weights},
				    {DNNL_ARG_DST, dnnl::memory(dc, c.engine_, out)}};
		}
		void execute(dnnl::stream &stream) const { primitive.execute(stream, memories); }
	};

	/** A fast wrong product is not a figure. */
	static void check_same(const kind &k, const std::byte *x, const std::byte *y, const shape &s)
	{
		for (std::size_t i = 0; i < s.m * s.n; ++i) {
			float p, q;
			std::memcpy(&p, x + 4 * i, 4);
			std::memcpy(&q, y + 4 * i, 4);
			const bool same = k.dnnl_out == dt::s32
						  ? std::memcmp(x + 4 * i, y + 4 * i, 4) == 0
						  : std::fabs(p - q) <= 1e-4f * std::sqrt(static_cast<float>(s.k));
			if (!same) {
				std::fprintf(stderr, "%s %zu x %zu x %zu: element %zu is not oneDNN's\n", k.name, s.m, s.n,
					     s.k, i);
				std::exit(1);
			}
		}
	}

	dnnl::engine engine_;
	dnnl::stream stream_;
};

} // namespace

int main(int, char **argv)
{
	if (!bench::hold_onednn(argv))
		return 1;
	std::printf("kernels: %s\n", name(selected()));

	contest c;
	geometric_mean all, all_packed;
	for (const kind *k : {&f32, &bf16, &int8}) {
		for (const std::size_t n : {256, 512, 1024, 2048}) {
			const shape s = {n, n, n};
			const times t = c.run(*k, s);
			const std::string name = "gemm." + std::string(k->name) + "." + std::to_string(n);
			tell_both(name, s.operations() / t.kernel * 1e-9, s.operations() / t.dnnl * 1e-9);
			std::printf("%s with b packed before: %.0f, oneDNN %.0f\n", name.c_str(),
				    s.operations() / t.packed * 1e-9, s.operations() / t.dnnl_packed * 1e-9);
			all.add(t.dnnl / t.kernel);
			all_packed.add(t.dnnl_packed / t.packed);
		}
		double operations = 0;
		times layer = {};
		for (const shape &s : bert) {
			const times t = c.run(*k, s);
			std::printf("bert %s %zu x %zu x %zu: %.0f, oneDNN %.0f; packed before %.0f, oneDNN %.0f\n", k->name,
				    s.m, s.n, s.k, s.operations() / t.kernel * 1e-9, s.operations() / t.dnnl * 1e-9,
				    s.operations() / t.packed * 1e-9, s.operations() / t.dnnl_packed * 1e-9);
			operations += s.operations() * s.count;
			layer.kernel += t.kernel * s.count;
			layer.packed += t.packed * s.count;
			layer.dnnl += t.dnnl * s.count;
			layer.dnnl_packed += t.dnnl_packed * s.count;
		}
		tell_both("gemm." + std::string(k->name) + ".bert", operations / layer.kernel * 1e-9,
			  operations / layer.dnnl * 1e-9);
		all.add(layer.dnnl / layer.kernel);
		all_packed.add(layer.dnnl_packed / layer.packed);
		// One token: the weights come from memory, as they lie (each output's weights side by side).
		const shape token = {1, 4096, 4096, true};
		const times t = c.run(*k, token);
		tell_both("gemm." + std::string(k->name) + ".token", token.operations() / t.kernel * 1e-9,
			  token.operations() / t.dnnl * 1e-9);
	}
	for (const std::size_t n : {256, 512, 1024, 2048})
		race_f16(n);
	tell_both("gemm.geomean", all.value(), 1);
	tell_both("gemm.geomean.packed", all_packed.value(), 1);
	return 0;
}
