// SPDX-License-Identifier: MIT
#include "atom_onnx_import/import.hpp"

#include <fstream>
#include <limits>
#include <map>

#include "onnx/onnx_pb.h"
#include "tensor.hpp"

namespace atom_onnx {
namespace {

[[noreturn]] void refuse(const std::string &what) { throw unsupported(reason::invalid_model, what); }

std::string read_file(const std::filesystem::path &file)
{
	std::error_code error;
	const auto size = std::filesystem::file_size(file, error);
	if (error)
		refuse(file.string() + ": " + error.message());
	if (size > static_cast<std::uintmax_t>(std::numeric_limits<int>::max()))
		refuse(file.string() + " is larger than a protobuf file can be");
	std::string bytes(size, '\0');
	std::ifstream in(file, std::ios::binary);
	if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
		refuse(file.string() + " cannot be read");
	return bytes;
}

template <class Message>
Message parse(std::string_view bytes, const std::string &name, const char *what)
{
	Message message;
	// protobuf counts in int.
	if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
	    !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
		refuse(name + " is no " + what);
	return message;
}

attribute to_attribute(const onnx::AttributeProto &from)
{
	attribute to;
	to.name = from.name();
	switch (from.type()) {
	case onnx::AttributeProto::FLOAT:
		to.value = from.f();
		break;
	case onnx::AttributeProto::INT:
		to.value = std::int64_t{from.i()};
		break;
	case onnx::AttributeProto::STRING:
		to.value = from.s();
		break;
	case onnx::AttributeProto::TENSOR:
		to.value = to_tensor(from.t());
		break;
	case onnx::AttributeProto::FLOATS:
		to.value = std::vector<float>(from.floats().begin(), from.floats().end());
		break;
	case onnx::AttributeProto::INTS:
		to.value = std::vector<std::int64_t>(from.ints().begin(), from.ints().end());
		break;
	case onnx::AttributeProto::STRINGS:
		to.value = std::vector<std::string>(from.strings().begin(), from.strings().end());
		break;
	default:
		to.value = subgraph();
		break;
	}
	return to;
}

class importer {
public:
	explicit importer(const onnx::ModelProto &model)
	{
		for (const auto &opset : model.opset_import())
			opsets_[canonical(opset.domain())] = static_cast<int>(opset.version());
		if (!model.functions().empty())
			throw unsupported(reason::not_lowered, "functions of the model's own");
		read(model.graph());
	}

	graph take() { return std::move(g_); }

private:
	static std::string canonical(const std::string &domain)
	{
		return domain == "ai.onnx" ? "" : domain;
	}

	value_id id_of(const std::string &name)
	{
		if (name.empty())
			return absent;
		const auto [at, added] = ids_.emplace(name, static_cast<value_id>(g_.values.size()));
		if (added) {
			g_.values.emplace_back();
			g_.values.back().name = name;
		}
		return at->second;
	}

	void describe(const onnx::ValueInfoProto &from)
	{
		const value_id id = id_of(from.name());
		if (id == absent)
			refuse("a value without a name");
		value &v = g_.values[static_cast<std::size_t>(id)];
		const onnx::TypeProto &type = from.type();
		if (type.has_sequence_type() || type.has_map_type())
			v.kind = value_kind::sequence;
		if (type.has_optional_type())
			v.kind = value_kind::optional;
		if (!type.has_tensor_type())
			return;
		v.type = static_cast<element_type>(type.tensor_type().elem_type());
		if (!type.tensor_type().has_shape())
			return;
		shape dims;
		for (const auto &dim : type.tensor_type().shape().dim())
			dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
		v.dims = dims;
	}

	void read(const onnx::GraphProto &from)
	{
		for (const auto &tensor : from.initializer()) {
			const value_id id = id_of(tensor.name());
			if (id == absent)
				refuse("an initialiser without a name");
			g_.values[static_cast<std::size_t>(id)].constant = to_tensor(tensor);
		}
		if (!from.sparse_initializer().empty())
			throw unsupported(reason::not_lowered, "sparse initialisers");
		for (const auto &input : from.input()) {
			describe(input);
			g_.inputs.push_back(id_of(input.name()));
		}
		for (const auto &output : from.output()) {
			describe(output);
			g_.outputs.push_back(id_of(output.name()));
		}
		for (const auto &info : from.value_info())
			describe(info);
		for (const auto &n : from.node())
			read(n);
	}

	void read(const onnx::NodeProto &from)
	{
		node to;
		to.op_type = from.op_type();
		to.domain = canonical(from.domain());
		to.name = from.name();
		const auto opset = opsets_.find(to.domain);
		if (opset == opsets_.end())
			refuse("no version of the domain '" + to.domain + "' is told");
		to.opset = opset->second;
		for (const auto &a : from.attribute())
			to.attributes.push_back(to_attribute(a));
		for (const auto &name : from.input())
			to.inputs.push_back(id_of(name));
		for (const auto &name : from.output())
			to.outputs.push_back(id_of(name));
		g_.nodes.push_back(std::move(to));
	}

	graph g_;
	std::map<std::string, value_id> ids_;
	std::map<std::string, int> opsets_;
};

} // namespace

graph read_model(const std::filesystem::path &file)
{
	return importer(parse<onnx::ModelProto>(read_file(file), file.string(), "ONNX model")).take();
}

graph parse_model(std::string_view bytes)
{
	return importer(parse<onnx::ModelProto>(bytes, "what is given", "ONNX model")).take();
}

host_tensor read_tensor(const std::filesystem::path &file)
{
	return to_tensor(parse<onnx::TensorProto>(read_file(file), file.string(), "ONNX tensor"));
}

} // namespace atom_onnx
