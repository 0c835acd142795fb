// SPDX-License-Identifier: MIT
// A program that means harm. Its threads race on one open file, whose ids, mappings and memory they take away from one another.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vmtest {

/** What the threads do. */
enum class hostile_deed { bind, unbind, huge_arrays, submit, map, close, fork, pass, share };
inline constexpr std::size_t hostile_deeds = 9;
const char *name_of(hostile_deed deed);

/** What became of the calls, in memory that the program shares with the test. */
struct hostile_report {
	std::array<std::atomic<std::uint64_t>, hostile_deeds> accepted, refused;
	/** Jobs that ran to their end. */
	std::atomic<std::uint64_t> jobs;
	/** The first error that the contract does not give for such a call; 0 = none. */
	std::atomic<int> surprise;
	std::atomic<hostile_deed> surprised_in;
};

/** One open file, attacked for @p seconds; at the end it is closed under the hands of those who use it. */
void run_hostile_client(std::uint64_t seed, double seconds, hostile_report &report);

} // namespace vmtest
