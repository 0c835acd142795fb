// SPDX-License-Identifier: MIT
#include <chrono>
#include <functional>
#include <numeric>

#include <dlfcn.h>

#include <onnxruntime_session_options_config_keys.h>

#include "failure.hpp"
#include "network.hpp"
#include "npu.hpp"

namespace samples {

namespace {

constexpr const char *cpu_provider = "CPUExecutionProvider";

std::size_t product(const std::vector<std::int64_t> &dims)
{
	return static_cast<std::size_t>(
		std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>()));
}

bool is_f32(const Ort::TypeInfo &type)
{
	return type.GetONNXType() == ONNX_TYPE_TENSOR &&
	       type.GetTensorTypeAndShapeInfo().GetElementType() ==
	               ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

} // namespace

activity &activity::operator+=(const activity &other)
{
	operators.nodes += other.operators.nodes;
	operators.on_npu += other.operators.on_npu;
	operators.multiplications += other.operators.multiplications;
	operators.multiplications_on_npu += other.operators.multiplications_on_npu;
	seconds += other.seconds;
	return *this;
}

runtime::runtime(processor where, const std::filesystem::path &plugin)
	: env_(ORT_LOGGING_LEVEL_ERROR, "atom-samples")
{
	if (where == processor::npu)
		use_plugin(plugin);
}

void runtime::use_plugin(const std::filesystem::path &plugin)
{
	npu_ = open_npu();
	if (!std::filesystem::exists(plugin))
		throw failure(status::input, plugin.string() + ": the plug-in is not there");
	try {
		env_.RegisterExecutionProviderLibrary("atom", std::filesystem::absolute(plugin));
	} catch (const Ort::Exception &e) {
		throw failure(status::input, plugin.string() + ": " + e.what());
	}
	for (const Ort::ConstEpDevice &d : env_.GetEpDevices())
		if (offered_.empty() && std::string(d.EpName()) != cpu_provider)
			offered_.push_back(d);
	if (offered_.empty())
		throw failure(status::no_device, "the plug-in offers no device to ONNX Runtime");
	// ONNX Runtime keeps it loaded.
	if (void *library = ::dlopen(plugin.c_str(), RTLD_NOW | RTLD_NOLOAD)) {
		get_statistics_ = reinterpret_cast<atom_ort_ep_get_statistics_t>(
			::dlsym(library, ATOM_ORT_EP_GET_STATISTICS));
		::dlclose(library);
	}
	where_ = describe(npu_);
}

Ort::SessionOptions runtime::options()
{
	Ort::SessionOptions o;
	o.AddConfigEntry(kOrtSessionOptionsRecordEpGraphAssignmentInfo, "1");
	if (!offered_.empty())
		o.AppendExecutionProvider_V2(env_, offered_, Ort::KeyValuePairs());
	return o;
}

atom_ort_ep_statistics runtime::statistics() const
{
	atom_ort_ep_statistics now{};
	if (get_statistics_ != nullptr)
		get_statistics_(&now, sizeof(now));
	return now;
}

network::network(runtime &r, const std::filesystem::path &file) : file_(file.string())
{
	if (!std::filesystem::is_regular_file(file))
		throw failure(status::input, file_ + ": the model is not there");
	try {
		const atom_ort_ep_statistics before = r.statistics();
		session_ = Ort::Session(r.env_, file.c_str(), r.options());
		const atom_ort_ep_statistics after = r.statistics();
		multiplications_ = after.multiplications - before.multiplications;
		multiplications_on_npu_ =
			after.multiplications_on_npu - before.multiplications_on_npu;
		if (session_.GetInputCount() != 1 || session_.GetOutputCount() != 1)
			throw failure(status::input,
			              file_ + ": a model of one input and one output is needed");
		const Ort::AllocatorWithDefaultOptions allocator;
		input_ = session_.GetInputNameAllocated(0, allocator).get();
		output_ = session_.GetOutputNameAllocated(0, allocator).get();
		if (!is_f32(session_.GetInputTypeInfo(0)) || !is_f32(session_.GetOutputTypeInfo(0)))
			throw failure(status::input,
			              file_ + ": a model that takes and gives f32 is needed");
	} catch (const Ort::Exception &e) {
		const bool device = e.GetOrtErrorCode() == ORT_EP_FAIL;
		throw failure(device ? status::job : status::input, file_ + ": " + e.what());
	}
}

tensor network::run(const tensor &input)
{
	try {
		const auto memory =
			Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
		// The runtime takes inputs by pointers to data that is not const, and leaves it
		// alone.
		const Ort::Value in = Ort::Value::CreateTensor<float>(
			memory, const_cast<float *>(input.values.data()), input.values.size(),
			input.dims.data(), input.dims.size());
		const char *const input_name = input_.c_str();
		const char *const output_name = output_.c_str();
		const auto begin = std::chrono::steady_clock::now();
		const auto out =
			session_.Run(Ort::RunOptions(), &input_name, &in, 1, &output_name, 1);
		seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
		                    .count();
		tensor result{out[0].GetTensorTypeAndShapeInfo().GetShape(), {}};
		const auto *data = out[0].GetTensorData<float>();
		result.values.assign(data, data + product(result.dims));
		return result;
	} catch (const Ort::Exception &e) {
		throw failure(status::job, file_ + ": " + e.what());
	}
}

std::vector<std::int64_t> network::input_dims() const
{
	return session_.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
}

activity network::activity() const { return {operators(), seconds_}; }

coverage network::operators() const
{
	coverage c{0, 0, multiplications_, multiplications_on_npu_};
	for (const Ort::ConstEpAssignedSubgraph &part : session_.GetEpGraphAssignmentInfo()) {
		const std::size_t count = part.GetNodes().size();
		c.nodes += count;
		if (part.GetEpName() != cpu_provider)
			c.on_npu += count;
	}
	return c;
}

std::optional<std::string> network::note(const std::string &key) const
{
	const Ort::AllocatorWithDefaultOptions allocator;
	const auto value = session_.GetModelMetadata().LookupCustomMetadataMapAllocated(key.c_str(),
	                                                                                allocator);
	return value ? std::optional<std::string>(value.get()) : std::nullopt;
}

} // namespace samples
