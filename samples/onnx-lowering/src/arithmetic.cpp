// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string_view>

#include "atom_onnx/survey.hpp"

namespace atom_onnx {
namespace {

// How the operands of an operator make its products.
enum class product {
	window,        ///< each output with what one output channel has of weights
	spread_window, ///< each input with what one input channel has of weights
	matrix,        ///< each output with a row of the first input
	gemm,          ///< the same; the row may stand upright
	recurrence,    ///< each step of each sequence with all weights
	attention,     ///< each query with all keys, each output with all values
};

struct family {
	std::string_view op_type;
	product kind;
	unsigned second; ///< which input is the weights, or the right operand
};

constexpr std::array families{
	family{"Conv", product::window, 1},
	family{"FusedConv", product::window, 1},
	family{"ConvInteger", product::window, 1},
	family{"QLinearConv", product::window, 3},
	family{"ConvTranspose", product::spread_window, 1},
	family{"MatMul", product::matrix, 1},
	family{"MatMulInteger", product::matrix, 1},
	family{"QLinearMatMul", product::matrix, 3},
	family{"Gemm", product::gemm, 1},
	family{"LSTM", product::recurrence, 1},
	family{"GRU", product::recurrence, 1},
	family{"RNN", product::recurrence, 1},
	family{"Attention", product::attention, 1},
};

// Not count_of(): sizes from a model need not fit together.
double elements(const shape &dims)
{
	double count = 1;
	for (const std::int64_t d : dims)
		count *= static_cast<double>(d);
	return count;
}

double size(const shape &dims, std::size_t i)
{
	return i < dims.size() ? static_cast<double>(dims[i]) : 0;
}

double size_from_end(const shape &dims, std::size_t i)
{
	return i <= dims.size() ? static_cast<double>(dims[dims.size() - i]) : 0;
}

bool is_set(const node &n, std::string_view name)
{
	return std::any_of(n.attributes.begin(), n.attributes.end(), [&](const attribute &a) {
		const auto *number = std::get_if<std::int64_t>(&a.value);
		return a.name == name && number != nullptr && *number != 0;
	});
}

const shape *find(const std::vector<value_id> &list, std::size_t i, const findings &found)
{
	if (i >= list.size() || list[i] == absent)
		return nullptr;
	const auto &dims = found.values[static_cast<std::size_t>(list[i])].dims;
	return dims ? &*dims : nullptr;
}

} // namespace

double multiplications(const node &n, const findings &found)
{
	const auto *const f =
		std::find_if(families.begin(), families.end(),
	                     [&](const family &known) { return known.op_type == n.op_type; });
	if (f == families.end())
		return 0;
	const shape *const first = find(n.inputs, 0, found);
	const shape *const second = find(n.inputs, f->second, found);
	const shape *const out = find(n.outputs, 0, found);
	if (first == nullptr || second == nullptr)
		return 0;
	if (f->kind == product::spread_window)
		return size(*second, 0) > 0 ? elements(*first) * elements(*second) / size(*second, 0) : 0;
	if (f->kind == product::recurrence) {
		const shape *const recurrent = find(n.inputs, 2, found);
		return size(*first, 0) * size(*first, 1) *
		       (elements(*second) + (recurrent != nullptr ? elements(*recurrent) : 0));
	}
	if (out == nullptr)
		return 0;
	switch (f->kind) {
	case product::window:
		return size(*second, 0) > 0 ? elements(*out) * elements(*second) / size(*second, 0) : 0;
	case product::gemm:
		return elements(*out) * size(*first, is_set(n, "transA") ? 0 : 1);
	case product::attention:
		return (elements(*first) + elements(*out)) * size_from_end(*second, 2);
	default:
		return elements(*out) * size_from_end(*first, 1);
	}
}

} // namespace atom_onnx
