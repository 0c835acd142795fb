// SPDX-License-Identifier: MIT
// What a program that uses an NPU holds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/atom.hpp"

namespace vmtest::library {

inline constexpr std::size_t buffer_words = 16 << 10;

/** A device, a context, a queue and a command that copies slot 1 to slot 2; for any number of threads. */
struct session {
	atom::device dev = atom::device::open();
	atom::context ctx{dev};
	atom::queue q{ctx};
	atom::command_buffer copy =
		atom::command_builder(ctx)
			.copy(atom::tensor(atom::slot(1), atom::dtype::i32, {buffer_words}),
			      atom::tensor(atom::slot(2), atom::dtype::i32, {buffer_words}))
			.finish();
};

/** A thread's own buffers in a session, mapped as long as it lives. */
class copied_words {
public:
	explicit copied_words(const session &s)
		: from_(s.ctx, buffer_words * 4), to_(s.ctx, buffer_words * 4, {atom::placement::local, true, ""}),
		  written_(from_.map()), read_(to_.map())
	{
	}

	/** Has the device copy @p word many times. @return what became of the job */
	std::error_code copy(session &s, std::uint32_t word)
	{
		for (std::uint32_t &w : written_.as<std::uint32_t>())
			w = word;
		std::error_code ec;
		const atom::buffer_view views[] = {from_, to_};
		const atom::fence done = s.q.submit(atom::submission(s.copy, views), ec);
		if (!ec)
			done.wait(std::chrono::steady_clock::now() + std::chrono::minutes(2), ec);
		return ec;
	}
	/** Whether the words are there that copy() was to bring. */
	[[nodiscard]] bool holds(std::uint32_t word) const
	{
		for (const std::uint32_t w : read_.as<std::uint32_t>())
			if (w != word)
				return false;
		return true;
	}

private:
	atom::buffer from_, to_;
	atom::mapping written_, read_;
};

} // namespace vmtest::library
