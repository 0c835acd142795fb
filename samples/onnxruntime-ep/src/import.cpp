// SPDX-License-Identifier: MIT
#include "import.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "tensor.hpp"

namespace atom_ort {
namespace {

using atom_onnx::value_id;

template <class T>
T read(const Ort::ConstOpAttr &from)
{
	T value{};
	const Ort::Status status = from.GetValue(value);
	if (!status.IsOK())
		throw Ort::Exception(status.GetErrorMessage(), status.GetErrorCode());
	return value;
}

template <class T>
std::vector<T> read_all(const Ort::ConstOpAttr &from)
{
	std::vector<T> values;
	const Ort::Status status = from.GetValueArray(values);
	if (!status.IsOK())
		throw Ort::Exception(status.GetErrorMessage(), status.GetErrorCode());
	return values;
}

atom_onnx::attribute import_attribute(const Ort::ConstOpAttr &from)
{
	atom_onnx::attribute a;
	a.name = from.GetName();
	switch (from.GetType()) {
	case ORT_OP_ATTR_INT:
		a.value = read<std::int64_t>(from);
		break;
	case ORT_OP_ATTR_INTS:
		a.value = read_all<std::int64_t>(from);
		break;
	case ORT_OP_ATTR_FLOAT:
		a.value = read<float>(from);
		break;
	case ORT_OP_ATTR_FLOATS:
		a.value = read_all<float>(from);
		break;
	case ORT_OP_ATTR_STRING:
		a.value = read<std::string>(from);
		break;
	case ORT_OP_ATTR_STRINGS:
		a.value = read_all<std::string>(from);
		break;
	case ORT_OP_ATTR_TENSOR: {
		Ort::Value tensor{nullptr};
		const Ort::Status status = from.GetTensorAttributeAsOrtValue(tensor);
		if (!status.IsOK())
			throw Ort::Exception(status.GetErrorMessage(), status.GetErrorCode());
		if (auto elements = to_host(tensor.GetConst()))
			a.value = *std::move(elements);
		else
			a.value = atom_onnx::subgraph{}; // there is one, and nobody can use it
		break;
	}
	default:
		a.value = atom_onnx::subgraph{};
	}
	return a;
}

class importer {
public:
	imported take() { return std::move(result_); }

	value_id value(const Ort::ConstValueInfo &from)
	{
		if (static_cast<const OrtValueInfo *>(from) == nullptr)
			return atom_onnx::absent;
		std::string name = from.GetName();
		if (name.empty())
			return atom_onnx::absent;
		const auto [found, is_new] =
			ids_.try_emplace(std::move(name), static_cast<value_id>(ids_.size()));
		if (is_new)
			describe(found->first, from);
		return found->second;
	}

	void node(const Ort::ConstNode &from)
	{
		atom_onnx::node n;
		n.op_type = from.GetOperatorType();
		n.domain = from.GetDomain();
		if (n.domain == "ai.onnx")
			n.domain.clear();
		n.name = from.GetName();
		n.opset = from.GetSinceVersion();
		for (const Ort::ConstOpAttr &a : from.GetAttributes())
			n.attributes.push_back(import_attribute(a));
		for (const Ort::ConstValueInfo &v : from.GetInputs()) {
			n.inputs.push_back(value(v));
			define_input(n.inputs.back());
		}
		for (const Ort::ConstValueInfo &v : from.GetOutputs()) {
			n.outputs.push_back(value(v));
			if (n.outputs.back() != atom_onnx::absent)
				defined_[n.outputs.back()] = true;
		}
		result_.graph.nodes.push_back(std::move(n));
		result_.nodes.push_back(from);
	}

	void define_input(value_id v)
	{
		if (v == atom_onnx::absent || defined_[v])
			return;
		defined_[v] = true;
		if (!result_.graph.values[static_cast<std::size_t>(v)].constant)
			result_.graph.inputs.push_back(v);
	}

	void output(value_id v) { result_.graph.outputs.push_back(v); }

private:
	void describe(const std::string &name, const Ort::ConstValueInfo &from)
	{
		atom_onnx::value v;
		v.name = name;
		std::optional<atom_onnx::shape> told;
		std::vector<std::string> symbols;
		const auto info = from.TypeInfo();
		switch (info.GetONNXType()) {
		case ONNX_TYPE_TENSOR: {
			const auto tensor = info.GetTensorTypeAndShapeInfo();
			v.type = element_type_of(tensor.GetElementType());
			if (!tensor.HasShape())
				break;
			told = tensor.GetShape();
			for (const char *symbol : tensor.GetSymbolicDimensions())
				symbols.emplace_back(symbol != nullptr ? symbol : "");
			if (std::find(told->begin(), told->end(), -1) == told->end())
				v.dims = told;
			break;
		}
		case ONNX_TYPE_OPTIONAL:
			v.kind = atom_onnx::value_kind::optional;
			break;
		default:
			v.kind = atom_onnx::value_kind::sequence;
		}
		if (from.IsConstantInitializer()) {
			Ort::ConstValue constant{nullptr};
			const Ort::Status status = from.GetInitializer(constant);
			if (status.IsOK() && static_cast<const OrtValue *>(constant) != nullptr &&
			    constant.IsTensor())
				v.constant = to_host(constant);
		}
		result_.graph.values.push_back(std::move(v));
		result_.told.push_back(std::move(told));
		result_.symbols.push_back(std::move(symbols));
	}

	imported result_;
	std::unordered_map<std::string, value_id> ids_;
	std::map<value_id, bool> defined_;
};

} // namespace

imported import_graph(const Ort::ConstGraph &from)
{
	importer to;
	for (const Ort::ConstValueInfo &v : from.GetInputs())
		to.define_input(to.value(v));
	for (const Ort::ConstNode &n : from.GetNodes())
		to.node(n);
	for (const Ort::ConstValueInfo &v : from.GetOutputs())
		to.output(to.value(v));
	return to.take();
}

imported import_part(const Ort::ConstGraph &from, const Ort::ConstNode &fused)
{
	importer to;
	// Constants are described by the graph that holds them, before the fused node names them.
	for (const Ort::ConstValueInfo &v : from.GetInitializers())
		to.value(v);
	for (const Ort::ConstValueInfo &v : fused.GetInputs())
		to.define_input(to.value(v));
	for (const Ort::ConstNode &n : from.GetNodes())
		to.node(n);
	for (const Ort::ConstValueInfo &v : fused.GetOutputs())
		to.output(to.value(v));
	return to.take();
}

atom_onnx::graph with_assumed_sizes(const imported &from, std::int64_t size)
{
	atom_onnx::graph g = from.graph;
	std::map<std::string, std::int64_t> sizes;
	for (const value_id v : g.inputs) {
		const auto &names = from.symbols[static_cast<std::size_t>(v)];
		if (!names.empty() && !names.front().empty())
			sizes[names.front()] = 1;
	}
	const auto fill = [&](value_id v, bool input) {
		const auto i = static_cast<std::size_t>(v);
		if (!from.told[i] || g.values[i].dims)
			return;
		atom_onnx::shape dims = *from.told[i];
		for (std::size_t d = 0; d < dims.size(); ++d) {
			if (dims[d] >= 0)
				continue;
			const std::string &name = from.symbols[i][d];
			if (!name.empty())
				dims[d] = sizes.try_emplace(name, size).first->second;
			else if (input)
				dims[d] = d == 0 ? 1 : size;
			else
				return; // it depends on what no name tells
		}
		g.values[i].dims = dims;
	};
	for (const value_id v : g.inputs)
		fill(v, true);
	for (std::size_t i = 0; i < g.values.size(); ++i)
		fill(static_cast<value_id>(i), false);
	return g;
}

} // namespace atom_ort
