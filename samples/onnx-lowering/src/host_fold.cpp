// SPDX-License-Identifier: MIT
// Computing nodes on the host: shape arithmetic and other small work on known values.
#include <cmath>
#include <functional>
#include <map>

#include "atom_onnx/unsupported.hpp"
#include "host_shape.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

// What is larger is left to the device, which is there for it.
constexpr std::int64_t arithmetic_max = 1 << 16;

bool is_integer(element_type type) { return !is_float(type); }

// Index into an operand of dims `from` for each element of dims `to`.
std::vector<std::size_t> broadcast_index(const shape &from, const shape &to)
{
	std::vector<std::size_t> index(static_cast<std::size_t>(count_of(to)), 0);
	for (std::size_t i = 0; i < index.size(); ++i) {
		std::size_t rest = i;
		std::size_t stride = 1;
		for (std::size_t d = 0; d < to.size(); ++d) {
			const auto size = static_cast<std::size_t>(to[to.size() - 1 - d]);
			if (d < from.size()) {
				const auto own =
					static_cast<std::size_t>(from[from.size() - 1 - d]);
				index[i] += (own == 1 ? 0 : rest % size) * stride;
				stride *= own;
			}
			rest /= size;
		}
	}
	return index;
}

struct binary_functions {
	std::function<std::int64_t(std::int64_t, std::int64_t)> integer;
	std::function<double(double, double)> real;
	bool truth = false;
};

std::uint64_t bits(std::int64_t v) { return static_cast<std::uint64_t>(v); }

template <class Compare>
binary_functions comparison(Compare compare)
{
	return {[=](std::int64_t a, std::int64_t b) { return std::int64_t{compare(a, b)}; },
	        [=](double a, double b) { return compare(a, b) ? 1.0 : 0.0; }, true};
}

std::int64_t divide(std::int64_t a, std::int64_t b)
{
	if (b == 0)
		return 0;
	return b == -1 ? static_cast<std::int64_t>(0 - bits(a)) : a / b;
}

std::int64_t modulo(std::int64_t a, std::int64_t b)
{
	if (b == 0 || b == -1)
		return 0;
	const std::int64_t rest = a % b;
	return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

const std::map<std::string_view, binary_functions> &binary_table()
{
	using integer = std::int64_t;
	static const std::map<std::string_view, binary_functions> table{
		{"Add",
	         {[](integer a, integer b) { return static_cast<integer>(bits(a) + bits(b)); },
	          [](double a, double b) { return a + b; }}},
		{"Sub",
	         {[](integer a, integer b) { return static_cast<integer>(bits(a) - bits(b)); },
	          [](double a, double b) { return a - b; }}},
		{"Mul",
	         {[](integer a, integer b) { return static_cast<integer>(bits(a) * bits(b)); },
	          [](double a, double b) { return a * b; }}},
		{"Div", {divide, [](double a, double b) { return a / b; }}},
		{"Mod", {modulo, [](double a, double b) { return std::fmod(a, b); }}},
		{"Min",
	         {[](integer a, integer b) { return std::min(a, b); },
	          [](double a, double b) { return std::min(a, b); }}},
		{"Max",
	         {[](integer a, integer b) { return std::max(a, b); },
	          [](double a, double b) { return std::max(a, b); }}},
		{"Pow", {{}, [](double a, double b) { return std::pow(a, b); }}},
		{"Equal", comparison([](auto a, auto b) { return a == b; })},
		{"Less", comparison([](auto a, auto b) { return a < b; })},
		{"LessOrEqual", comparison([](auto a, auto b) { return a <= b; })},
		{"Greater", comparison([](auto a, auto b) { return a > b; })},
		{"GreaterOrEqual", comparison([](auto a, auto b) { return a >= b; })},
		{"And", comparison([](auto a, auto b) { return a != 0 && b != 0; })},
		{"Or", comparison([](auto a, auto b) { return a != 0 || b != 0; })},
		{"Xor", comparison([](auto a, auto b) { return (a != 0) != (b != 0); })},
	};
	return table;
}

host_tensor fold_binary(const host_tensor &a, const host_tensor &b, const binary_functions &f,
                        const lowering &n)
{
	const shape dims = broadcast_shape(a.dims(), b.dims());
	const auto left = broadcast_index(a.dims(), dims);
	const auto right = broadcast_index(b.dims(), dims);
	const element_type type = f.truth ? element_type::boolean : a.type();
	const auto apply = [&](const auto &x, const auto &y, const auto &function) {
		std::remove_const_t<std::remove_reference_t<decltype(x)>> out(left.size());
		for (std::size_t i = 0; i < out.size(); ++i)
			out[i] = function(x[left[i]], y[right[i]]);
		return host_tensor::of(type, dims, out);
	};
	if (is_integer(a.type()) && is_integer(b.type())) {
		if (!f.integer)
			n.only_if(false, "this on known integers");
		return apply(a.integers(), b.integers(), f.integer);
	}
	return apply(a.reals(), b.reals(), f.real);
}

using unary_function = double (*)(double);

const std::map<std::string_view, unary_function> &unary_table()
{
	static const std::map<std::string_view, unary_function> table{
		{"Neg", [](double x) { return -x; }},
		{"Abs", [](double x) { return std::fabs(x); }},
		{"Floor", [](double x) { return std::floor(x); }},
		{"Ceil", [](double x) { return std::ceil(x); }},
		{"Round", [](double x) { return std::nearbyint(x); }},
		{"Sqrt", [](double x) { return std::sqrt(x); }},
		{"Reciprocal", [](double x) { return 1 / x; }},
		{"Exp", [](double x) { return std::exp(x); }},
		{"Log", [](double x) { return std::log(x); }},
		{"Not", [](double x) { return x == 0 ? 1.0 : 0.0; }},
	};
	return table;
}

host_tensor fold_unary(const host_tensor &a, unary_function f)
{
	std::vector<double> values = a.reals();
	for (double &v : values)
		v = f(v);
	return host_tensor::of(a.type(), a.dims(), values);
}

host_tensor fold_where(lowering &n)
{
	const host_tensor &a = n.host(1);
	const shape dims = broadcast_shape(n.dims(0), broadcast_shape(n.dims(1), n.dims(2)));
	const auto at = [&](unsigned i) { return broadcast_index(n.dims(i), dims); };
	const auto condition = n.host(0).integers();
	const auto pick = [&](const auto &x, const auto &y) {
		const auto c = at(0);
		const auto left = at(1);
		const auto right = at(2);
		std::remove_const_t<std::remove_reference_t<decltype(x)>> out(c.size());
		for (std::size_t i = 0; i < out.size(); ++i)
			out[i] = condition[c[i]] != 0 ? x[left[i]] : y[right[i]];
		return host_tensor::of(a.type(), dims, out);
	};
	return is_integer(a.type()) ? pick(n.host(1).integers(), n.host(2).integers())
	                            : pick(n.host(1).reals(), n.host(2).reals());
}

host_tensor fold_cast(lowering &n)
{
	const auto to = static_cast<element_type>(
		n.node().op_type == "CastLike" ? static_cast<std::int64_t>(n.type(1))
					       : n.attr("to", std::int64_t{0}));
	if (element_bytes(to) == 0 || to > element_type::bf16)
		n.refuse(reason::dtype, "a cast to " + name_of(to));
	const host_tensor &from = n.host(0);
	return is_integer(from.type()) ? host_tensor::of(to, from.dims(), from.integers())
	                               : host_tensor::of(to, from.dims(), from.reals());
}

host_tensor fold_reduce(lowering &n, bool product)
{
	const host_tensor &in = n.host(0);
	std::int64_t result = product ? 1 : 0;
	for (const std::int64_t v : in.integers())
		result = static_cast<std::int64_t>(product ? bits(result) * bits(v)
		                                           : bits(result) + bits(v));
	shape dims;
	if (n.attr("keepdims", std::int64_t{1}) != 0)
		dims.assign(in.dims().size(), 1);
	return host_tensor::of(in.type(), dims, std::vector<std::int64_t>{result});
}

// Over all dimensions, as shapes are reduced; other reductions are the device's.
bool reduces_all_integers(lowering &n)
{
	if (is_float(n.type(0)) || n.rank(0) > 1)
		return false;
	return n.attr("noop_with_empty_axes", std::int64_t{0}) == 0;
}

bool all_known(const lowering &n)
{
	for (unsigned i = 0; i < n.inputs(); ++i)
		if (n.has(i) && (!n.known(i) || n.host(i).count() > arithmetic_max ||
		                 element_bytes(n.type(i)) == 0 || n.type(i) > element_type::bf16))
			return false;
	return n.inputs() > 0;
}

bool fold_arithmetic(lowering &n)
{
	if (!all_known(n))
		return false;
	const std::string &op = n.node().op_type;
	if (const auto f = binary_table().find(op); f != binary_table().end()) {
		if (!f->second.integer && is_integer(n.type(0)))
			return false;
		host_tensor result = n.host(0);
		for (unsigned i = 1; i < n.inputs(); ++i) {
			if (count_of(broadcast_shape(result.dims(), n.dims(i))) > arithmetic_max)
				return false;
			result = fold_binary(result, n.host(i), f->second, n);
		}
		n.set(0, result);
		return true;
	}
	if (const auto f = unary_table().find(op); f != unary_table().end()) {
		n.set(0, fold_unary(n.host(0), f->second));
		return true;
	}
	if (op == "Where" && n.inputs() == 3) {
		n.set(0, fold_where(n));
		return true;
	}
	if (op == "Cast" || op == "CastLike") {
		n.set(0, fold_cast(n));
		return true;
	}
	if ((op == "ReduceProd" || op == "ReduceSum") && reduces_all_integers(n)) {
		n.set(0, fold_reduce(n, op == "ReduceProd"));
		return true;
	}
	return false;
}

} // namespace

bool fold_on_host(lowering &n)
{
	if (!n.node().domain.empty())
		return false;
	return fold_shape(n) || fold_arithmetic(n);
}

} // namespace atom_onnx
