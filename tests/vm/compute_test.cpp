// SPDX-License-Identifier: MIT
// Results of the commands against plain loops on the host.
#include "context.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

using namespace vmtest;

namespace {

std::uint16_t bf16_of(float value)
{
	// Round to nearest even; no NaN here.
	const auto bits = std::bit_cast<std::uint32_t>(value);
	return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float float_of_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

class compute : public testing::TestWithParam<drm_atom_bo_placement> {
protected:
	context c_;
	std::mt19937 random_{1};

	memory alloc(std::uint64_t bytes) { return c_.alloc(bytes, GetParam()); }
	float small() { return static_cast<float>(static_cast<int>(random_() % 17) - 8) / 4; }
};

std::string placement_name(const testing::TestParamInfo<drm_atom_bo_placement> &info)
{
	return info.param == DRM_ATOM_BO_SYSTEM ? "in_system_memory" : "in_device_memory";
}

} // namespace

INSTANTIATE_TEST_SUITE_P(, compute, testing::Values(DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL), placement_name);

TEST_P(compute, gemm_of_floats_is_what_the_host_computes)
{
	constexpr std::uint64_t m = 33, n = 47, k = 65;
	const memory a = alloc(m * k * 4), b = alloc(k * n * 4), out = alloc(m * n * 4);
	std::vector<float> ha(m * k), hb(k * n);
	for (float &x : ha)
		x = small();
	for (float &x : hb)
		x = small();
	std::memcpy(a.map.data(), ha.data(), ha.size() * 4);
	std::memcpy(b.map.data(), hb.data(), hb.size() * 4);
	c_.run(command_list(make_gemm(tensor(ATOM_DTYPE_F32, {m, k}, a.va), tensor(ATOM_DTYPE_F32, {k, n}, b.va),
				      tensor(ATOM_DTYPE_F32, {m, n}, out.va))));
	// Quarters times quarters: every sum is exact in f32, whatever its order.
	for (std::uint64_t i = 0; i < m; ++i)
		for (std::uint64_t j = 0; j < n; ++j) {
			float sum = 0;
			for (std::uint64_t l = 0; l < k; ++l)
				sum += ha[i * k + l] * hb[l * n + j];
			ASSERT_EQ(out.as<float>()[i * n + j], sum) << i << ", " << j;
		}
}

TEST_P(compute, gemm_of_int8_is_exact)
{
	constexpr std::uint64_t m = 16, n = 24, k = 129;
	const memory a = alloc(m * k), b = alloc(k * n), out = alloc(m * n * 4);
	std::vector<std::int8_t> ha(m * k), hb(k * n);
	for (auto &x : ha)
		x = static_cast<std::int8_t>(random_());
	for (auto &x : hb)
		x = static_cast<std::int8_t>(random_());
	std::memcpy(a.map.data(), ha.data(), ha.size());
	std::memcpy(b.map.data(), hb.data(), hb.size());
	c_.run(command_list(make_gemm(tensor(ATOM_DTYPE_I8, {m, k}, a.va), tensor(ATOM_DTYPE_I8, {k, n}, b.va),
				      tensor(ATOM_DTYPE_I32, {m, n}, out.va))));
	for (std::uint64_t i = 0; i < m; ++i)
		for (std::uint64_t j = 0; j < n; ++j) {
			std::int32_t sum = 0;
			for (std::uint64_t l = 0; l < k; ++l)
				sum += ha[i * k + l] * hb[l * n + j];
			ASSERT_EQ(out.as<std::int32_t>()[i * n + j], sum) << i << ", " << j;
		}
}

TEST_P(compute, cast_rounds_to_nearest_even)
{
	constexpr std::uint64_t n = 4096;
	const memory in = alloc(n * 4), out = alloc(n * 2), back = alloc(n * 4);
	std::vector<float> values(n);
	for (std::uint64_t i = 0; i < n; ++i)
		values[i] = std::ldexp(static_cast<float>(static_cast<std::int32_t>(random_())), static_cast<int>(i % 40) - 40);
	std::memcpy(in.map.data(), values.data(), n * 4);
	c_.run(command_list(make_cast(tensor(ATOM_DTYPE_F32, {n}, in.va), tensor(ATOM_DTYPE_BF16, {n}, out.va)), make_fence(),
			    make_cast(tensor(ATOM_DTYPE_BF16, {n}, out.va), tensor(ATOM_DTYPE_F32, {n}, back.va))));
	for (std::uint64_t i = 0; i < n; ++i) {
		ASSERT_EQ(out.as<std::uint16_t>()[i], bf16_of(values[i])) << values[i];
		ASSERT_EQ(back.as<float>()[i], float_of_bf16(bf16_of(values[i])));
	}
}

TEST_P(compute, cast_of_floats_to_bytes_saturates)
{
	const std::vector<float> values{-1000, -128.5f, -128, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 126.5f, 127, 127.5f, 1e30f};
	const std::vector<std::int8_t> expected{-128, -128, -128, -2, 0, 0, 2, 2, 126, 127, 127, 127};
	const std::uint64_t n = values.size();
	const memory in = alloc(page), out = alloc(page);
	std::memcpy(in.map.data(), values.data(), n * 4);
	c_.run(command_list(make_cast(tensor(ATOM_DTYPE_F32, {n}, in.va), tensor(ATOM_DTYPE_I8, {n}, out.va))));
	for (std::uint64_t i = 0; i < n; ++i)
		EXPECT_EQ(out.as<std::int8_t>()[i], expected[i]) << values[i];
}

TEST_P(compute, binary_adds_and_broadcasts)
{
	constexpr std::uint64_t rows = 31, columns = 77;
	const memory a = alloc(rows * columns * 4), b = alloc(columns * 4), out = alloc(rows * columns * 4);
	std::vector<float> ha(rows * columns), hb(columns);
	for (float &x : ha)
		x = small();
	for (float &x : hb)
		x = small();
	std::memcpy(a.map.data(), ha.data(), ha.size() * 4);
	std::memcpy(b.map.data(), hb.data(), hb.size() * 4);
	auto row = tensor(ATOM_DTYPE_F32, {rows, columns}, b.va);
	row.strides[0] = 0;
	const auto all = tensor(ATOM_DTYPE_F32, {rows, columns}, a.va);
	const auto result = tensor(ATOM_DTYPE_F32, {rows, columns}, out.va);
	c_.run(command_list(make_binary(ATOM_BINARY_ADD, all, row, result)));
	for (std::uint64_t i = 0; i < rows * columns; ++i)
		ASSERT_EQ(out.as<float>()[i], ha[i] + hb[i % columns]);
	c_.run(command_list(make_binary(ATOM_BINARY_MUL, all, row, result)));
	for (std::uint64_t i = 0; i < rows * columns; ++i)
		ASSERT_EQ(out.as<float>()[i], ha[i] * hb[i % columns]);
}

TEST_P(compute, unary_functions_are_what_they_are_called)
{
	constexpr std::uint64_t n = 1000;
	const memory in = alloc(n * 4), out = alloc(n * 4);
	for (std::uint64_t i = 0; i < n; ++i)
		in.as<float>()[i] = (static_cast<float>(i) - 500) / 64;
	const struct {
		std::uint32_t function;
		double (*host)(double);
	} table[] = {
		{ATOM_FN_RELU, [](double x) { return x > 0 ? x : 0; }},
		{ATOM_FN_NEG, [](double x) { return -x; }},
		{ATOM_FN_ABS, [](double x) { return std::fabs(x); }},
		{ATOM_FN_EXP, [](double x) { return std::exp(x); }},
		{ATOM_FN_TANH, [](double x) { return std::tanh(x); }},
		{ATOM_FN_SIGMOID, [](double x) { return 1 / (1 + std::exp(-x)); }},
		{ATOM_FN_GELU_ERF, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }},
	};
	for (const auto &[function, host] : table) {
		SCOPED_TRACE(function);
		c_.run(command_list(make_unary(function, tensor(ATOM_DTYPE_F32, {n}, in.va), tensor(ATOM_DTYPE_F32, {n}, out.va))));
		for (std::uint64_t i = 0; i < n; ++i) {
			const double expected = host(in.as<float>()[i]);
			ASSERT_NEAR(out.as<float>()[i], expected, 1e-5 + std::fabs(expected) * 1e-5) << in.as<float>()[i];
		}
	}
}

TEST_P(compute, copy_transposes_by_strides_and_fills)
{
	constexpr std::uint64_t rows = 50, columns = 30;
	const memory in = alloc(rows * columns * 4), out = alloc(rows * columns * 4);
	fill_pattern(in.as<std::uint32_t>(), 5);
	auto transposed = tensor(ATOM_DTYPE_I32, {columns, rows}, in.va);
	transposed.strides[0] = 4;
	transposed.strides[1] = columns * 4;
	c_.run(command_list(make_copy(transposed, tensor(ATOM_DTYPE_I32, {columns, rows}, out.va))));
	for (std::uint64_t i = 0; i < rows; ++i)
		for (std::uint64_t j = 0; j < columns; ++j)
			ASSERT_EQ(out.as<std::uint32_t>()[j * rows + i], in.as<std::uint32_t>()[i * columns + j]);
	c_.run(command_list(make_fill(tensor(ATOM_DTYPE_I16, {100}, out.va), 0xbeef)));
	for (std::uint64_t i = 0; i < 100; ++i)
		ASSERT_EQ(out.as<std::uint16_t>()[i], 0xbeef);
	EXPECT_EQ(out.as<std::uint32_t>()[50], in.as<std::uint32_t>()[50 % rows * columns + 50 / rows]) << "filled too much";
}

TEST_P(compute, timestamps_count_up_and_agree_with_the_completion_record)
{
	const memory out = alloc(page);
	std::vector<atom_timestamp> stamps(3);
	const auto job = c_.job(command_list(make_timestamp(out.va), make_timestamp(out.va + 16), make_timestamp(out.va + 32)));
	c_.run(job);
	std::memcpy(stamps.data(), out.map.data(), sizeof(atom_timestamp) * 3);
	const auto record = c_.q.completion(1);
	EXPECT_GE(stamps[0].device_ns, record.start_ns);
	EXPECT_GE(stamps[1].device_ns, stamps[0].device_ns);
	EXPECT_GE(stamps[2].device_ns, stamps[1].device_ns);
	EXPECT_LE(stamps[2].device_ns, record.end_ns);
	EXPECT_GE(stamps[2].modelled_ns, stamps[0].modelled_ns);
	EXPECT_LE(stamps[2].modelled_ns, record.modelled_ns);
}

TEST_P(compute, arguments_let_one_command_buffer_serve_many_jobs)
{
	constexpr unsigned jobs = 20;
	const memory data = alloc(jobs * page), results = alloc(jobs * page), args = alloc(page * 2);
	fill_pattern(data.as<std::uint32_t>(), 11);
	command_list commands(make_copy(tensor(ATOM_DTYPE_U8, {page}, 0, 1), tensor(ATOM_DTYPE_U8, {page}, 0, 2)));
	commands.set_slots(3);
	const auto program = c_.job(commands);
	for (unsigned i = 0; i < jobs; ++i) {
		args.as<atom_arg>()[2 * i] = {data.va + i * page, page};
		args.as<atom_arg>()[2 * i + 1] = {results.va + i * page, page};
		auto job = program;
		job.args_va = args.va + i * 2 * sizeof(atom_arg);
		job.arg_count = 2;
		c_.submit(job);
	}
	c_.wait();
	EXPECT_EQ(c_.q.state().flags, 0u) << describe(c_.q.state());
	EXPECT_EQ(std::memcmp(data.map.data(), results.map.data(), jobs * page), 0);
}

TEST_P(compute, completion_records_are_written_to_the_result_address_too)
{
	const memory result = alloc(page);
	auto job = c_.job(command_list(make_nop()));
	job.cookie = 0x1122334455667788;
	job.result_va = result.va + 64;
	c_.run(job);
	atom_cpl_record there;
	std::memcpy(&there, result.map.data() + 64, sizeof(there));
	const auto record = c_.q.completion(1);
	EXPECT_EQ(std::memcmp(&there, &record, sizeof(record)), 0);
	EXPECT_EQ(there.cookie, job.cookie);
	EXPECT_EQ(there.status, ATOM_CPL_OK);
	EXPECT_EQ(there.seq, 1u);
	EXPECT_GE(there.end_ns, there.start_ns);
}
