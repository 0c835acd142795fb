// SPDX-License-Identifier: MIT
#include "correction.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace conformance {

using atom_onnx::host_tensor;

namespace {

std::vector<std::size_t> read_elements(const std::string &text)
{
	std::vector<std::size_t> elements;
	std::istringstream in(text);
	for (std::string number; std::getline(in, number, ',');)
		elements.push_back(std::stoul(number));
	return elements;
}

} // namespace

corrections read_corrections(const std::filesystem::path &file)
{
	std::ifstream in(file);
	corrections all;
	for (std::string line; std::getline(in, line);) {
		if (line.empty() || line.front() == '#')
			continue;
		std::istringstream fields(line);
		std::string vector;
		std::string elements;
		correction c{};
		if (!(fields >> vector >> c.output >> elements >> c.value))
			throw std::runtime_error(file.string() + ": " + line);
		c.elements = read_elements(elements);
		all[vector].push_back(std::move(c));
	}
	return all;
}

void correct(data_set &data, const std::vector<correction> &list)
{
	for (const correction &c : list) {
		host_tensor &output = data.outputs.at(c.output);
		std::vector<double> values = output.reals();
		for (const std::size_t element : c.elements) {
			double &told = values.at(element);
			if (is_close(c.value, told, output.type()))
				throw std::runtime_error("the correction of element " +
				                         std::to_string(element) + " changes nothing");
			told = c.value;
		}
		output = host_tensor::of(output.type(), output.dims(), values);
	}
}

} // namespace conformance
