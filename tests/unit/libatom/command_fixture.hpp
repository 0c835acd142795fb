// SPDX-License-Identifier: MIT
// Encodes commands on the fake kernel, and asks the engine what it thinks of them.
#pragma once

#include <cstring>

#include "atom/hw/command.h"
#include "decode/decode.hpp"
#include "fixture.hpp"

namespace atom::test {

/** Decodes each command that the engine has; what it refuses, in words, or "". */
std::string refused_by_engine(const command_buffer &c);

class a_command : public on_fake_kernel {
protected:
	buffer data{ctx, 4096};

	/** The command behind the header. The engine must take it, and atom-decode read it. */
	template <class T>
	static T first(const command_buffer &c)
	{
		T t;
		EXPECT_EQ(c.bytes().size(), sizeof(atom_cmdbuf_header) + sizeof(T));
		std::memcpy(&t, c.bytes().data() + sizeof(atom_cmdbuf_header), sizeof(T));
		EXPECT_EQ(t.header.bytes, sizeof(T));
		EXPECT_EQ(refused_by_engine(c), "");
		const std::span<const std::byte> all(c.bytes().data(), c.bytes().size());
		EXPECT_EQ(decode::decode_command_buffer(all).problems, std::vector<std::string>());
		return t;
	}

	/** The one command that @p f adds. */
	template <class T, class F>
	T built(F &&f)
	{
		command_builder b(ctx);
		f(b);
		return first<T>(b.finish());
	}

	/** What is said of the command that @p f adds, which must be refused with @p code. */
	template <class F>
	std::string refusal(errc code, F &&f)
	{
		command_builder b(ctx);
		b.nop();
		const std::string what = error_of(code, [&] { f(b); });
		EXPECT_EQ(b.finish().size(), 1U)
			<< "a refused command must leave the builder alone";
		return what;
	}
	template <class F>
	std::string refusal(F &&f)
	{
		return refusal(errc::invalid_argument, std::forward<F>(f));
	}

	static tensor f32(std::uint16_t place, std::initializer_list<std::uint64_t> dims)
	{
		return {slot(place), dtype::f32, dims};
	}
};

} // namespace atom::test
