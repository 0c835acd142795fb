// SPDX-License-Identifier: MIT
// Stock ONNX Runtime with the plug-in, for tests.
#pragma once

#include <string>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "atom_ort_ep.h"

namespace runtime {

/** The environment of the process, with the plug-in. */
Ort::Env &env();
/** What ONNX Runtime logged since the last call, at any level. */
std::string take_log();
/** The NPUs that the plug-in offers. */
std::vector<Ort::ConstEpDevice> npus();

enum class where {
	npu,
	cpu,
};

using config = std::vector<std::pair<const char *, std::string>>;

Ort::Session load(const std::string &model, where on, const config &entries = {});
Ort::Session load_file(const std::string &path, where on, const config &entries = {});

/** Nodes of a session, and how many of them are not the CPU's. */
struct coverage {
	std::size_t nodes = 0;
	std::size_t on_npu = 0;
};
coverage coverage_of(const Ort::Session &s);

/** A tensor with memory of its own, 0 elements too. */
Ort::Value tensor(ONNXTensorElementDataType type, const std::vector<std::int64_t> &dims,
                  const void *bytes);
Ort::Value floats(const std::vector<std::int64_t> &dims, const std::vector<float> &values);
Ort::Value integers(const std::vector<std::int64_t> &dims,
                    const std::vector<std::int64_t> &values);
/** Floats between -1 and 1, the same for the same @p seed. */
Ort::Value noise(const std::vector<std::int64_t> &dims, unsigned seed = 1);
std::vector<float> values_of(const Ort::Value &v);

/** All outputs. */
std::vector<Ort::Value> run(Ort::Session &s, const std::vector<Ort::Value> &inputs);

/** Largest difference of two f32 tensors. */
float difference(const Ort::Value &a, const Ort::Value &b);

atom_ort_ep_statistics statistics();

} // namespace runtime
