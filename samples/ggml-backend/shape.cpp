// SPDX-License-Identifier: MIT
#include "shape.hpp"

#include <algorithm>

namespace ggml_atom {
namespace {

std::int64_t bytes(std::size_t stride) { return static_cast<std::int64_t>(stride); }

/** A run of elements in two tensors. */
struct run {
	std::int64_t count;
	std::int64_t stride;
	std::int64_t other_stride;
};

/** What is left of a tensor's dimensions, the innermost first. */
class walk {
public:
	explicit walk(const ggml_tensor *t) : tensor_(t), left_(t->ne[0]), stride_(bytes(t->nb[0]))
	{
		settle();
	}
	/** Elements left in the current dimension; 1 at the end. */
	[[nodiscard]] std::int64_t left() const { return left_; }
	[[nodiscard]] std::int64_t stride() const { return stride_; }
	/** Goes on by @p count elements, a divisor of left(). */
	void take(std::int64_t count)
	{
		left_ /= count;
		stride_ *= count;
		settle();
	}

private:
	void settle()
	{
		while (left_ == 1 && axis_ + 1 < GGML_MAX_DIMS) {
			++axis_;
			left_ = tensor_->ne[axis_];
			stride_ = bytes(tensor_->nb[axis_]);
		}
	}

	const ggml_tensor *tensor_;
	int axis_ = 0;
	std::int64_t left_;
	std::int64_t stride_;
};

/** The size at which parts repeat inside a dimension of @p whole; 0 if they do not agree. */
std::int64_t period(std::int64_t whole, int axis, std::initializer_list<const ggml_tensor *> parts)
{
	std::int64_t found = whole;
	for (const ggml_tensor *p : parts) {
		const std::int64_t n = p->ne[axis];
		if (n == 1 || n == whole)
			continue;
		if (whole % n != 0 || (found != whole && found != n))
			return 0;
		found = n;
	}
	return found;
}

} // namespace

bool shape::push(std::uint64_t dim, std::int64_t stride)
{
	if (rank == atom::rank_max)
		return false;
	dims[rank] = dim;
	strides[rank++] = stride;
	return true;
}

void shape::fill(std::int64_t stride)
{
	if (rank == 0)
		push(1, stride);
}

atom::dtype dtype_of(ggml_type type)
{
	switch (type) {
	case GGML_TYPE_F32:
		return atom::dtype::f32;
	case GGML_TYPE_F16:
		return atom::dtype::f16;
	case GGML_TYPE_BF16:
		return atom::dtype::bf16;
	case GGML_TYPE_I8:
		return atom::dtype::i8;
	case GGML_TYPE_I16:
		return atom::dtype::i16;
	case GGML_TYPE_I32:
		return atom::dtype::i32;
	case GGML_TYPE_I64:
		return atom::dtype::i64;
	case GGML_TYPE_Q8_0:
		return atom::dtype::q8_0;
	case GGML_TYPE_Q4_0:
		return atom::dtype::q4_0;
	case GGML_TYPE_Q4_1:
		return atom::dtype::q4_1;
	default:
		return atom::dtype::none;
	}
}

bool is_float(const ggml_tensor *t)
{
	return t->type == GGML_TYPE_F32 || t->type == GGML_TYPE_F16 || t->type == GGML_TYPE_BF16;
}

bool is_block(const ggml_tensor *t) { return atom::block_elements(dtype_of(t->type)) > 1; }

shape shape_of(const ggml_tensor *t)
{
	shape s;
	for (int i = GGML_MAX_DIMS; i-- > 0;)
		s.push(static_cast<std::uint64_t>(t->ne[i]), bytes(t->nb[i]));
	return s;
}

std::vector<shape> tiled(const ggml_tensor *whole, std::initializer_list<const ggml_tensor *> parts)
{
	std::vector<shape> all(parts.size() + 1);
	bool fits = true;
	for (int i = GGML_MAX_DIMS; i-- > 0;) {
		const std::int64_t n = whole->ne[i];
		const std::int64_t inner = period(n, i, parts);
		if (inner == 0)
			return {};
		const auto add = [&](std::int64_t count, std::int64_t step, bool outer) {
			if (count == 1)
				return;
			const auto dim = static_cast<std::uint64_t>(count);
			fits = fits && all.front().push(dim, bytes(whole->nb[i]) * step);
			auto part = all.begin() + 1;
			for (const ggml_tensor *p : parts) {
				const bool repeats = p->ne[i] == 1 || (outer && p->ne[i] != n);
				fits = fits &&
				       part++->push(dim, repeats ? 0 : bytes(p->nb[i]) * step);
			}
		};
		add(n / inner, inner, true);
		add(inner, 1, false);
	}
	if (!fits)
		return {};
	all.front().fill(bytes(whole->nb[0]));
	auto part = all.begin() + 1;
	for (const ggml_tensor *p : parts)
		part++->fill(bytes(p->nb[0]));
	return all;
}

std::optional<std::pair<shape, shape>> regrouped(const ggml_tensor *one, const ggml_tensor *other)
{
	std::vector<run> runs; // the innermost first
	walk a(one);
	walk b(other);
	while (a.left() > 1 || b.left() > 1) {
		const std::int64_t count = std::min(a.left(), b.left());
		if (a.left() % count != 0 || b.left() % count != 0 || count == 1)
			return std::nullopt;
		if (!runs.empty() && a.stride() == runs.back().stride * runs.back().count &&
		    b.stride() == runs.back().other_stride * runs.back().count)
			runs.back().count *= count;
		else
			runs.push_back({count, a.stride(), b.stride()});
		a.take(count);
		b.take(count);
	}
	std::pair<shape, shape> both;
	for (auto r = runs.rbegin(); r != runs.rend(); ++r)
		if (!both.first.push(static_cast<std::uint64_t>(r->count), r->stride) ||
		    !both.second.push(static_cast<std::uint64_t>(r->count), r->other_stride))
			return std::nullopt;
	both.first.fill(bytes(one->nb[0]));
	both.second.fill(bytes(other->nb[0]));
	return both;
}

} // namespace ggml_atom
