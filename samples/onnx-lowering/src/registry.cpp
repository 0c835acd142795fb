// SPDX-License-Identifier: MIT
#include "registry.hpp"

#include <map>
#include <utility>

#include "atom_onnx/unsupported.hpp"

namespace atom_onnx {
namespace {

using key = std::pair<std::string_view, std::string_view>; // domain, operator

std::map<key, lower_function> make_table()
{
	std::map<key, lower_function> table;
	for (const auto &family :
	     {elementwise_operators(), activation_operators(), convolution_operators(),
	      pool_operators(), matrix_operators(), norm_operators(), reduce_operators(),
	      shape_operators(), movement_operators(), index_operators(), order_operators(),
	      loss_operators(), quantise_operators(), convolution_transpose_operators(),
	      resize_operators(), attention_operators(), integer_operators(),
	      recurrent_operators(), einsum_operators(), signal_operators(),
	      sampling_operators(), image_operators(), classic_operators()})
		for (const operator_entry &entry : family)
			table[{entry.domain, entry.op_type}] = entry.lower;
	return table;
}

/** Operators that no accelerator with static commands can have. */
struct refusal {
	std::string_view op_type;
	reason why;
};

constexpr refusal refusals[] = {
	{"If", reason::control_flow},
	{"Loop", reason::control_flow},
	{"Scan", reason::control_flow},
	{"NonZero", reason::data_shape},
	{"Unique", reason::data_shape},
	{"Compress", reason::data_shape},
	{"NonMaxSuppression", reason::data_shape},
	{"ImageDecoder", reason::data_shape},
	{"SequenceMap", reason::sequence},
	{"SequenceConstruct", reason::sequence},
	{"SequenceEmpty", reason::sequence},
	{"SequenceInsert", reason::sequence},
	{"SequenceErase", reason::sequence},
	{"SequenceAt", reason::sequence},
	{"SequenceLength", reason::sequence},
	{"SplitToSequence", reason::sequence},
	{"ConcatFromSequence", reason::sequence},
	{"ZipMap", reason::sequence},
	{"DictVectorizer", reason::sequence},
	{"Optional", reason::optional},
	{"StringNormalizer", reason::string},
	{"StringConcat", reason::string},
	{"StringSplit", reason::string},
	{"RegexFullMatch", reason::string},
	{"LabelEncoder", reason::string},
	{"Bernoulli", reason::training},
	{"RandomNormal", reason::training},
	{"RandomNormalLike", reason::training},
	{"RandomUniform", reason::training},
	{"RandomUniformLike", reason::training},
	{"Multinomial", reason::training},
};

} // namespace

void lower_node(lowering &n)
{
	static const std::map<key, lower_function> table = make_table();
	if (fold_on_host(n))
		return;
	const std::string &domain = n.node().domain;
	if (const auto found = table.find({domain, n.node().op_type}); found != table.end())
		return found->second(n);
	for (const refusal &r : refusals)
		if (r.op_type == n.node().op_type)
			n.refuse(r.why, "the operator");
	if (domain.find("training") != std::string::npos)
		n.refuse(reason::training, "the operator");
	n.refuse(reason::not_lowered, "the operator");
}

} // namespace atom_onnx
