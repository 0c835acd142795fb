/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>

namespace atom::model {

namespace {

enum key : unsigned {
	key_queue = 1u << 0,
	key_after = 1u << 1,
	key_count = 1u << 2,
	key_value = 1u << 3,
	key_offset = 1u << 4,
	key_delay = 1u << 5,
	key_temp = 1u << 6,
};

struct key_row {
	std::string_view name;
	unsigned bit;
};

constexpr std::array<key_row, 7> keys{{
	{"queue", key_queue},
	{"after", key_after},
	{"count", key_count},
	{"value", key_value},
	{"offset", key_offset},
	{"delay_us", key_delay},
	{"temp_mc", key_temp},
}};

constexpr unsigned on_event = key_queue | key_after | key_count;

struct kind_row {
	const char *name;
	unsigned allowed;
	unsigned required;
};

/* In the order of inject_kind. */
constexpr std::array<kind_row, static_cast<std::size_t>(inject_kind::count)> kinds{{
	{"lost-irq", on_event, 0},
	{"duplicate-irq", on_event, 0},
	{"late-irq", on_event | key_delay, key_delay},
	{"hang", on_event, 0},
	{"hung-detected", on_event, 0},
	{"mmu-fault", on_event, 0},
	{"dma-error", on_event, 0},
	{"poison", on_event, 0},
	{"ecc-ce", key_count, 0},
	{"ecc-ue", on_event, 0},
	{"thermal", key_temp, key_temp},
	{"power", 0, 0},
	{"stuck-register", key_after | key_count | key_offset | key_value, key_offset | key_value},
	{"all-ones", key_after | key_count, 0},
	{"link-down", 0, 0},
	{"corrupt-seqno", on_event | key_value, key_value},
	{"corrupt-record", on_event, 0},
	{"corrupt-fault", on_event, 0},
	{"forged-fault", on_event | key_value, key_value},
	{"clear", 0, 0},
}};

bool parse_number(std::string_view text, std::uint64_t &value)
{
	int base = 10;
	if (text.starts_with("0x") || text.starts_with("0X")) {
		base = 16;
		text.remove_prefix(2);
	}
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
	return error == std::errc{} && end == text.data() + text.size();
}

/* One sentence of its parts. (A chain of + makes GCC 12 warn of overlaps that are none.) */
std::string sentence(std::initializer_list<std::string_view> parts)
{
	std::string text;
	for (const std::string_view p : parts)
		text.append(p);
	return text;
}

std::string quoted(std::string_view text)
{
	return sentence({"'", text.substr(0, 64), "'"});
}

std::string names(unsigned mask)
{
	std::string list = "kind";
	for (const key_row &k : keys) {
		if (mask & k.bit)
			list.append(", ").append(k.name);
	}
	return list;
}

} // namespace

const char *name_of(inject_kind kind)
{
	return kinds[static_cast<std::size_t>(kind)].name;
}

std::optional<injection> parse_injection(std::string_view spec, std::uint32_t queues, std::string &error)
{
	injection result;
	unsigned seen = 0;
	bool have_kind = false;
	const kind_row *kind = nullptr;

	if (spec.ends_with(',')) {
		error = "the specification ends with a comma";
		return std::nullopt;
	}
	while (!spec.empty()) {
		const std::size_t comma = spec.find(',');
		const std::string_view item = spec.substr(0, comma);
		spec.remove_prefix(comma == std::string_view::npos ? spec.size() : comma + 1);
		const std::size_t equals = item.find('=');
		if (equals == std::string_view::npos) {
			error = sentence({quoted(item), " is not of the form key=value"});
			return std::nullopt;
		}
		const std::string_view name = item.substr(0, equals);
		const std::string_view text = item.substr(equals + 1);
		if (!have_kind) {
			if (name != "kind") {
				error = sentence({"the specification must begin with kind=, not ", quoted(name)});
				return std::nullopt;
			}
			for (std::size_t i = 0; i < kinds.size(); ++i) {
				if (text == kinds[i].name) {
					result.kind = static_cast<inject_kind>(i);
					kind = &kinds[i];
				}
			}
			if (!kind) {
				error = sentence({"unknown kind ", quoted(text), "; known are"});
				for (const kind_row &k : kinds)
					error.append(&k == &kinds[0] ? " " : ", ").append(k.name);
				return std::nullopt;
			}
			have_kind = true;
			continue;
		}
		const auto row = std::find_if(keys.begin(), keys.end(),
					      [&](const key_row &k) { return k.name == name; });
		if (row == keys.end() || !(kind->allowed & row->bit)) {
			error = sentence({"kind=", kind->name, " takes ", names(kind->allowed), ", not ", quoted(name)});
			return std::nullopt;
		}
		if (seen & row->bit) {
			error = sentence({quoted(name), " is given twice"});
			return std::nullopt;
		}
		seen |= row->bit;
		std::uint64_t value = 0;
		if (!parse_number(text, value)) {
			error = sentence({quoted(text), " is not a number for ", name});
			return std::nullopt;
		}
		switch (row->bit) {
		case key_queue:
			if (value > queues) {
				error = sentence({"queue=", text, " is beyond the ", std::to_string(queues),
						  " job queues (0 is the admin queue)"});
				return std::nullopt;
			}
			result.queue = static_cast<std::int64_t>(value);
			break;
		case key_after:
			result.after = value;
			break;
		case key_count:
			result.count = value;
			break;
		case key_offset:
			if (value % 4 || value >= 0x10000) {
				error = sentence({"offset=", text, " is not a register: a multiple of 4 below 0x10000"});
				return std::nullopt;
			}
			result.offset = value;
			break;
		case key_delay:
			if (value > 60'000'000) {
				error = sentence({"delay_us=", text, " is more than a minute"});
				return std::nullopt;
			}
			result.value = value;
			break;
		case key_temp:
			if (value > 200'000) {
				error = sentence({"temp_mc=", text, " is more than 200000 (milli-degrees Celsius)"});
				return std::nullopt;
			}
			[[fallthrough]];
		default:
			result.value = value;
			break;
		}
	}
	if (!have_kind) {
		error = "the specification is empty; it must begin with kind=";
		return std::nullopt;
	}
	if (const unsigned missing = kind->required & ~seen) {
		error = sentence({"kind=", kind->name, " needs ", names(missing).substr(6)});
		return std::nullopt;
	}
	return result;
}

bool injector::arm(const injection &what)
{
	const std::lock_guard lock(mutex_);
	if (armed_.size() >= armed_max)
		return false;
	armed_.push_back(what);
	update_kinds();
	return true;
}

void injector::clear()
{
	const std::lock_guard lock(mutex_);
	armed_.clear();
	update_kinds();
}

std::optional<injection> injector::strike_armed(inject_kind kind, std::uint32_t queue, std::uint64_t offset)
{
	const bool by_queue = kinds[static_cast<std::size_t>(kind)].allowed & key_queue;
	const std::lock_guard lock(mutex_);
	for (auto i = armed_.begin(); i != armed_.end(); ++i) {
		if (i->kind != kind || i->offset != offset)
			continue;
		if (by_queue && (i->queue < 0 ? queue == 0 : static_cast<std::uint64_t>(i->queue) != queue))
			continue;
		if (i->after) {
			--i->after;
			continue;
		}
		const injection hit = *i;
		if (i->count && --i->count == 0) {
			armed_.erase(i);
			update_kinds();
		}
		return hit;
	}
	return std::nullopt;
}

void injector::update_kinds()
{
	std::uint32_t mask = 0;
	for (const injection &i : armed_)
		mask |= 1u << static_cast<unsigned>(i.kind);
	armed_kinds_.store(mask, std::memory_order_relaxed);
}

} // namespace atom::model
