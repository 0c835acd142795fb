// SPDX-License-Identifier: MIT
// Stock ONNX Runtime with our plug-in, and its own CPU provider to compare with.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <onnxruntime_cxx_api.h>

namespace ort_test {

/** ONNX Runtime of this process, with the plug-in registered. */
Ort::Env &runtime();

/** Devices of the plug-in. */
std::vector<Ort::ConstEpDevice> npus();

enum class processor {
	npu,
	cpu,
};

Ort::SessionOptions options_for(processor where, const std::map<std::string, std::string> &entries = {});
Ort::Session open(const std::string &model, processor where,
                  const std::map<std::string, std::string> &entries = {});

/** Nodes of a session, and those of them that the plug-in has. */
struct share {
	std::size_t nodes = 0;
	std::size_t on_npu = 0;
	std::string others; ///< operators of the rest, for messages
};
share assigned(const Ort::Session &session);

/** Inputs by name; outputs in the model's order. */
using feeds = std::map<std::string, Ort::Value>;
std::vector<Ort::Value> run(Ort::Session &session, const feeds &inputs);

Ort::Value floats(const std::vector<std::int64_t> &dims, const std::vector<float> &values);
Ort::Value integers(const std::vector<std::int64_t> &dims, const std::vector<std::int64_t> &values);
Ort::Value random_floats(const std::vector<std::int64_t> &dims, float least, float most, unsigned seed);

std::vector<std::int64_t> dims_of(const Ort::Value &value);
std::vector<float> floats_of(const Ort::Value &value);

/** The largest difference, in parts of the largest magnitude that is expected. */
double relative_difference(const Ort::Value &got, const Ort::Value &expected);

/** Where packaging/host/models has put it. @throws std::runtime_error: it cannot be fetched */
std::string model_folder(const std::string &name);
/** Where ONNX's test vectors are. @throws std::runtime_error: they cannot be fetched */
std::string vectors_folder();

} // namespace ort_test
