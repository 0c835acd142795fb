// SPDX-License-Identifier: MIT
#include "part.hpp"

#include <algorithm>
#include <cstring>

#include "statistics.hpp"
#include "tensor.hpp"

namespace atom_ort {
namespace {

constexpr std::size_t programs_max = 32;

template <class T>
void append(std::string &key, const T &value)
{
	key.append(reinterpret_cast<const char *>(&value), sizeof(value));
}

} // namespace

part::part(npu &on, std::string name, atom_onnx::graph graph)
	: npu_(on), name_(std::move(name)),
	  graph_(std::make_shared<const atom_onnx::graph>(std::move(graph)))
{
}

void part::prepare()
{
	std::vector<input> inputs;
	for (std::size_t i = 0; i < graph_->inputs.size(); ++i) {
		const auto &dims = input_value(i).dims;
		if (!dims)
			return;
		inputs.push_back({*dims, 0, {}});
	}
	try {
		static_cast<void>(program_for(inputs, *npu_.open()));
	} catch (const atom_onnx::unsupported &e) {
		if (e.why() != atom_onnx::reason::unknown_value) // which a run will tell
			throw;
	}
}

void part::run(const Ort::KernelContext &context)
{
	if (auto *given = static_cast<stream *>(context.GetGPUComputeStream())) {
		submit(context, inputs_of(context, given->device()), *given);
		return;
	}
	const std::shared_ptr<opened> device = npu_.open();
	std::unique_ptr<stream> own;
	{
		const std::lock_guard lock(mutex_);
		if (!idle_.empty() && idle_.back()->device() == device) {
			own = std::move(idle_.back());
			idle_.pop_back();
		}
	}
	if (!own)
		own = std::make_unique<stream>(device);
	submit(context, inputs_of(context, device), *own);
	own->wait();
	const std::lock_guard lock(mutex_);
	idle_.push_back(std::move(own));
}

std::vector<part::input> part::inputs_of(const Ort::KernelContext &context,
                                         const std::shared_ptr<opened> &device)
{
	std::vector<input> inputs;
	for (std::size_t i = 0; i < graph_->inputs.size(); ++i) {
		const Ort::ConstValue value = context.GetInput(i);
		const auto info = value.GetTensorTypeAndShapeInfo();
		if (element_type_of(info.GetElementType()) != input_value(i).type)
			throw Ort::Exception("input '" + input_value(i).name + "' is not " +
			                             name_of(input_value(i).type),
			                     ORT_INVALID_ARGUMENT);
		input in{info.GetShape(), value.GetTensorSizeInBytes(), {}};
		const void *address = value.GetTensorRawData();
		if (in.bytes != 0 && address == nullptr)
			throw Ort::Exception("no device memory for input '" +
			                             input_value(i).name +
			                             "': " + npu_.memory_error(),
			                     ORT_EP_FAIL);
		const auto found = in.bytes != 0 ? npu_.memory().find(address) : std::nullopt;
		if (found) {
			in.at = *found;
		} else { // memory of the host, or none at all
			in.at = {std::make_shared<block>(device, std::max<std::size_t>(in.bytes, 1)),
			         0};
			if (in.bytes != 0)
				std::memcpy(in.at.where->data(), address, in.bytes);
		}
		inputs.push_back(std::move(in));
	}
	return inputs;
}

std::string part::key_of(const std::vector<input> &inputs, const std::set<std::size_t> &known,
                         const opened &device) const
{
	std::string key;
	append(key, &device); // after a device was lost, its programs are worth nothing
	for (const input &in : inputs) {
		append(key, in.dims.size());
		for (const std::int64_t d : in.dims)
			append(key, d);
	}
	for (const std::size_t i : known)
		key.append(reinterpret_cast<const char *>(inputs[i].at.where->data()) +
		                   inputs[i].at.offset,
		           inputs[i].bytes);
	return key;
}

part::program_ptr part::program_for(const std::vector<input> &inputs, opened &device)
{
	const std::lock_guard lock(mutex_);
	for (;;) {
		for (const std::size_t i : known_)
			if (inputs[i].at.where)
				inputs[i].at.where->wait();
		std::string key = key_of(inputs, known_, device);
		const auto found = std::find_if(programs_.begin(), programs_.end(),
		                                [&key](const entry &e) { return e.key == key; });
		if (found != programs_.end()) {
			programs_.splice(programs_.begin(), programs_, found);
			return programs_.front().program;
		}
		try {
			programs_.push_front({std::move(key), build(inputs, known_, device)});
		} catch (const atom_onnx::unsupported &e) {
			const auto asked = std::find(graph_->inputs.begin(), graph_->inputs.end(),
			                             e.value());
			const auto index =
				static_cast<std::size_t>(asked - graph_->inputs.begin());
			if (e.why() != atom_onnx::reason::unknown_value ||
			    asked == graph_->inputs.end() || !inputs[index].at.where ||
			    !known_.insert(index).second)
				throw;
			continue;
		}
		if (programs_.size() > programs_max)
			programs_.pop_back();
		return programs_.front().program;
	}
}

part::program_ptr part::build(const std::vector<input> &inputs, const std::set<std::size_t> &known,
                              opened &device) const
{
	atom_onnx::graph g = *graph_;
	atom_onnx::options options;
	for (std::size_t i = 0; i < inputs.size(); ++i) {
		atom_onnx::value &v = g.values[static_cast<std::size_t>(g.inputs[i])];
		v.dims = inputs[i].dims;
		if (known.count(i) == 0)
			continue;
		const std::byte *data = inputs[i].at.where->data() + inputs[i].at.offset;
		options.known.emplace(g.inputs[i],
		                      atom_onnx::host_tensor(v.type, *v.dims,
		                                             {data, data + inputs[i].bytes}));
	}
	try {
		auto program = std::make_shared<const atom_onnx::program>(
			device.weights, atom_onnx::lower(g, options));
		count_program();
		return program;
	} catch (const atom_onnx::unsupported &e) {
		if (e.why() == atom_onnx::reason::unknown_value)
			throw;
		throw Ort::Exception(e.what() + where(inputs), ORT_NOT_IMPLEMENTED);
	}
}

std::string part::where(const std::vector<input> &inputs) const
{
	std::string text = "; the inputs of this part were";
	for (std::size_t i = 0; i < inputs.size(); ++i)
		text += " " + input_value(i).name + " " +
		        atom_onnx::to_string(inputs[i].dims);
	return text;
}

void part::submit(const Ort::KernelContext &context, const std::vector<input> &inputs, stream &on)
{
	const program_ptr program = program_for(inputs, *on.device());
	const auto &told = program->plan().outputs();
	std::vector<block_ptr> read;
	std::vector<block_ptr> written;
	std::vector<atom::buffer_view> in;
	std::vector<atom::buffer_view> out;
	for (std::size_t i = 0; i < inputs.size(); ++i) {
		read.push_back(inputs[i].at.where);
		in.push_back(inputs[i].at.view(
			std::max<std::size_t>(inputs[i].bytes, 1)));
	}
	for (std::size_t i = 0; i < told.size(); ++i) {
		Ort::UnownedValue value = context.GetOutput(i, told[i].dims);
		void *address = value.GetTensorMutableRawData();
		const std::size_t bytes = value.GetTensorSizeInBytes();
		if (element_type_of(value.GetTensorTypeAndShapeInfo().GetElementType()) !=
		    told[i].type)
			throw Ort::Exception("output '" + output(i).name + "' is " +
			                             name_of(told[i].type) +
			                             ", the model says something else",
			                     ORT_INVALID_GRAPH);
		if (bytes == 0) { // the device writes nothing, to somewhere
			written.push_back(std::make_shared<block>(on.device(), 1));
			out.push_back(written.back()->buffer().view());
			continue;
		}
		const auto found = npu_.memory().find(address);
		if (!found)
			throw Ort::Exception("no device memory for output '" + output(i).name +
			                             "': " + npu_.memory_error(),
			                     ORT_EP_FAIL);
		written.push_back(found->where);
		out.push_back(found->view(told[i].bytes));
	}
	on.submit(program->commands(),
	          program->arguments(in, out, on.scratch(program->plan().scratch_bytes())), read,
	          written, explain(program));
}

// A job may be remembered for longer than the session lives: it must not keep the weights.
explainer part::explain(const program_ptr &program) const
{
	return [name = name_, device = npu_.node().path, weak_graph = std::weak_ptr(graph_),
	        weak_program = std::weak_ptr(program)](const atom::completion &c) {
		std::string text = "NPU " + device + ", part " + name;
		const auto graph = weak_graph.lock();
		const auto built = weak_program.lock();
		const auto node = c.fault && graph && built
		                          ? built->plan().node_of(c.fault->command)
		                          : std::nullopt;
		if (node)
			text += ", " + graph->nodes[*node].op_type + " '" +
			        graph->nodes[*node].name + "'";
		return text;
	};
}

} // namespace atom_ort
