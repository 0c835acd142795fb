// SPDX-License-Identifier: MIT
// Models that tests make, as files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ort_test {

/** A folder that is gone at the end. */
class temporary_folder {
public:
	temporary_folder();
	temporary_folder(const temporary_folder &) = delete;
	temporary_folder &operator=(const temporary_folder &) = delete;
	~temporary_folder();

	[[nodiscard]] std::string file(const std::string &name) const { return path_ / name; }
	/** @return the file */
	std::string write(const std::string &name, const onnx::ModelProto &model) const;

private:
	std::filesystem::path path_;
};

/** A size of a dimension, or the name of one that is told later. */
struct size {
	size(int value) : value(value) {}
	size(const char *name) : name(name) {}
	int value = 0;
	std::string name;
};

/** A model as it grows, of ONNX's own operators in opset 17. */
class model_builder {
public:
	model_builder();

	/** @param type of onnx::TensorProto */
	void input(const std::string &name, int type, const std::vector<size> &dims);
	void output(const std::string &name, int type, const std::vector<size> &dims);
	onnx::NodeProto &node(const std::string &op_type, const std::vector<std::string> &inputs,
	                      const std::vector<std::string> &outputs);
	void floats(const std::string &name, const std::vector<std::int64_t> &dims, const std::vector<float> &values);

	onnx::ModelProto model;
};

} // namespace ort_test
