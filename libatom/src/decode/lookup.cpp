// SPDX-License-Identifier: MIT
#include "decode/layouts.hpp"

#include <algorithm>
#include <cctype>

namespace atom::decode {

std::uint32_t bytes_of(kind type)
{
	switch (type) {
	case kind::u8:
		return 1;
	case kind::u16:
		return 2;
	case kind::u32:
	case kind::i32:
	case kind::f32:
		return 4;
	case kind::u64:
	case kind::i64:
		return 8;
	case kind::nested:
		break;
	}
	return 0;
}

const command_layout *find_command(std::uint16_t opcode)
{
	const auto all = all_commands();
	const auto found = std::find_if(all.begin(), all.end(),
	                                [opcode](const auto &c) { return c.opcode == opcode; });
	return found == all.end() ? nullptr : &*found;
}

const command_layout *find_command(std::string_view name)
{
	const auto same = [name](const command_layout &c) {
		const std::string_view known = c.layout->name;
		return std::equal(known.begin(), known.end(), name.begin(), name.end(),
		                  [](char a, char b) {
					  return a == std::toupper(static_cast<unsigned char>(b));
				  });
	};
	const auto all = all_commands();
	const auto found = std::find_if(all.begin(), all.end(), same);
	return found == all.end() ? nullptr : &*found;
}

std::string field_name(const structure &layout, std::uint32_t offset)
{
	for (const field &f : layout.fields) {
		const std::uint32_t size =
			f.type == kind::nested ? f.layout->bytes : bytes_of(f.type);
		if (offset < f.offset || offset - f.offset >= size * f.count)
			continue;
		const std::uint32_t inside = offset - f.offset;
		std::string name = f.name;
		if (f.count > 1)
			name += "[" + std::to_string(inside / size) + "]";
		if (f.type != kind::nested || inside == 0)
			return name;
		const std::string rest = field_name(*f.layout, inside);
		if (!rest.empty())
			name.append(".").append(rest);
		return name;
	}
	return {};
}

const char *find_name(words names, std::uint32_t value)
{
	const auto found = std::find_if(names.begin(), names.end(),
	                                [value](const word &w) { return w.value == value; });
	return found == names.end() ? nullptr : found->name;
}

} // namespace atom::decode
