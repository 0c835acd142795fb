// SPDX-License-Identifier: MIT
// What every function of the C interface needs: exceptions end here, structures have sizes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>

#include "c/handles.hpp"
#include "core/failure.hpp"

namespace atom::c {

/** As the C interface numbers it. */
int number_of(const std::error_code &code) noexcept;

/** Remembers @p sentence for atom_last_error(). Returns number_of(). */
int note_error(const std::error_code &code, const char *sentence) noexcept;

/** Remembers the exception that is being handled, for atom_last_error(). Returns its number. */
int note_exception() noexcept;

/** Runs @p function, which returns nothing or a number. */
template <class F>
int guarded(F &&function) noexcept
{
	try {
		if constexpr (std::is_void_v<decltype(function())>) {
			function();
			return ATOM_OK;
		} else {
			return function();
		}
	} catch (...) {
		return note_exception();
	}
}

/** @p pointer, which must not be null. */
template <class T>
T &live(T *pointer, const char *name)
{
	if (pointer == nullptr)
		core::fail(errc::invalid_argument, std::string(name) + " is null");
	return *pointer;
}

/** Runs @p make, and gives what it returns, in a handle. */
template <class Handle, class F>
int give(Handle **out, F &&make) noexcept
{
	return guarded([&] {
		Handle *&place = live(out, "out");
		place = new Handle{make()};
	});
}

/** A field that means nothing yet must be 0: programs that leave anything in it could never get its meaning. */
inline void check_reserved(std::uint32_t value)
{
	if (value != 0)
		core::fail(errc::unsupported,
		           "the field reserved of a structure is " + std::to_string(value) + ", not 0");
}

/** A structure of the caller as this library knows it. */
template <class T>
T read(const T &from)
{
	constexpr std::size_t smallest = sizeof(from.size);
	const std::size_t size = from.size;
	const auto *bytes = reinterpret_cast<const unsigned char *>(&from);
	if (size < smallest)
		core::fail(errc::invalid_argument, "the size of a structure is not set");
	for (std::size_t i = sizeof(T); i < size; ++i)
		if (bytes[i] != 0)
			core::fail(errc::unsupported,
			           "a structure is of a newer version of the library, and byte " +
			                   std::to_string(i) + " is used");
	T known{};
	std::memcpy(&known, &from, std::min(size, sizeof(T)));
	if constexpr (requires { known.reserved; })
		check_reserved(known.reserved);
	return known;
}

/** The same; all 0 for null. */
template <class T>
T read(const T *from)
{
	return from == nullptr ? T{} : read(*from);
}

/** Options of a context or a queue, which have the same; what is 0 or null is as @p To has it. */
template <class To, class From>
To options_of(const From *from)
{
	constexpr auto most = static_cast<std::uint32_t>(priority::realtime) + 1;
	const From o = read(from);
	if (o.priority > most)
		core::fail(errc::invalid_argument,
		           "there is no priority " + std::to_string(o.priority));
	To to;
	if (o.priority != 0)
		to.priority = static_cast<priority>(o.priority - 1);
	to.job_timeout = std::chrono::milliseconds(o.job_timeout_ms);
	if (o.name != nullptr)
		to.name = o.name;
	return to;
}

/** Fills @p to as far as it has room; its size stays. */
template <class T>
void write(T known, T &to)
{
	if (to.size < sizeof(to.size))
		core::fail(errc::invalid_argument, "the size of a structure is not set");
	known.size = to.size;
	const std::size_t size = to.size;
	std::memcpy(&to, &known, std::min(size, sizeof(T)));
	if (size > sizeof(T))
		std::memset(reinterpret_cast<unsigned char *>(&to) + sizeof(T), 0,
		            size - sizeof(T));
}

/**
 * Takes what comes next and gives it as @p describe puts it. What could not be given, for want of a
 * size, is not taken. Returns 1, 0 if there is nothing, or an error.
 */
template <class Out, class Take, class Describe>
int next(Out *out, Take &&take, Describe &&describe) noexcept
{
	return guarded([&] {
		Out &to = live(out, "out");
		write(Out{}, to);
		const auto taken = take();
		if (!taken)
			return 0;
		Out found{};
		describe(*taken, found);
		write(found, to);
		return 1;
	});
}

/**
 * Element @p index of an array of the caller, whose elements are as large as the first one says.
 * All must say the same.
 */
template <class T>
T &element(T *array, std::size_t index, const char *name)
{
	const std::size_t size = live(array, name).size;
	if (size < sizeof(array->size) || size % alignof(T) != 0)
		core::fail(errc::invalid_argument,
		           std::string(name) + ": the size of a structure is not set");
	using byte = std::conditional_t<std::is_const_v<T>, const unsigned char, unsigned char>;
	T &found = *reinterpret_cast<T *>(reinterpret_cast<byte *>(array) + index * size);
	if (found.size != size)
		core::fail(errc::invalid_argument,
		           std::string(name) + ": the structures have different sizes");
	return found;
}

/** Cuts what does not fit. */
template <std::size_t n>
void copy_text(const std::string &from, char (&to)[n])
{
	const std::size_t length = std::min(from.size(), n - 1);
	std::memcpy(to, from.data(), length);
	std::memset(to + length, 0, n - length);
}

} // namespace atom::c
