// SPDX-License-Identifier: MIT
#include "constants.hpp"

#include <bit>

namespace ggml_atom {
namespace {

constexpr std::size_t page_bytes = 4096;

} // namespace

atom::location constants::find(float value)
{
	const auto bits = std::bit_cast<std::uint32_t>(value);
	const std::lock_guard lock(mutex_);
	if (const auto found = known_.find(bits); found != known_.end())
		return found->second;
	if (!page_ || used_ == page_bytes) {
		// Command buffers keep the pages before it alive.
		page_ = atom::buffer(context_, page_bytes,
		                     {.placement = atom::placement::local, .label = "constants"});
		bytes_ = page_.map();
		used_ = 0;
	}
	bytes_.as<float>()[used_ / sizeof(float)] = value;
	atom::location place = page_.slice(used_, sizeof(float));
	used_ += sizeof(float);
	known_.emplace(bits, place);
	return place;
}

} // namespace ggml_atom
