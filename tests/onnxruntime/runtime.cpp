// SPDX-License-Identifier: MIT
#include "runtime.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <random>
#include <stdexcept>

#include <onnxruntime_session_options_config_keys.h>

namespace runtime {
namespace {

std::mutex mutex;
std::string log_text;

void keep(void * /*context*/, OrtLoggingLevel /*level*/, const char * /*category*/,
          const char * /*id*/, const char * /*location*/, const char *message)
{
	const std::lock_guard lock(mutex);
	log_text += std::string(message) + "\n";
}

Ort::SessionOptions options(where on, const config &entries)
{
	Ort::SessionOptions o;
	o.SetIntraOpNumThreads(1);
	o.SetLogSeverityLevel(ORT_LOGGING_LEVEL_VERBOSE);
	o.AddConfigEntry(kOrtSessionOptionsRecordEpGraphAssignmentInfo, "1");
	for (const auto &[key, value] : entries)
		o.AddConfigEntry(key, value.c_str());
	if (on == where::npu)
		o.AppendExecutionProvider_V2(env(), {npus().at(0)}, Ort::KeyValuePairs());
	return o;
}

} // namespace

Ort::Env &env()
{
	static Ort::Env *const one = [] {
		auto *made = new Ort::Env(ORT_LOGGING_LEVEL_WARNING, "tests", keep, nullptr);
		made->RegisterExecutionProviderLibrary("atom", ATOM_ORT_EP_LIBRARY);
		return made; // lives as long as the process: sessions of static life may use it
	}();
	return *one;
}

std::string take_log()
{
	const std::lock_guard lock(mutex);
	return std::exchange(log_text, {});
}

std::vector<Ort::ConstEpDevice> npus()
{
	std::vector<Ort::ConstEpDevice> found;
	for (const Ort::ConstEpDevice &d : env().GetEpDevices())
		if (std::string(d.EpName()) == ATOM_ORT_EP_NAME)
			found.push_back(d);
	return found;
}

Ort::Session load(const std::string &model, where on, const config &entries)
{
	return {env(), model.data(), model.size(), options(on, entries)};
}

Ort::Session load_file(const std::string &path, where on, const config &entries)
{
	return {env(), path.c_str(), options(on, entries)};
}

coverage coverage_of(const Ort::Session &s)
{
	coverage c;
	for (const Ort::ConstEpAssignedSubgraph &part : s.GetEpGraphAssignmentInfo()) {
		const std::size_t count = part.GetNodes().size();
		c.nodes += count;
		if (part.GetEpName() == ATOM_ORT_EP_NAME)
			c.on_npu += count;
	}
	return c;
}

Ort::Value tensor(ONNXTensorElementDataType type, const std::vector<std::int64_t> &dims,
                  const void *bytes)
{
	const Ort::AllocatorWithDefaultOptions allocator;
	Ort::Value v = Ort::Value::CreateTensor(allocator, dims.data(), dims.size(), type);
	if (const std::size_t size = v.GetTensorSizeInBytes(); size != 0)
		std::memcpy(v.GetTensorMutableRawData(), bytes, size);
	return v;
}

Ort::Value floats(const std::vector<std::int64_t> &dims, const std::vector<float> &values)
{
	return tensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, dims, values.data());
}

Ort::Value integers(const std::vector<std::int64_t> &dims, const std::vector<std::int64_t> &values)
{
	return tensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, dims, values.data());
}

Ort::Value noise(const std::vector<std::int64_t> &dims, unsigned seed)
{
	std::mt19937 bits(seed);
	std::uniform_real_distribution<float> number(-1, 1);
	std::size_t count = 1;
	for (const std::int64_t d : dims)
		count *= static_cast<std::size_t>(d);
	std::vector<float> values(count);
	std::generate(values.begin(), values.end(), [&] { return number(bits); });
	return floats(dims, values);
}

std::vector<float> values_of(const Ort::Value &v)
{
	const auto *first = v.GetTensorData<float>();
	return {first, first + v.GetTensorTypeAndShapeInfo().GetElementCount()};
}

std::vector<Ort::Value> run(Ort::Session &s, const std::vector<Ort::Value> &inputs)
{
	std::vector<std::string> names = s.GetInputNames();
	std::vector<std::string> results = s.GetOutputNames();
	std::vector<const char *> in;
	std::vector<const char *> out;
	for (const std::string &n : names)
		in.push_back(n.c_str());
	for (const std::string &n : results)
		out.push_back(n.c_str());
	return s.Run(Ort::RunOptions(), in.data(), inputs.data(), inputs.size(), out.data(),
	             out.size());
}

float difference(const Ort::Value &a, const Ort::Value &b)
{
	const std::vector<float> x = values_of(a);
	const std::vector<float> y = values_of(b);
	if (a.GetTensorTypeAndShapeInfo().GetShape() != b.GetTensorTypeAndShapeInfo().GetShape())
		return INFINITY;
	float largest = 0;
	for (std::size_t i = 0; i < x.size(); ++i)
		largest = std::isnan(x[i] - y[i]) ? INFINITY
		                                  : std::max(largest, std::abs(x[i] - y[i]));
	return largest;
}

atom_ort_ep_statistics statistics()
{
	void *library = dlopen(ATOM_ORT_EP_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	const auto get = reinterpret_cast<atom_ort_ep_get_statistics_t>(
		dlsym(library, ATOM_ORT_EP_GET_STATISTICS));
	if (get == nullptr)
		throw std::runtime_error("the plug-in has no statistics");
	atom_ort_ep_statistics now {};
	get(&now, sizeof(now));
	return now;
}

} // namespace runtime
