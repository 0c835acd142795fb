// SPDX-License-Identifier: MIT
// What the lowering makes of any model file: a plan, or a sentence that says why not. Needs no device.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "atom_onnx/lower.hpp"
#include "atom_onnx/survey.hpp"
#include "atom_onnx_import/import.hpp"

namespace {

using namespace atom_onnx;

// Enough for a Reshape, a Pad and a Slice behind one another.
constexpr int answers = 4;

// Something to be told where the model leaves it open, from the input itself.
std::int64_t assumed(std::string_view bytes)
{
	return bytes.empty() ? 1 : static_cast<unsigned char>(bytes.back()) % 8;
}

void assume_sizes(graph &g, std::int64_t size)
{
	for (value &v : g.values)
		if (v.dims)
			std::replace(v.dims->begin(), v.dims->end(), std::int64_t{-1}, size);
}

/** The elements of an input that the lowering must know: small numbers. */
host_tensor answer(const value &asked, std::int64_t first)
{
	constexpr std::int64_t most = 64;
	const std::int64_t count = count_of(asked.dims.value());
	if (asked.type != element_type::i64 || count > most)
		throw unsupported(reason::unknown_value, "not told");
	std::vector<std::int64_t> values(static_cast<std::size_t>(count));
	std::generate(values.begin(), values.end(), [&] { return first++; });
	return host_tensor::of(element_type::i64, *asked.dims, values);
}

void lower_and_answer(const graph &g, std::int64_t first)
{
	options told;
	for (int i = 0; i <= answers; ++i) {
		try {
			static_cast<void>(lower(g, told));
			return;
		} catch (const unsupported &e) {
			if (e.why() != reason::unknown_value || told.known.count(e.value()) != 0)
				throw;
			told.known.emplace(
				e.value(),
				answer(g.values.at(static_cast<std::size_t>(e.value())), first));
		}
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const std::string_view bytes(reinterpret_cast<const char *>(data), size);
	try {
		graph g = parse_model(bytes);
		assume_sizes(g, assumed(bytes));
		const findings found = survey(g);
		for (const node &n : g.nodes)
			if (!(multiplications(n, found) >= 0))
				__builtin_trap();
		lower_and_answer(g, assumed(bytes));
	} catch (const unsupported &) {
		// A sentence for who brought the model. What else is thrown ends the program.
	}
	return 0;
}
