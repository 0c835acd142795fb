// SPDX-License-Identifier: MIT
#include "shape.hpp"

#include <algorithm>

namespace ggml_atom {
namespace {

// Of one node; more of them is a graph that nobody means for a device.
constexpr std::int64_t commands_max = 256;

/** A run of elements in two tensors. */
struct run {
	std::int64_t count;
	std::int64_t stride;
	std::int64_t other_stride;
};

/** What is left of a tensor's dimensions, the innermost first. */
class walk {
public:
	explicit walk(const ggml_tensor *t) : tensor_(t), left_(t->ne[0]), stride_(stride_of(t, 0))
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
	// Goes to the next dimension where one ends, and takes those in that go on behind it.
	void settle()
	{
		while (axis_ + 1 < GGML_MAX_DIMS) {
			const std::int64_t next = stride_of(tensor_, axis_ + 1);
			if (left_ == 1)
				stride_ = next;
			else if (tensor_->ne[axis_ + 1] != 1 && next != stride_ * left_)
				break;
			left_ *= tensor_->ne[++axis_];
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

void shape::push(std::int64_t dim, std::int64_t stride)
{
	dims[rank] = static_cast<std::uint64_t>(dim);
	strides[rank++] = stride;
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

std::int64_t stride_of(const ggml_tensor *t, int axis)
{
	return static_cast<std::int64_t>(t->nb[axis]);
}

shape shape_of(const ggml_tensor *t)
{
	shape s;
	for (int i = GGML_MAX_DIMS; i-- > 0;)
		s.push(t->ne[i], stride_of(t, i));
	return s;
}

void nest::add(std::int64_t count, const std::vector<std::int64_t> &strides)
{
	if (count == 1)
		return;
	if (!axes_.empty()) {
		axis &outer = axes_.back();
		bool goes_on = true;
		for (std::size_t i = 0; i < tensors_; ++i)
			goes_on = goes_on && outer.strides[i] == strides[i] * count;
		if (goes_on) {
			outer = {outer.count * count, strides};
			return;
		}
	}
	axes_.push_back({count, strides});
}

bool nest::split(unsigned room, unsigned least,
                 const std::function<void(const std::vector<shape> &)> &command) const
{
	const std::size_t loops = axes_.size() > room ? axes_.size() - room : 0;
	std::int64_t commands = 1;
	for (std::size_t i = 0; i < loops; ++i)
		if ((commands *= axes_[i].count) > commands_max)
			return false;
	std::vector<shape> inner(tensors_);
	for (std::size_t t = 0; t < tensors_; ++t) {
		for (std::size_t i = axes_.size() - loops; i < least; ++i)
			inner[t].push(1, 0);
		for (std::size_t i = loops; i < axes_.size(); ++i)
			inner[t].push(axes_[i].count, axes_[i].strides[t]);
	}
	for (std::int64_t n = 0; n < commands; ++n) {
		std::int64_t rest = n;
		for (shape &s : inner)
			s.offset = 0;
		for (std::size_t i = loops; i-- > 0; rest /= axes_[i].count)
			for (std::size_t t = 0; t < tensors_; ++t)
				inner[t].offset += rest % axes_[i].count * axes_[i].strides[t];
		command(inner);
	}
	return true;
}

std::optional<nest> tiled(const ggml_tensor *whole,
                          std::initializer_list<const ggml_tensor *> parts)
{
	nest all(parts.size() + 1);
	for (int i = GGML_MAX_DIMS; i-- > 0;) {
		const std::int64_t n = whole->ne[i];
		const std::int64_t inner = period(n, i, parts);
		if (inner == 0)
			return std::nullopt;
		const auto add = [&](std::int64_t count, std::int64_t step, bool outer) {
			std::vector<std::int64_t> strides{stride_of(whole, i) * step};
			for (const ggml_tensor *p : parts) {
				const bool repeats = p->ne[i] == 1 || (outer && p->ne[i] != n);
				strides.push_back(repeats ? 0 : stride_of(p, i) * step);
			}
			all.add(count, strides);
		};
		add(n / inner, inner, true);
		add(inner, 1, false);
	}
	return all;
}

std::optional<nest> regrouped(const ggml_tensor *one, const ggml_tensor *other)
{
	std::vector<run> runs; // the innermost first
	walk a(one);
	walk b(other);
	while (a.left() > 1) {
		const std::int64_t count = std::min(a.left(), b.left());
		if (a.left() % count != 0 || b.left() % count != 0)
			return std::nullopt;
		runs.push_back({count, a.stride(), b.stride()});
		a.take(count);
		b.take(count);
	}
	nest both(2);
	for (auto r = runs.rbegin(); r != runs.rend(); ++r)
		both.add(r->count, {r->stride, r->other_stride});
	return both;
}

} // namespace ggml_atom
