// SPDX-License-Identifier: MIT
#include "decode/decode.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "atom/hw/command.h"

namespace atom::decode {
namespace {

using bytes_view = std::span<const std::byte>;

bytes_view part(bytes_view bytes, std::size_t offset, std::size_t size)
{
	if (offset >= bytes.size())
		return {};
	return bytes.subspan(offset, std::min(size, bytes.size() - offset));
}

std::uint64_t load(bytes_view bytes, std::size_t offset, std::size_t size)
{
	std::uint64_t v = 0;
	const bytes_view there = part(bytes, offset, size);
	if (!there.empty())
		std::memcpy(&v, there.data(), there.size());
	return v;
}

std::string hex(std::uint64_t v)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(v));
	return text;
}

bool is_address(std::string_view name)
{
	return name.ends_with("_va") || name == "va" || name == "offset" || name == "cookie" ||
	       name == "fill" || name == "magic";
}

value scalar(const field &f, std::uint64_t raw)
{
	value v;
	switch (f.type) {
	case kind::i32:
		v.data = std::int64_t{static_cast<std::int32_t>(raw)};
		break;
	case kind::i64:
		v.data = static_cast<std::int64_t>(raw);
		break;
	case kind::f32:
		v.data = double{std::bit_cast<float>(static_cast<std::uint32_t>(raw))};
		break;
	default:
		v.data = raw;
		if (is_address(f.name))
			v.summary = hex(raw);
		break;
	}
	return v;
}

value enumerated(const field &f, std::uint64_t raw, const std::string &place,
                 std::vector<std::string> &problems)
{
	if (const char *name = find_name(f.values, static_cast<std::uint32_t>(raw)))
		return name;
	problems.push_back(place + f.name + " has the unknown value " + std::to_string(raw));
	return raw;
}

value flags(const field &f, std::uint64_t raw, const std::string &place,
            std::vector<std::string> &problems)
{
	value::array names;
	for (const word &bit : f.bits)
		if ((raw & bit.value) != 0) {
			names.emplace_back(bit.name);
			raw &= ~std::uint64_t{bit.value};
		}
	if (raw != 0)
		problems.push_back(place + f.name + " has the unknown bits " + hex(raw));
	return names;
}

std::string in_brackets(const value::array &list)
{
	std::string text;
	for (const value &v : list)
		text += (text.empty() ? "" : ", ") + to_json(v);
	return "[" + text + "]";
}

std::string where(std::uint64_t slot, std::uint64_t offset)
{
	return slot == 0 ? "at " + hex(offset)
	                 : "in slot " + std::to_string(slot) + " + " + std::to_string(offset);
}

// Dimensions beyond the rank must be zero and are not shown.
value::array up_to_rank(const field &f, bytes_view tensor, std::uint64_t rank,
                        const std::string &place, std::vector<std::string> &problems)
{
	value::array list;
	for (std::uint32_t i = 0; i < f.count; ++i) {
		const std::uint64_t raw = load(tensor, f.offset + i * 8, 8);
		if (i < rank)
			list.push_back(scalar(f, raw));
		else if (raw != 0)
			problems.push_back(place + f.name + "[" + std::to_string(i) +
			                   "] is beyond the rank and not zero");
	}
	return list;
}

std::string quant_summary(const value &quant)
{
	const auto text = [&quant](const char *name) { return to_json(*quant.find(name)); };
	switch (std::string kind = text("kind"); kind[1]) {
	case 'n':
		return {};
	case 'b':
		return ", blocks along dimension " + text("axis");
	default:
		if (kind == "\"per tensor\"")
			return ", scale " + text("scale") + ", zero point " + text("zero_point");
		return ", scales" + std::string(text("flags") == "[]" ? "" : " and zero points") +
		       " of dimension " + text("axis") + " in slot " + text("slot");
	}
}

value tensor(bytes_view bytes, const std::string &place, std::vector<std::string> &problems)
{
	const auto dtype = load(bytes, offsetof(atom_tensor, dtype), 1);
	if (dtype == ATOM_DTYPE_NONE) {
		const auto zero = [](std::byte b) { return b == std::byte{0}; };
		if (!std::all_of(bytes.begin(), bytes.end(), zero))
			problems.push_back(place +
			                   "dtype is none, but not all of the tensor is zero");
		return {};
	}
	std::uint64_t rank = load(bytes, offsetof(atom_tensor, rank), 1);
	if (rank > ATOM_RANK_MAX) {
		problems.push_back(place + "rank " + std::to_string(rank) + " is more than " +
		                   std::to_string(ATOM_RANK_MAX));
		rank = ATOM_RANK_MAX;
	}
	value::object members;
	value::array dims;
	value::array strides;
	for (const field &f : tensor_layout.fields) {
		const std::string_view name = f.name;
		if (name == "dims")
			members.emplace_back(name,
			                     dims = up_to_rank(f, bytes, rank, place, problems));
		else if (name == "strides")
			members.emplace_back(name,
			                     strides = up_to_rank(f, bytes, rank, place, problems));
		else if (name == "dtype")
			members.emplace_back(name, enumerated(f, dtype, place, problems));
		else if (name == "quant")
			members.emplace_back(
				name, decode_structure(quant_layout,
			                               part(bytes, f.offset, f.layout->bytes),
			                               place + "quant.", problems));
		else if (name == "flags" && load(bytes, f.offset, 4) != 0)
			problems.push_back(place + "flags must be zero");
		else if (name == "slot" || name == "offset")
			members.emplace_back(name,
			                     scalar(f, load(bytes, f.offset, bytes_of(f.type))));
	}
	value v(members);
	const std::string type = to_json(*v.find("dtype"));
	v.summary = (type.front() == '"' ? type.substr(1, type.size() - 2) : "type " + type) +
	            in_brackets(dims) + " " +
	            where(load(bytes, offsetof(atom_tensor, slot), 2),
	                  load(bytes, offsetof(atom_tensor, offset), 8)) +
	            ", strides " + in_brackets(strides) + quant_summary(*v.find("quant"));
	return v;
}

value nested(const field &f, bytes_view bytes, const std::string &place,
             std::vector<std::string> &problems)
{
	const bytes_view inside = part(bytes, f.offset, f.layout->bytes);
	const std::string inner = place + f.name + ".";
	if (f.layout == &tensor_layout)
		return tensor(inside, inner, problems);
	value v = decode_structure(*f.layout, inside, inner, problems);
	if (f.layout == &ref_layout)
		v.summary = where(load(inside, offsetof(atom_ref, slot), 2),
		                  load(inside, offsetof(atom_ref, offset), 8));
	return v;
}

} // namespace

value decode_structure(const structure &layout, std::span<const std::byte> bytes,
                       const std::string &place, std::vector<std::string> &problems)
{
	value::object members;
	for (const field &f : layout.fields) {
		const std::string_view name = f.name;
		if (f.type == kind::nested) {
			if (f.layout != &cmd_header_layout)
				members.emplace_back(name, nested(f, bytes, place, problems));
			continue;
		}
		const std::uint32_t size = bytes_of(f.type);
		const bool reserved =
			name.starts_with("reserved") ||
			(name == "flags" && f.bits.empty() && &layout != &cmd_header_layout);
		value::array list;
		for (std::uint32_t i = 0; i < f.count; ++i) {
			const std::uint64_t raw = load(bytes, f.offset + i * size, size);
			if (reserved && raw != 0)
				problems.push_back(place + f.name + " must be zero, but is " +
				                   hex(raw));
			else if (!f.values.empty())
				list.push_back(enumerated(f, raw, place, problems));
			else if (!f.bits.empty())
				list.push_back(flags(f, raw, place, problems));
			else
				list.push_back(scalar(f, raw));
		}
		if (reserved)
			continue;
		if (f.count == 1)
			members.emplace_back(name, std::move(list.front()));
		else
			members.emplace_back(name, std::move(list));
	}
	return members;
}

} // namespace atom::decode
