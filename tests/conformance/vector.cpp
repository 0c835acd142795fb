// SPDX-License-Identifier: MIT
#include "vector.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "atom_onnx_import/import.hpp"

namespace conformance {
namespace {

using atom_onnx::host_tensor;
using atom_onnx::value_kind;

// Those of onnx.backend.test; bfloat16 may differ by two units in the last place.
constexpr double relative = 1e-3;
constexpr double relative_bf16 = 0x1p-6;
constexpr double absolute = 1e-7;

std::vector<host_tensor> read_files(const std::filesystem::path &folder, const char *kind,
                                    const std::vector<atom_onnx::value_id> &values,
                                    const atom_onnx::graph &g)
{
	std::vector<host_tensor> tensors;
	for (std::size_t i = 0; i < values.size(); ++i) {
		const auto &value = g.values[static_cast<std::size_t>(values[i])];
		const auto file = folder / (std::string(kind) + "_" + std::to_string(i) + ".pb");
		if (value.kind != value_kind::tensor)
			throw atom_onnx::unsupported(value.kind == value_kind::sequence
			                                     ? atom_onnx::reason::sequence
			                                     : atom_onnx::reason::optional,
			                             value.name);
		if (value.type == atom_onnx::element_type::string)
			throw atom_onnx::unsupported(atom_onnx::reason::string, value.name);
		// What has an initialiser need not be given.
		if (value.constant && !std::filesystem::exists(file))
			tensors.push_back(*value.constant);
		else
			tensors.push_back(atom_onnx::read_tensor(file));
	}
	return tensors;
}

// A whole network without data for its inputs: ONNX's runner gives it rising values from 0 to 1.
data_set read_light_data(const test_vector &v, const atom_onnx::graph &g)
{
	data_set set;
	for (const atom_onnx::value_id id : g.inputs) {
		const auto &value = g.values[static_cast<std::size_t>(id)];
		if (value.constant) {
			set.inputs.push_back(*value.constant);
			continue;
		}
		atom_onnx::shape dims = value.dims.value_or(atom_onnx::shape());
		std::replace(dims.begin(), dims.end(), std::int64_t{-1}, std::int64_t{1});
		std::vector<double> rising(static_cast<std::size_t>(atom_onnx::count_of(dims)));
		for (std::size_t i = 0; i < rising.size(); ++i)
			rising[i] = static_cast<double>(i) / static_cast<double>(rising.size());
		set.inputs.push_back(host_tensor::of(atom_onnx::element_type::f32, dims, rising));
	}
	const std::string stem = v.model.stem().string();
	for (std::size_t i = 0; i < g.outputs.size(); ++i)
		set.outputs.push_back(atom_onnx::read_tensor(
			v.model.parent_path() / (stem + "_output_" + std::to_string(i) + ".pb")));
	return set;
}

} // namespace

std::vector<test_vector> find_vectors(const std::filesystem::path &root)
{
	std::vector<test_vector> found;
	const auto name = [](const std::filesystem::path &p) { return p.filename().string(); };
	for (const auto &group : std::filesystem::directory_iterator(root)) {
		if (!group.is_directory())
			continue;
		for (const auto &entry : std::filesystem::directory_iterator(group)) {
			const std::filesystem::path &path = entry.path();
			const std::string vector = name(group) + "/" + path.stem().string();
			if (std::filesystem::exists(path / "model.onnx"))
				found.push_back({vector, path / "model.onnx"});
			else if (path.extension() == ".onnx")
				found.push_back({vector, path});
		}
	}
	std::sort(found.begin(), found.end(),
	          [](const test_vector &a, const test_vector &b) { return a.name < b.name; });
	return found;
}

std::vector<data_set> read_data(const test_vector &v, const atom_onnx::graph &g)
{
	if (v.model.filename() != "model.onnx")
		return {read_light_data(v, g)};
	std::vector<data_set> sets;
	for (int i = 0;; ++i) {
		const auto folder =
			v.model.parent_path() / ("test_data_set_" + std::to_string(i));
		if (!std::filesystem::exists(folder))
			return sets;
		sets.push_back({read_files(folder, "input", g.inputs, g),
		                read_files(folder, "output", g.outputs, g)});
	}
}

bool is_close(double got, double expected, atom_onnx::element_type type)
{
	const double rtol = type == atom_onnx::element_type::bf16 ? relative_bf16 : relative;
	if (got == expected || (std::isnan(got) && std::isnan(expected)))
		return true;
	return is_float(type) && std::isfinite(got) && std::isfinite(expected) &&
	       std::fabs(got - expected) <= absolute + rtol * std::fabs(expected);
}

std::string find_difference(const host_tensor &got, const host_tensor &expected)
{
	if (got.type() != expected.type())
		return "type " + name_of(got.type()) + ", not " + name_of(expected.type());
	if (got.dims() != expected.dims())
		return "shape " + atom_onnx::to_string(got.dims()) + ", not " +
		       atom_onnx::to_string(expected.dims());
	const std::vector<double> a = got.reals();
	const std::vector<double> b = expected.reals();
	std::size_t wrong = 0;
	std::size_t first = 0;
	for (std::size_t i = 0; i < a.size(); ++i) {
		if (!is_close(a[i], b[i], got.type()) && wrong++ == 0)
			first = i;
	}
	if (wrong == 0)
		return {};
	char text[160];
	std::snprintf(text, sizeof(text), "%zu of %zu elements, the first [%zu] is %g, not %g", wrong,
	              a.size(), first, a[first], b[first]);
	return text;
}

} // namespace conformance
