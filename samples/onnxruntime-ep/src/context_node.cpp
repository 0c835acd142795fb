// SPDX-License-Identifier: MIT
#include "context_node.hpp"

#include <fstream>

#include <onnxruntime_session_options_config_keys.h>

#include "atom_ort_ep.h"
#include "compiled_form.hpp"

namespace atom_ort {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string &what) { throw Ort::Exception(what, ORT_EP_FAIL); }

std::string text(const Ort::ConstNode &node, const char *name)
{
	Ort::ConstOpAttr attribute{nullptr};
	std::string value;
	if (!node.GetAttributeByName(name, attribute).IsOK() ||
	    static_cast<const OrtOpAttr *>(attribute) == nullptr ||
	    !attribute.GetValue(value).IsOK())
		return {};
	return value;
}

bool is_embedded(const Ort::ConstNode &node)
{
	Ort::ConstOpAttr attribute{nullptr};
	std::int64_t value = 1;
	if (!node.GetAttributeByName("embed_mode", attribute).IsOK() ||
	    static_cast<const OrtOpAttr *>(attribute) == nullptr)
		return true;
	return !attribute.GetValue(value).IsOK() || value != 0;
}

fs::path model_to_save(const context_options &options, const Ort::ConstGraph &from)
{
	if (!options.model.empty())
		return options.model;
	const fs::path loaded = from.GetModelPath();
	if (loaded.empty())
		fail(std::string("the model was not loaded from a file: set ") +
		     kOrtSessionOptionEpContextFilePath + ", or " +
		     kOrtSessionOptionEpContextEmbedMode + " to 1");
	return fs::path(loaded).replace_extension().string() + "_ctx.onnx";
}

void write_file(const fs::path &path, const std::string &bytes)
{
	std::ofstream file(path, std::ios::binary);
	file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
	if (!file.flush())
		fail(path.string() + ": cannot be written");
}

std::string read_file(const fs::path &path)
{
	std::ifstream file(path, std::ios::binary);
	if (!file)
		fail(path.string() + ": the compiled form that the model names is not there");
	return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> names(const std::vector<Ort::ConstValueInfo> &values)
{
	std::vector<std::string> all;
	for (const Ort::ConstValueInfo &v : values)
		all.push_back(v.GetName());
	return all;
}

// A file that the model names lies beside it: a model must not make a program read others.
fs::path beside(const Ort::ConstGraph &from, const std::string &name)
{
	const fs::path file = name;
	if (file.empty() || file.filename() != file)
		fail("'" + name + "' names no file beside the model");
	return fs::path(from.GetModelPath()).parent_path() / file;
}

} // namespace

context_options context_options::of(const Ort::ConstSessionOptions &session)
{
	context_options o;
	o.enabled = session.GetConfigEntryOrDefault(kOrtSessionOptionEpContextEnable, "0") == "1";
	o.embedded =
		session.GetConfigEntryOrDefault(kOrtSessionOptionEpContextEmbedMode, "0") == "1";
	o.model = session.GetConfigEntryOrDefault(kOrtSessionOptionEpContextFilePath, "");
	o.prefix =
		session.GetConfigEntryOrDefault(kOrtSessionOptionEpContextNodeNamePrefix, "");
	return o;
}

bool is_context_node(const Ort::ConstNode &node)
{
	return node.GetOperatorType() == "EPContext" && node.GetDomain() == "com.microsoft" &&
	       text(node, "source") == ATOM_ORT_EP_NAME;
}

OrtNode *make_context_node(const context_options &options, const Ort::ConstGraph &from,
                           const Ort::ConstNode &fused, const atom_onnx::graph &part)
{
	std::string content = to_bytes(part);
	const std::string name = options.prefix + fused.GetName();
	if (!options.embedded) {
		const fs::path model = model_to_save(options, from);
		const std::string file = model.stem().string() + "_" + name + ".atom";
		write_file(model.parent_path() / file, content);
		content = file;
	}
	const std::int64_t main = 1;
	const std::int64_t embedded = options.embedded ? 1 : 0;
	const std::string version = std::to_string(compiled_form_version);
	std::vector<Ort::OpAttr> attributes;
	const auto add_text = [&attributes](const char *key, const std::string &value) {
		attributes.emplace_back(key, value.data(), static_cast<int>(value.size()),
		                        ORT_OP_ATTR_STRING);
	};
	attributes.emplace_back("main_context", &main, 1, ORT_OP_ATTR_INT);
	attributes.emplace_back("embed_mode", &embedded, 1, ORT_OP_ATTR_INT);
	add_text("ep_cache_context", content);
	add_text("ep_sdk_version", version);
	add_text("partition_name", fused.GetName());
	add_text("source", ATOM_ORT_EP_NAME);
	Ort::Node node("EPContext", "com.microsoft", name, names(fused.GetInputs()),
	               names(fused.GetOutputs()), attributes);
	return node.release();
}

atom_onnx::graph read_context_node(const Ort::ConstGraph &from, const Ort::ConstNode &node)
{
	const std::string content = text(node, "ep_cache_context");
	atom_onnx::graph part =
		from_bytes(is_embedded(node) ? content : read_file(beside(from, content)));
	if (part.inputs.size() != node.GetInputs().size() ||
	    part.outputs.size() != node.GetOutputs().size())
		fail("the compiled form of '" + node.GetName() +
		     "' has other inputs and outputs than its node: it belongs to another model");
	return part;
}

} // namespace atom_ort
