// SPDX-License-Identifier: MIT
// What a session on the NPU does, on small models.
#include <thread>

#include <gtest/gtest.h>

#include "models.hpp"
#include "runtime.hpp"

namespace {

using runtime::where;

constexpr float rounding = 1e-4F;

std::vector<Ort::Value> one(Ort::Value v)
{
	std::vector<Ort::Value> all;
	all.push_back(std::move(v));
	return all;
}

void expect_same_as_cpu(const std::string &model, const std::vector<Ort::Value> &inputs)
{
	Ort::Session npu = runtime::load(model, where::npu);
	Ort::Session cpu = runtime::load(model, where::cpu);
	const auto got = runtime::run(npu, inputs);
	const auto expected = runtime::run(cpu, inputs);
	ASSERT_EQ(got.size(), expected.size());
	for (std::size_t i = 0; i < got.size(); ++i)
		EXPECT_LE(runtime::difference(got[i], expected[i]), rounding);
}

TEST(ProviderTest, OffersTheNpuToOnnxRuntime)
{
	ASSERT_FALSE(runtime::npus().empty());
	EXPECT_EQ(runtime::npus().front().Device().Type(), OrtHardwareDeviceType_NPU);
}

TEST(ProviderTest, ComputesWhatTheCpuComputes)
{
	expect_same_as_cpu(models::multiply(), one(runtime::noise({5, 64})));
}

TEST(ProviderTest, TakesEveryNodeThatCanBeLowered)
{
	const auto c = runtime::coverage_of(runtime::load(models::multiply(), where::npu));
	EXPECT_EQ(c.nodes, 2U);
	EXPECT_EQ(c.on_npu, 2U);
}

TEST(ProviderTest, LeavesF64ToTheCpuAndTakesWhatIsAround)
{
	expect_same_as_cpu(models::with_f64_inside(), one(runtime::noise({4, 8})));
	const auto c =
		runtime::coverage_of(runtime::load(models::with_f64_inside(), where::npu));
	EXPECT_EQ(c.on_npu, 2U);
	EXPECT_GT(c.nodes, c.on_npu);
}

TEST(ProviderTest, SaysAtVerboseLevelWhyANodeIsLeftToTheCpu)
{
	runtime::take_log();
	runtime::load(models::with_f64_inside(), where::npu);
	const std::string log = runtime::take_log();
	EXPECT_NE(log.find("left to the CPU: Sin 'Sin_sine': dtype"), std::string::npos) << log;
}

TEST(ProviderTest, TakesNumbersThatARunTells)
{
	for (const std::int64_t first : {0, 3, 0}) {
		std::vector<Ort::Value> inputs;
		inputs.push_back(runtime::noise({4, 6}));
		inputs.push_back(runtime::integers({1}, {first}));
		inputs.push_back(runtime::integers({1}, {first + 2}));
		expect_same_as_cpu(models::columns_as_told(), inputs);
	}
	const auto c =
		runtime::coverage_of(runtime::load(models::columns_as_told(), where::npu));
	EXPECT_EQ(c.on_npu, c.nodes);
}

TEST(ProviderTest, TakesInputsWithoutElements)
{
	expect_same_as_cpu(models::multiply(), one(runtime::noise({0, 64})));
}

TEST(ProviderTest, BuildsAProgramOnceForAShape)
{
	Ort::Session s = runtime::load(models::multiply(), where::npu);
	const auto before = runtime::statistics();
	for (int i = 0; i < 3; ++i)
		for (const std::int64_t rows : {2, 3})
			runtime::run(s, one(runtime::noise({rows, 64})));
	const auto after = runtime::statistics();
	EXPECT_EQ(after.programs - before.programs, 2U);
	EXPECT_EQ(after.jobs - before.jobs, 6U);
	EXPECT_EQ(after.failed, before.failed);
	EXPECT_GT(after.modelled_ns, before.modelled_ns);
}

TEST(ProviderTest, KeepsWeightsOnTheDeviceOnceForAllShapes)
{
	const auto before = runtime::statistics();
	Ort::Session s = runtime::load(models::multiply(), where::npu);
	for (const std::int64_t rows : {2, 3, 4})
		runtime::run(s, one(runtime::noise({rows, 64})));
	EXPECT_EQ(runtime::statistics().weight_bytes - before.weight_bytes, 64 * 512 * 4U);
}

TEST(ProviderTest, GivesWeightsBackWithTheSession)
{
	const auto before = runtime::statistics();
	{
		Ort::Session s = runtime::load(models::multiply(), where::npu);
		runtime::run(s, one(runtime::noise({2, 64})));
	}
	EXPECT_EQ(runtime::statistics().weight_bytes, before.weight_bytes);
}

TEST(ProviderTest, ComputesQuantisedConvolutionsAsTheCpuDoes)
{
	const std::string model = models::quantised_convolutions();
	const std::vector<Ort::Value> input = one(runtime::noise({1, 8, 20, 20}));
	Ort::Session npu = runtime::load(model, where::npu);
	Ort::Session cpu = runtime::load(model, where::cpu);
	// A value between two steps may round to either: one step of 1/32.
	EXPECT_LE(runtime::difference(runtime::run(npu, input)[0], runtime::run(cpu, input)[0]),
	          1.0F / 32);
	const auto c = runtime::coverage_of(npu);
	EXPECT_EQ(c.on_npu, c.nodes);
}

TEST(ProviderTest, RunsTwoSessionsAndSeveralRunsOfEachAtOnce)
{
	Ort::Session first = runtime::load(models::multiply(), where::npu);
	Ort::Session second = runtime::load(models::with_f64_inside(), where::npu);
	const auto x = one(runtime::noise({7, 64}));
	const auto y = one(runtime::noise({4, 8}));
	const Ort::Value a = std::move(runtime::run(first, x)[0]);
	const Ort::Value b = std::move(runtime::run(second, y)[0]);
	std::atomic<int> wrong{0};
	std::vector<std::thread> threads;
	for (int t = 0; t < 4; ++t)
		threads.emplace_back([&, t] {
			for (int i = 0; i < 20; ++i) {
				Ort::Session &s = t % 2 == 0 ? first : second;
				const auto got = runtime::run(s, t % 2 == 0 ? x : y);
				if (runtime::difference(got[0], t % 2 == 0 ? a : b) != 0)
					++wrong;
			}
		});
	for (std::thread &t : threads)
		t.join();
	EXPECT_EQ(wrong, 0);
}

TEST(ProviderTest, RefusesADeviceThatIsNotThere)
{
	try {
		runtime::load(models::multiply(), where::npu,
		              {{"ep.atomexecutionprovider.device", "model:7"}});
		FAIL() << "it was made";
	} catch (const Ort::Exception &e) {
		EXPECT_NE(std::string(e.what()).find("there is no NPU 'model:7'; there are: model:0"),
		          std::string::npos)
			<< e.what();
	}
}

TEST(ProviderTest, RunsOnMemoryThatTheProgramBinds)
{
	Ort::Session s = runtime::load(models::multiply(), where::npu);
	const auto input = one(runtime::noise({3, 64}));
	const Ort::Value expected = std::move(runtime::run(s, input)[0]);
	const auto memory = runtime::npus()[0].GetMemoryInfo(OrtDeviceMemoryType_DEFAULT);
	Ort::IoBinding binding(s);
	binding.BindInput("x", input[0]);
	binding.BindOutput("y", memory);
	s.Run(Ort::RunOptions(), binding);
	const Ort::Value on_device = std::move(binding.GetOutputValues()[0]);
	EXPECT_EQ(on_device.GetTensorMemoryInfo().GetDeviceType(), OrtMemoryInfoDeviceType_NPU);
	std::vector<float> zeros(3 * 512, 0);
	Ort::Value copy = runtime::floats({3, 512}, zeros);
	const OrtValue *from = on_device;
	OrtValue *to = copy;
	Ort::ThrowOnError(Ort::GetApi().CopyTensors(runtime::env(), &from, &to, nullptr, 1));
	EXPECT_EQ(runtime::difference(copy, expected), 0);
}

} // namespace
