/* SPDX-License-Identifier: MIT */
/**
 * @file random_commands.h
 * @brief Random tensors and their content, and the instruction sets to try them on.
 */
#pragma once

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "harness.h"
#include "kernels/gemm.h"
#include "numeric/half.h"

namespace atom::engine::test {

inline constexpr std::uint64_t random_memory_bytes = 2 << 20;
inline constexpr std::uint64_t arrays_at = random_memory_bytes - (1 << 18); ///< scales and zero points, up to the end

class generator {
public:
	explicit generator(unsigned seed) : random_(seed) {}

	unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
	template <class T, std::size_t N> T one_of(const T (&choices)[N]) { return choices[below(N)]; }
	bool rarely() { return below(4) == 0; }

	std::vector<std::uint64_t> dims()
	{
		static constexpr std::uint64_t sizes[] = {1, 1, 2, 3, 5, 7, 8, 16, 31, 33};
		std::vector<std::uint64_t> d(below(6));
		std::uint64_t product = 1;
		for (auto &x : d) {
			x = product > 500 ? 1 : one_of(sizes);
			product *= x;
		}
		if (!d.empty() && product < 20 && rarely())
			d.back() = 900 + below(1500);
		return d;
	}

	/* Elements of the tensor lie in any order of dimensions, with gaps, backwards or repeated. */
	atom_tensor tensor(unsigned dtype, const std::vector<std::uint64_t> &dims, bool output)
	{
		atom_tensor t{};
		t.slot = 1;
		t.dtype = static_cast<std::uint8_t>(dtype);
		t.rank = static_cast<std::uint8_t>(dims.size());
		std::vector<unsigned> order(dims.size());
		std::iota(order.begin(), order.end(), 0);
		std::reverse(order.begin(), order.end());
		if (rarely())
			std::shuffle(order.begin(), order.end(), random_);
		const auto size = size_of(dtype);
		std::int64_t reach = size, low = 0, high = size;
		for (const unsigned i : order) {
			std::int64_t stride = reach + (rarely() ? size * below(4) : 0);
			const auto steps = static_cast<std::int64_t>(dims[i]) - 1;
			reach = stride * steps + reach;
			if (!output && rarely())
				stride = rarely() ? 0 : -stride;
			t.dims[i] = dims[i];
			t.strides[i] = static_cast<std::uint64_t>(stride);
			(stride < 0 ? low : high) += steps * stride;
		}
		at_ = (at_ + 7) / 8 * 8 + static_cast<std::uint64_t>(size * below(9));
		at_ = (at_ + static_cast<std::uint64_t>(size) - 1) / static_cast<std::uint64_t>(size) * static_cast<std::uint64_t>(size);
		t.offset = at_ + static_cast<std::uint64_t>(-low);
		at_ += static_cast<std::uint64_t>(high - low);
		EXPECT_LT(at_, arrays_at);
		return t;
	}

	/* Quantisation that fits the dtype. */
	void quantise(atom_tensor &t)
	{
		const auto zero_point = [&] {
			switch (t.dtype) {
			case ATOM_DTYPE_U8:
				return static_cast<int>(below(256));
			case ATOM_DTYPE_I8:
				return static_cast<int>(below(256)) - 128;
			default:
				return static_cast<int>(below(65536)) - 32768;
			}
		};
		if (t.rank == 0 || below(2)) {
			t = quantised(t, std::ldexp(1 + static_cast<float>(below(1000)) / 1000, static_cast<int>(below(8)) - 6),
				      zero_point());
			return;
		}
		t.quant.kind = ATOM_QUANT_PER_CHANNEL;
		t.quant.axis = static_cast<std::uint8_t>(below(t.rank));
		t.quant.slot = 1;
		const std::uint64_t n = t.dims[t.quant.axis];
		t.quant.scale_offset = arrays_ += n * 4;
		scales_.push_back({arrays_, n, {}});
		arrays_ += n * 4;
		if (below(2)) {
			t.quant.flags = ATOM_QUANT_ZERO_POINTS;
			t.quant.zero_point_offset = arrays_;
			scales_.push_back({arrays_, n, [zero_point, this] { return zero_point(); }});
			for (std::uint64_t i = 0; i < n; ++i)
				zero_point_values_.push_back(zero_point());
			arrays_ += n * 4;
		}
		EXPECT_LT(arrays_, random_memory_bytes);
	}

	/* Float-heavy noise: values of all sizes, NaN and infinities among them. */
	void fill(arena &mem, unsigned dtype_hint)
	{
		for (std::uint64_t i = 0; i < arrays_at / 4; ++i) {
			const auto noise = static_cast<std::uint32_t>(random_());
			if (dtype_hint == ATOM_DTYPE_F32 && i % 16)
				mem.at<float>(0)[i] = std::ldexp(static_cast<float>(static_cast<std::int32_t>(noise)), -24);
			else if (dtype_hint == ATOM_DTYPE_F16 && i % 16)
				mem.at<std::uint32_t>(0)[i] = noise & 0xbfffbfff;
			else
				mem.at<std::uint32_t>(0)[i] = noise;
		}
		std::size_t z = 0;
		for (const auto &a : scales_)
			for (std::uint64_t i = 0; i < a.count; ++i)
				if (a.zero_point)
					mem.at<std::int32_t>(a.at)[i] = zero_point_values_[z++];
				else
					mem.at<float>(a.at)[i] = 0.01f + static_cast<float>(below(1000)) / 500;
	}

	std::mt19937 &random() { return random_; }

private:
	struct array {
		std::uint64_t at, count;
		std::function<int()> zero_point;
	};
	std::mt19937 random_;
	std::uint64_t at_ = 64;
	std::uint64_t arrays_ = arrays_at;
	std::vector<array> scales_;
	std::vector<int> zero_point_values_;
};

inline constexpr unsigned floats[] = {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16};
inline constexpr unsigned integers[] = {ATOM_DTYPE_I8, ATOM_DTYPE_U8, ATOM_DTYPE_I16, ATOM_DTYPE_I32};

/* Where the bytes differ, both may be NaN: payloads are not specified. */
inline bool same_output(arena &a, arena &b, const atom_tensor &out)
{
	if (a == b)
		return true;
	const bool half = out.dtype == ATOM_DTYPE_F16, bfloat = out.dtype == ATOM_DTYPE_BF16;
	if (!half && !bfloat && out.dtype != ATOM_DTYPE_F32)
		return false;
	for (std::uint64_t i = 0; i < random_memory_bytes; i += half || bfloat ? 2 : 4) {
		if (half || bfloat) {
			const auto x = *a.at<std::uint16_t>(i), y = *b.at<std::uint16_t>(i);
			const auto value = [&](std::uint16_t v) { return half ? f16_to_f32(v) : bf16_to_f32(v); };
			if (x != y && !(std::isnan(value(x)) && std::isnan(value(y))))
				return false;
		} else {
			const auto x = *a.at<std::uint32_t>(i), y = *b.at<std::uint32_t>(i);
			if (x != y && !(std::isnan(std::bit_cast<float>(x)) && std::isnan(std::bit_cast<float>(y))))
				return false;
		}
	}
	return true;
}

template <class T> void expect_same(const T &c, const atom_tensor &out, generator &g, unsigned seed, unsigned hint)
{
	arena expected(random_memory_bytes);
	g.fill(expected, hint);
	const arena start = expected;
	const outcome reference = run(c, expected, true);
	ASSERT_TRUE(reference.decoded) << "seed " << seed << " code " << reference.why.code << " field "
				       << reference.why.field;
	ASSERT_EQ(reference.breach, "") << "seed " << seed;
	ASSERT_EQ(reference.why.code, ATOM_FAULT_NONE) << "seed " << seed;
	for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
		arena mem = start;
		const outcome fast = run(bytes_of(c), mem, false, how);
		ASSERT_EQ(fast.breach, "") << "seed " << seed;
		ASSERT_EQ(fast.why.code, ATOM_FAULT_NONE) << "seed " << seed;
		ASSERT_TRUE(same_output(mem, expected, out))
			<< "seed " << seed << " mapping " << static_cast<int>(how) << " dtype " << unsigned{out.dtype};
	}
}

/* All instruction sets that this CPU has, one after the other. */
class EachInstructionSet : public testing::TestWithParam<kernels::isa> {
protected:
	void SetUp() override
	{
		if (!kernels::select(GetParam()))
			GTEST_SKIP() << "not on this CPU";
	}
	void TearDown() override
	{
		for (std::size_t i = kernels::isa_count; i-- > 0;)
			if (kernels::select(static_cast<kernels::isa>(i)))
				break;
	}
	/** Whether to run the reference, one after the other: once is enough, it is the same on all. */
	static std::vector<bool> engines()
	{
		return GetParam() == kernels::isa::scalar ? std::vector<bool>{true, false} : std::vector<bool>{false};
	}
};

inline auto instruction_sets()
{
	return testing::Values(kernels::isa::scalar, kernels::isa::avx2, kernels::isa::avx512,
			       kernels::isa::avx512_vnni, kernels::isa::avx512_bf16);
}
inline std::string instruction_set_name(const testing::TestParamInfo<kernels::isa> &info)
{
	std::string name = kernels::name(info.param);
	std::replace(name.begin(), name.end(), '-', '_');
	return name;
}

} // namespace atom::engine::test
