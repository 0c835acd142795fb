// SPDX-License-Identifier: MIT
// CONV2D with bias and ReLU, all tiles of the engine's operation on flat memory, against oneDNN's convolution on every layer
// of ResNet-50, and on the depthwise ones of EfficientNet-lite0. oneDNN chooses its layouts, and its weights are packed before; the engine's are promised to be constant, so that
// its first run packs them. conv.geomean.plain is without the promise, and with oneDNN's packing in its time.
#include <map>
#include <memory>
#include <vector>

#include "convs.hpp"
#include "efficientnet.hpp"
#include "engine/engine.h"
#include "race.hpp"
#include "resnet50.hpp"

namespace {

using namespace atom::engine;
using bench::conv_layer;
using bench::kind;
using bench::operands;

/** One buffer that the command's absolute addresses mean. */
class flat_memory final : public memory {
public:
	flat_memory(std::byte *base, std::span<const operand> operands) : base_(base), operands_(operands) {}

	std::byte *map(std::size_t operand, std::int64_t low, std::int64_t, std::uint32_t) override
	{
		return base_ + operands_[operand].va + low;
	}
	bool read(std::size_t operand, std::int64_t low, void *to, std::size_t bytes) override
	{
		std::memcpy(to, base_ + operands_[operand].va + low, bytes);
		return true;
	}
	bool write(std::size_t operand, std::int64_t low, const void *from, std::size_t bytes) override
	{
		std::memcpy(base_ + operands_[operand].va + low, from, bytes);
		return true;
	}
	std::byte *keep(std::size_t, std::span<const std::uint64_t> form, std::size_t bytes) override
	{
		std::unique_ptr<bench::aligned> &room = kept_[{form.begin(), form.end()}];
		if (!room)
			room = std::make_unique<bench::aligned>(bytes);
		return room->data;
	}
	void fail(const fault &) override { failed_ = true; }
	bool failed() const override { return failed_; }
	tile_progress &progress() override { return progress_; }

private:
	std::byte *base_;
	std::span<const operand> operands_;
	tile_progress progress_;
	std::map<std::vector<std::uint64_t>, std::unique_ptr<bench::aligned>> kept_;
	bool failed_ = false;
};

std::unique_ptr<operation> make_operation(const kind &k, const conv_layer &l, const operands &at, bool constant)
{
	const atom_cmd_conv2d c = bench::make_command(k, l, at, 0, constant);
	fault why;
	auto op = decode(std::as_bytes(std::span(&c, 1)), {}, {}, why);
	if (!op) {
		std::fprintf(stderr, "%s %s: fault %u at %u\n", k.name, l.name, unsigned{why.code}, why.field);
		std::exit(1);
	}
	return op;
}

float value_of(const std::byte *data, std::size_t bytes)
{
	if (bytes == 1)
		return static_cast<float>(std::to_integer<int>(*data));
	std::byte wide[4] = {};
	std::memcpy(wide + 4 - bytes, data, bytes);
	float value;
	std::memcpy(&value, wide, 4);
	return value;
}

/** A fast wrong result is not a figure. */
void check_same(const kind &k, const conv_layer &l, const std::byte *x, const std::byte *y, std::size_t count)
{
	const float size = std::sqrt(static_cast<float>(l.terms()));
	const float allowed = k.bytes == 1 ? 1 : size * (k.bytes == 2 ? 0.03f : 1e-4f);
	for (std::size_t i = 0; i < count; ++i)
		if (!(std::fabs(value_of(x + i * k.bytes, k.bytes) - value_of(y + i * k.bytes, k.bytes)) <= allowed)) {
			std::fprintf(stderr, "%s %s: element %zu is %g, not oneDNN's %g\n", k.name, l.name, i,
				     static_cast<double>(value_of(x + i * k.bytes, k.bytes)),
				     static_cast<double>(value_of(y + i * k.bytes, k.bytes)));
			std::exit(1);
		}
}

struct speeds {
	double engine, reference;             ///< seconds
	double engine_packs, reference_packs; ///< in each run
};

speeds run(dnnl::engine &engine, dnnl::stream &stream, const kind &k, const conv_layer &l)
{
	const operands at(k, l);
	const bench::aligned data(at.end);
	bench::fill(data.data, k, l, at);
	const auto op = make_operation(k, l, at, true), op_packs = make_operation(k, l, at, false);
	flat_memory memory(data.data, op->operands());
	scratch work;
	bench::theirs other(engine, stream, k, l, data.data, at);
	const auto ours = [&](const operation &o) {
		for (std::uint64_t tile = 0; tile < o.tiles(); ++tile)
			o.run(tile, memory, work);
	};
	other.execute();
	for (const operation *o : {op_packs.get(), op.get(), op.get()}) {
		ours(*o);
		check_same(k, l, data.data + at.out, other.result(), at.out_count);
	}
	const auto best = bench::race({[&] { ours(*op); }, [&] { other.execute(); }, [&] { ours(*op_packs); },
				       [&] { other.pack_and_execute(); }},
				      l.operations());
	const speeds s = {best[0], best[1], best[2], best[3]};
	const auto gops = [&](double seconds) { return l.operations() / seconds * 1e-9; };
	std::printf("conv %s %s: %.0f GOPS in %llu tiles, oneDNN %.0f (%s), with packing %.0f and %.0f: ratio %.2f\n", k.name, l.name,
		    gops(s.engine), static_cast<unsigned long long>(op->tiles()), gops(s.reference), other.name().c_str(),
		    gops(s.engine_packs), gops(s.reference_packs), s.reference / s.engine);
	return s;
}

} // namespace

int main(int argc, char **argv)
{
	if (!bench::hold_onednn(argv))
		return 1;
	std::printf("kernels: %s\n", isa_name());
	dnnl::engine engine(dnnl::engine::kind::cpu, 0);
	dnnl::stream stream(engine);
	bench::geometric_mean all, all_packing;
	const auto measure = [&](const kind &k, const conv_layer &l, std::initializer_list<bench::geometric_mean *> means) {
		const std::string name = std::string("conv.") + k.name + "." + l.name;
		if (argc > 1 && name.find(argv[1]) == std::string::npos)
			return;
		const speeds s = run(engine, stream, k, l);
		bench::tell_both(name, l.operations() / s.engine * 1e-9, l.operations() / s.reference * 1e-9);
		for (bench::geometric_mean *m : means)
			m->add(s.reference / s.engine);
		if (l.groups == 1)
			all_packing.add(s.reference_packs / s.engine_packs);
	};
	for (const kind &k : bench::kinds) {
		bench::geometric_mean mean;
		for (const conv_layer &l : bench::resnet50)
			measure(k, l, {&mean, &all});
		std::printf("conv %s: %.3f of oneDNN's speed\n", k.name, mean.value());
		bench::geometric_mean depthwise;
		for (const conv_layer &l : bench::efficientnet)
			measure(k, l, {&depthwise});
		bench::tell_both(std::string("conv.depthwise.") + k.name, depthwise.value(), 1);
	}
	bench::tell_both("conv.geomean", all.value(), 1);
	bench::tell_both("conv.geomean.plain", all_packing.value(), 1);
	return 0;
}
