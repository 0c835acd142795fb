// SPDX-License-Identifier: MIT
#include "harness.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include <onnxruntime_session_options_config_keys.h>

namespace ort_test {
namespace {

constexpr const char *cpu_provider = "CPUExecutionProvider";

Ort::Env make_runtime()
{
	Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "ort_test");
	env.RegisterExecutionProviderLibrary("atom", ORT_PLUGIN);
	return env;
}

template <class T>
Ort::Value tensor_of(const std::vector<std::int64_t> &dims, const std::vector<T> &values)
{
	const Ort::AllocatorWithDefaultOptions allocator;
	Ort::Value value = Ort::Value::CreateTensor<T>(allocator, dims.data(), dims.size());
	if (value.GetTensorTypeAndShapeInfo().GetElementCount() != values.size())
		throw std::logic_error("a tensor of other dimensions");
	std::copy(values.begin(), values.end(), value.GetTensorMutableData<T>());
	return value;
}

std::string first_line(const std::string &command)
{
	const std::unique_ptr<std::FILE, int (*)(std::FILE *)> pipe(popen(command.c_str(), "r"), pclose);
	std::array<char, 4096> line{};
	if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr)
		throw std::runtime_error(command + " fails: what it fetches is needed");
	std::string text = line.data();
	text.erase(text.find_last_not_of('\n') + 1);
	return text;
}

} // namespace

Ort::Env &runtime()
{
	static Ort::Env env = make_runtime();
	return env;
}

std::vector<Ort::ConstEpDevice> npus()
{
	std::vector<Ort::ConstEpDevice> found;
	for (const Ort::ConstEpDevice &d : runtime().GetEpDevices())
		if (std::string(d.EpName()) != cpu_provider)
			found.push_back(d);
	return found;
}

Ort::SessionOptions options_for(processor where, const std::map<std::string, std::string> &entries)
{
	Ort::SessionOptions options;
	options.SetIntraOpNumThreads(2);
	options.AddConfigEntry(kOrtSessionOptionsRecordEpGraphAssignmentInfo, "1");
	for (const auto &[key, value] : entries)
		options.AddConfigEntry(key.c_str(), value.c_str());
	if (where == processor::npu)
		options.AppendExecutionProvider_V2(runtime(), {npus().at(0)}, Ort::KeyValuePairs());
	return options;
}

Ort::Session open(const std::string &model, processor where, const std::map<std::string, std::string> &entries)
{
	return {runtime(), model.c_str(), options_for(where, entries)};
}

share assigned(const Ort::Session &session)
{
	share s;
	for (const Ort::ConstEpAssignedSubgraph &part : session.GetEpGraphAssignmentInfo())
		for (const Ort::ConstEpAssignedNode &node : part.GetNodes()) {
			++s.nodes;
			if (part.GetEpName() != cpu_provider)
				++s.on_npu;
			else
				s.others += " " + std::string(node.GetOperatorType());
		}
	return s;
}

std::vector<Ort::Value> run(Ort::Session &session, const feeds &inputs)
{
	const Ort::AllocatorWithDefaultOptions allocator;
	std::vector<const char *> in;
	std::vector<const OrtValue *> values;
	for (const auto &[name, value] : inputs) {
		in.push_back(name.c_str());
		values.push_back(value);
	}
	std::vector<Ort::AllocatedStringPtr> names;
	std::vector<const char *> out;
	for (std::size_t i = 0; i < session.GetOutputCount(); ++i)
		out.push_back(names.emplace_back(session.GetOutputNameAllocated(i, allocator)).get());
	std::vector<OrtValue *> results(out.size());
	Ort::ThrowOnError(Ort::GetApi().Run(session, nullptr, in.data(), values.data(), in.size(), out.data(),
	                                    out.size(), results.data()));
	std::vector<Ort::Value> owned;
	for (OrtValue *r : results)
		owned.emplace_back(r);
	return owned;
}

Ort::Value floats(const std::vector<std::int64_t> &dims, const std::vector<float> &values)
{
	return tensor_of(dims, values);
}

Ort::Value integers(const std::vector<std::int64_t> &dims, const std::vector<std::int64_t> &values)
{
	return tensor_of(dims, values);
}

Ort::Value random_floats(const std::vector<std::int64_t> &dims, float least, float most, unsigned seed)
{
	std::size_t count = 1;
	for (const std::int64_t d : dims)
		count *= static_cast<std::size_t>(d);
	std::mt19937 random(seed);
	std::uniform_real_distribution<float> draw(least, most);
	std::vector<float> values(count);
	std::generate(values.begin(), values.end(), [&] { return draw(random); });
	return floats(dims, values);
}

std::vector<std::int64_t> dims_of(const Ort::Value &value) { return value.GetTensorTypeAndShapeInfo().GetShape(); }

std::vector<float> floats_of(const Ort::Value &value)
{
	const auto *data = value.GetTensorData<float>();
	return {data, data + value.GetTensorTypeAndShapeInfo().GetElementCount()};
}

double relative_difference(const Ort::Value &got, const Ort::Value &expected)
{
	if (dims_of(got) != dims_of(expected))
		throw std::runtime_error("the results have other dimensions");
	const std::vector<float> g = floats_of(got);
	const std::vector<float> e = floats_of(expected);
	double largest = 0;
	double difference = 0;
	for (std::size_t i = 0; i < g.size(); ++i) {
		if (!std::isfinite(g[i]))
			throw std::runtime_error("a result is not finite");
		largest = std::max(largest, std::abs(static_cast<double>(e[i])));
		difference = std::max(difference, std::abs(static_cast<double>(g[i]) - e[i]));
	}
	return largest == 0 ? difference : difference / largest;
}

std::string model_folder(const std::string &name) { return first_line(PACKAGING "/models " + name); }

std::string vectors_folder() { return first_line(PACKAGING "/onnx-testdata"); }

} // namespace ort_test
