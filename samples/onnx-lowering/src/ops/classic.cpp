// SPDX-License-Identifier: MIT
// Operators of classical machine learning, and determinants.
#include <algorithm>
#include <cmath>
#include <set>

#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;

constexpr auto f32 = atom::dtype::f32;

template <class T>
std::vector<T> list(const lowering &n, const char *name)
{
	const attribute *a = n.find(name);
	const auto *told = a != nullptr ? std::get_if<std::vector<T>>(&a->value) : nullptr;
	return told != nullptr ? *told : std::vector<T>();
}

std::vector<double> reals(const lowering &n, const char *name)
{
	const attribute *a = n.find(name);
	const auto *told = a != nullptr ? std::get_if<host_tensor>(&a->value) : nullptr;
	return told != nullptr ? told->reals() : std::vector<double>();
}

void lower_binarizer(lowering &n)
{
	const view in = n.plain(0);
	const view threshold = n.e.scalar(in.type, n.attr("threshold", 0.0F));
	n.set(0, n.e.cast(n.e.binary(binary_kind::gt, in, threshold), in.type));
}

/** The n-grams of one length, in the order of their numbers. */
struct grams {
	std::int64_t length;
	std::vector<std::int64_t> words; ///< length of them each
	std::size_t first;               ///< number of the first one

	[[nodiscard]] std::int64_t count() const
	{
		return static_cast<std::int64_t>(words.size()) / length;
	}
};

std::vector<grams> read_grams(const lowering &n)
{
	const auto pool = list<std::int64_t>(n, "pool_int64s");
	const auto starts = list<std::int64_t>(n, "ngram_counts");
	if (n.find("pool_strings") != nullptr)
		n.refuse(reason::string, "pool_strings");
	const auto size = static_cast<std::int64_t>(pool.size());
	std::vector<grams> all;
	std::size_t number = 0;
	for (std::size_t i = 0; i < starts.size(); ++i) {
		const std::int64_t end = i + 1 < starts.size() ? starts[i + 1] : size;
		const auto length = static_cast<std::int64_t>(i) + 1;
		if (starts[i] < 0 || end < starts[i] || end > size || (end - starts[i]) % length != 0)
			n.invalid("ngram_counts");
		grams g{length, {pool.begin() + starts[i], pool.begin() + end}, number};
		number += static_cast<std::size_t>(g.count());
		all.push_back(std::move(g));
	}
	return all;
}

// How often each n-gram stands in each row, its words `skip` apart: f32 [rows, grams].
view count_grams(lowering &n, const view &rows, const grams &g, std::int64_t skip)
{
	const std::int64_t places = rows.dims[1] - skip * (g.length - 1);
	std::optional<view> match;
	for (std::int64_t w = 0; w < g.length; ++w) {
		std::vector<double> words;
		for (std::int64_t i = 0; i < g.count(); ++i)
			words.push_back(static_cast<double>(
				g.words[static_cast<std::size_t>(i * g.length + w)]));
		const view same = n.e.binary(
			binary_kind::eq, unsqueeze(slice(rows, 1, w * skip, places), 1),
			n.e.constant(atom::dtype::i32, {1, g.count(), 1}, words));
		match = match ? n.e.binary(binary_kind::logical_and, *match, same) : same;
	}
	return squeeze(n.e.reduce(atom::reduce_kind::sum, n.e.cast(*match, f32), {2}), 2);
}

void lower_tf_idf(lowering &n)
{
	const std::int64_t least = n.attr("min_gram_length", std::int64_t{1});
	const std::int64_t most = n.attr("max_gram_length", std::int64_t{1});
	const std::int64_t skips = n.attr("max_skip_count", std::int64_t{0}) + 1;
	const auto columns = list<std::int64_t>(n, "ngram_indexes");
	const std::vector<grams> all = read_grams(n);
	if (n.rank(0) < 1 || n.rank(0) > 2 || columns.empty() || skips < 1)
		n.invalid("the shapes");
	const view told = n.e.cast(n.in(0), atom::dtype::i32);
	const view rows = told.rank() == 1 ? unsqueeze(told, 0) : told;
	const std::int64_t width = *std::max_element(columns.begin(), columns.end()) + 1;
	if (*std::min_element(columns.begin(), columns.end()) < 0 || width > 1 << 20 ||
	    std::set<std::int64_t>(columns.begin(), columns.end()).size() != columns.size())
		n.only_if(false, "n-grams that share a column");
	// One column of zeros for what is not counted, then a column for each n-gram.
	std::vector<view> counts{broadcast(n.e.scalar(f32, 0), {rows.dims[0], 1})};
	std::vector<double> from(static_cast<std::size_t>(width), 0);
	double next = 1;
	for (const grams &g : all) {
		if (g.length < least || g.length > most || g.count() == 0)
			continue;
		std::optional<view> sum;
		for (std::int64_t skip = 1; skip <= (g.length == 1 ? 1 : skips); ++skip) {
			if (skip * (g.length - 1) >= rows.dims[1])
				break;
			const view part = count_grams(n, rows, g, skip);
			sum = sum ? n.e.add(*sum, part) : part;
		}
		if (!sum)
			continue;
		counts.push_back(*sum);
		for (std::size_t i = 0; i < static_cast<std::size_t>(g.count()); ++i) {
			if (g.first + i >= columns.size())
				n.invalid("ngram_indexes");
			from[static_cast<std::size_t>(columns[g.first + i])] = next++;
		}
	}
	const view index = n.e.constant(atom::dtype::i32, {width}, from);
	view out = n.e.gather_rows(n.e.concat(counts, 1), index, 1);
	const std::string mode = n.attr("mode", "TF");
	const auto weights = list<float>(n, "weights");
	if (mode == "IDF")
		out = n.e.cast(n.e.binary(binary_kind::gt, out, n.e.scalar(f32, 0)), f32);
	if (mode != "TF" && !weights.empty()) {
		if (static_cast<std::int64_t>(weights.size()) != width)
			n.invalid("weights");
		out = n.e.mul(out, n.e.constant(f32, {width},
		                                std::vector<double>(weights.begin(), weights.end())));
	}
	n.set(0, told.rank() == 1 ? squeeze(out, 0) : out);
}

/** An ensemble of trees: each leaf is reached if all comparisons on its way say so. */
class forest {
public:
	forest(lowering &n, const view &x)
		: n_(n), x_(x), splits_(reals(n, "nodes_splits")), modes_(reals(n, "nodes_modes")),
		  members_(reals(n, "membership_values")),
		  features_(list<std::int64_t>(n, "nodes_featureids")),
		  missing_(list<std::int64_t>(n, "nodes_missing_value_tracks_true")),
		  ids_{list<std::int64_t>(n, "nodes_falsenodeids"),
		       list<std::int64_t>(n, "nodes_truenodeids")},
		  leafs_{list<std::int64_t>(n, "nodes_falseleafs"),
		         list<std::int64_t>(n, "nodes_trueleafs")},
		  reached_(list<std::int64_t>(n, "leaf_targetids").size())
	{
		const std::size_t count = splits_.size();
		if (modes_.size() != count || features_.size() != count || ids_[0].size() != count ||
		    ids_[1].size() != count || leafs_[0].size() != count || leafs_[1].size() != count)
			n.invalid("lists of nodes of different lengths");
	}

	/** For each leaf: u8 [rows, 1], whether it is reached. */
	std::vector<std::optional<view>> run()
	{
		for (const std::int64_t root : list<std::int64_t>(n_, "tree_roots"))
			visit(root, std::nullopt, 0);
		return reached_;
	}

private:
	static constexpr int depth_max = 64;
	static constexpr int visits_max = 4096;

	// Values of a set stand between NaNs, a set for each node that asks for one.
	view is_member(const view &value)
	{
		std::optional<view> any;
		for (; next_member_ < members_.size() && !std::isnan(members_[next_member_]);
		     ++next_member_) {
			const view same = n_.e.binary(binary_kind::eq, value,
			                              n_.e.scalar(f32, members_[next_member_]));
			any = any ? n_.e.binary(binary_kind::logical_or, *any, same) : same;
		}
		++next_member_;
		return any ? *any : n_.e.filled(atom::dtype::u8, value.dims, 0);
	}

	view compare(std::size_t node)
	{
		constexpr binary_kind kinds[] = {binary_kind::le, binary_kind::lt, binary_kind::ge,
		                                 binary_kind::gt, binary_kind::eq, binary_kind::ne};
		const std::int64_t feature = features_[node];
		if (feature < 0 || feature >= x_.dims[1])
			n_.invalid("nodes_featureids");
		const view value = slice(x_, 1, feature, 1);
		const auto mode = static_cast<std::size_t>(modes_[node]);
		n_.only_if(mode <= 6, "this mode of a node");
		const view is = mode == 6 ? is_member(value)
		                          : n_.e.binary(kinds[mode], value,
		                                        n_.e.scalar(f32, splits_[node]));
		if (node >= missing_.size() || missing_[node] == 0)
			return is;
		return n_.e.binary(binary_kind::logical_or, is,
		                   n_.e.unary(atom::function::is_nan, value));
	}

	void visit(std::int64_t told, const std::optional<view> &so_far, int depth)
	{
		const auto node = static_cast<std::size_t>(told);
		if (told < 0 || node >= splits_.size())
			n_.invalid("a node that does not exist");
		n_.only_if(depth < depth_max && ++visits_ < visits_max, "trees of this size");
		const view is = compare(node);
		// The true branch first: sets of members are told in this order.
		for (const std::size_t side : {1U, 0U}) {
			const view here = side == 1 ? is
			                            : n_.e.unary(atom::function::logical_not, is);
			const view path =
				so_far ? n_.e.binary(binary_kind::logical_and, *so_far, here) : here;
			if (leafs_[side][node] == 0)
				visit(ids_[side][node], path, depth + 1);
			else
				reach(ids_[side][node], path);
		}
	}

	void reach(std::int64_t told, const view &path)
	{
		const auto leaf = static_cast<std::size_t>(told);
		if (told < 0 || leaf >= reached_.size())
			n_.invalid("a leaf that does not exist");
		reached_[leaf] = reached_[leaf]
		                         ? n_.e.binary(binary_kind::logical_or, *reached_[leaf], path)
		                         : path;
	}

	lowering &n_;
	view x_;
	std::vector<double> splits_;
	std::vector<double> modes_;
	std::vector<double> members_;
	std::vector<std::int64_t> features_;
	std::vector<std::int64_t> missing_;
	std::vector<std::int64_t> ids_[2];   // of the false and of the true branch
	std::vector<std::int64_t> leafs_[2]; // whether they are leaves
	std::vector<std::optional<view>> reached_;
	std::size_t next_member_ = 0;
	int visits_ = 0;
};

void lower_tree_ensemble(lowering &n)
{
	const view x = n.plain(0);
	if (x.rank() != 2 || x.type != f32)
		n.refuse(x.rank() != 2 ? reason::invalid_model : reason::dtype, "the input");
	const std::int64_t aggregate = n.attr("aggregate_function", std::int64_t{1});
	n.only_if(aggregate < 2 && n.attr("post_transform", std::int64_t{0}) == 0,
	          "minimum, maximum or a post_transform");
	const auto targets = list<std::int64_t>(n, "leaf_targetids");
	const std::vector<double> weights = reals(n, "leaf_weights");
	const std::int64_t width = n.attr("n_targets", std::int64_t{1});
	const auto trees = static_cast<double>(list<std::int64_t>(n, "tree_roots").size());
	if (weights.size() != targets.size() || targets.empty() || width < 1 || width > 1 << 20)
		n.invalid("the leaves");
	std::vector<view> masks;
	for (const std::optional<view> &mask : forest(n, x).run())
		masks.push_back(mask ? *mask : n.e.filled(atom::dtype::u8, {x.dims[0], 1}, 0));
	// What the leaves give is a product with a matrix of their weights.
	std::vector<double> matrix(targets.size() * static_cast<std::size_t>(width), 0);
	for (std::size_t i = 0; i < targets.size(); ++i) {
		if (targets[i] < 0 || targets[i] >= width)
			n.invalid("leaf_targetids");
		matrix[i * static_cast<std::size_t>(width) + static_cast<std::size_t>(targets[i])] =
			aggregate == 0 ? weights[i] / trees : weights[i];
	}
	const auto leaves = static_cast<std::int64_t>(targets.size());
	n.set(0, n.e.gemm(n.e.cast(n.e.concat(masks, 1), f32),
	                  n.e.constant(f32, {leaves, width}, matrix)));
}

// By the first row's minors.
view determinant(lowering &n, const view &m)
{
	const unsigned row = m.rank() - 2;
	const std::int64_t size = m.dims[row];
	const auto element = [&](std::int64_t r, std::int64_t c) {
		return squeeze(squeeze(slice(slice(m, row, r, 1), row + 1, c, 1), row + 1), row);
	};
	if (size == 1)
		return element(0, 0);
	if (size == 2)
		return n.e.sub(n.e.mul(element(0, 0), element(1, 1)),
		               n.e.mul(element(0, 1), element(1, 0)));
	std::optional<view> sum;
	const view below = slice(m, row, 1, size - 1);
	for (std::int64_t c = 0; c < size; ++c) {
		std::vector<view> sides;
		if (c > 0)
			sides.push_back(slice(below, row + 1, 0, c));
		if (c + 1 < size)
			sides.push_back(slice(below, row + 1, c + 1, size - c - 1));
		const view minor = sides.size() == 1 ? sides[0] : n.e.concat(sides, row + 1);
		const view part = n.e.mul(element(0, c), determinant(n, minor));
		sum = !sum ? part : c % 2 == 0 ? n.e.add(*sum, part) : n.e.sub(*sum, part);
	}
	return *sum;
}

void lower_det(lowering &n)
{
	const view in = n.plain(0);
	if (in.rank() < 2 || in.dims[in.rank() - 1] != in.dims[in.rank() - 2] || in.dims.back() < 1)
		n.invalid("no square matrices");
	n.only_if(in.dims.back() <= 5, "matrices of more than five rows");
	n.set(0, determinant(n, in));
}

} // namespace

operator_list classic_operators()
{
	return {
		{"Det", lower_det},
		{"TfIdfVectorizer", lower_tf_idf},
		{"Binarizer", lower_binarizer, "ai.onnx.ml"},
		{"TreeEnsemble", lower_tree_ensemble, "ai.onnx.ml"},
	};
}

} // namespace atom_onnx
