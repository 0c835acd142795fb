// SPDX-License-Identifier: MIT
// What atom-smi top shows, as text with colours; who paints it is in top.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "client.hpp"
#include "npu.hpp"

namespace smi {

enum class colour : std::uint8_t {
	plain,
	title,
	good,
	warm,
	hot,
};

struct run_of_text {
	std::string text;
	colour how = colour::plain;
};

using screen_line = std::vector<run_of_text>;

enum class order : std::uint8_t {
	utilisation,
	memory,
	pid,
};

/** All that is shown, of one moment. */
struct top_state {
	std::vector<npu> devices;
	std::vector<client> clients;
	/** Utilisation in permille by device (index), the newest last. */
	std::map<unsigned, std::deque<std::int64_t>> history;
	order by = order::utilisation;
	std::size_t first_client = 0; ///< of those shown: how far they are scrolled

	/** Takes the newest readings into the history. */
	void remember();
	/** Puts the clients into the order asked for. */
	void sort();
};

/** Lines that fill @p height and no more than @p width columns. */
std::vector<screen_line> compose(const top_state &state, std::size_t width, std::size_t height);

} // namespace smi
