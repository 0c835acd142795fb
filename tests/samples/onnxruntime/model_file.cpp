// SPDX-License-Identifier: MIT
#include "model_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace ort_test {
namespace {

void describe(onnx::ValueInfoProto &value, const std::string &name, int type, const std::vector<size> &dims)
{
	value.set_name(name);
	auto &tensor = *value.mutable_type()->mutable_tensor_type();
	tensor.set_elem_type(type);
	tensor.mutable_shape();
	for (const size &d : dims) {
		auto &dim = *tensor.mutable_shape()->add_dim();
		if (d.name.empty())
			dim.set_dim_value(d.value);
		else
			dim.set_dim_param(d.name);
	}
}

} // namespace

temporary_folder::temporary_folder()
{
	std::string name = (std::filesystem::temp_directory_path() / "ort-test.XXXXXX").string();
	if (mkdtemp(name.data()) == nullptr)
		throw std::system_error(errno, std::generic_category(), name);
	path_ = name;
}

temporary_folder::~temporary_folder()
{
	std::error_code ignored;
	std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::write(const std::string &name, const onnx::ModelProto &model) const
{
	std::ofstream out(file(name), std::ios::binary);
	if (!model.SerializeToOstream(&out))
		throw std::runtime_error(file(name) + " cannot be written");
	return file(name);
}

model_builder::model_builder()
{
	constexpr int ir_version = 8;
	constexpr int opset = 17;
	model.set_ir_version(ir_version);
	model.add_opset_import()->set_version(opset);
	model.mutable_graph()->set_name("test");
}

void model_builder::input(const std::string &name, int type, const std::vector<size> &dims)
{
	describe(*model.mutable_graph()->add_input(), name, type, dims);
}

void model_builder::output(const std::string &name, int type, const std::vector<size> &dims)
{
	describe(*model.mutable_graph()->add_output(), name, type, dims);
}

onnx::NodeProto &model_builder::node(const std::string &op_type, const std::vector<std::string> &inputs,
                                     const std::vector<std::string> &outputs)
{
	onnx::NodeProto &n = *model.mutable_graph()->add_node();
	n.set_op_type(op_type);
	n.set_name(op_type + "_" + outputs.at(0));
	for (const std::string &name : inputs)
		n.add_input(name);
	for (const std::string &name : outputs)
		n.add_output(name);
	return n;
}

void model_builder::floats(const std::string &name, const std::vector<std::int64_t> &dims, const std::vector<float> &values)
{
	onnx::TensorProto &t = *model.mutable_graph()->add_initializer();
	t.set_name(name);
	t.set_data_type(onnx::TensorProto::FLOAT);
	for (const std::int64_t d : dims)
		t.add_dims(d);
	for (const float v : values)
		t.add_float_data(v);
}

} // namespace ort_test
