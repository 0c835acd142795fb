/* SPDX-License-Identifier: MIT */
/* What decoders ask of tensors that have been read. */
#include "parser.h"

#include <algorithm>

namespace atom::engine {

bool parser::same_dims(const tensor &t, const tensor &like)
{
	if (t.rank != like.rank)
		return fail(ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, rank));
	const unsigned pad = ATOM_RANK_MAX - t.rank;
	for (unsigned i = 0; i < t.rank; ++i)
		if (t.dims[pad + i] != like.dims[pad + i])
			return fail(ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, dims) + 8 * i);
	return true;
}

bool parser::check_overlap(const tensor &out, std::span<const tensor *const> in_place)
{
	const operand &o = operands_[out.operand];
	for (std::size_t i = 0; i < operands_.size(); ++i) {
		const operand &in = operands_[i];
		if (i == out.operand)
			continue;
		const auto begin = [](const operand &x) { return static_cast<std::int64_t>(x.va) + x.low; };
		const auto end = [](const operand &x) { return static_cast<std::int64_t>(x.va) + x.high; };
		if (begin(in) >= end(o) || begin(o) >= end(in))
			continue;
		const bool same = std::any_of(in_place.begin(), in_place.end(), [&](const tensor *t) {
			if (!*t || t->operand != i || in.va != o.va || t->element_bytes != out.element_bytes)
				return false;
			for (std::size_t d = 0; d < t->dims.size(); ++d)
				if (t->dims[d] != out.dims[d] ||
				    (t->dims[d] > 1 && t->strides[d] != out.strides[d]))
					return false;
			return true;
		});
		if (!same)
			return fail(ATOM_FAULT_OVERLAP, out.field + offsetof(atom_tensor, offset), o.va,
				    ATOM_ACCESS_WRITE);
	}
	return true;
}

void parser::take_part(tensor &t, unsigned dim, std::int64_t first, std::int64_t count)
{
	operand part = operands_[t.operand];
	const std::int64_t skipped = first * t.strides[dim];
	part.va += static_cast<std::uint64_t>(skipped);
	part.low -= skipped;
	part.high -= skipped;
	t.dims[dim] = count;
	t.operand = operands_.size();
	operands_.push_back(part);
}

bool parser::check_work(const tensor &out, std::int64_t each)
{
	const std::uint64_t limit = std::uint64_t{1} << std::min(how_.macs_log2_max, 62u);
	auto work = static_cast<unsigned __int128>(each);
	bool good = work <= limit;
	for (const std::int64_t d : out.dims) {
		work *= static_cast<unsigned __int128>(d);
		/* Stop there: the product of all dims may not fit. */
		good = good && work <= limit;
		if (!good)
			break;
	}
	return require(good, ATOM_FAULT_TOO_LARGE, out.field + offsetof(atom_tensor, dims));
}

} // namespace atom::engine
