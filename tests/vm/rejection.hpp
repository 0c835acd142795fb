// SPDX-License-Identifier: MIT
// Tables of calls that must be refused: the errno is one of those documented, and nothing has changed.
#pragma once

#include "context.hpp"
#include "machine.hpp"
#include "system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

namespace vmtest {

inline const void *const bad_pointer = reinterpret_cast<const void *>(0xffff'8000'0000'1000ull); // the kernel's half
inline constexpr std::uint64_t bad_address = 0xdead'0000'1000ull;                               // not mapped
inline constexpr std::uint32_t no_such_id = 0x7fff'1234;
using u64s = std::initializer_list<std::uint64_t>;

/** Calls @p call and checks that it fails with one of @p errors and changes no counter of the driver. */
template <class Call> void expect_refused(const std::string &what, const std::vector<int> &errors, const Call &call)
{
	SCOPED_TRACE(what);
	if (!system::checks_pointers() && std::find(errors.begin(), errors.end(), EFAULT) != errors.end())
		return;
	const counters before = read_counters();
	const int error = call();
	bool documented = false;
	std::string wanted;
	for (const int candidate : errors) {
		documented |= error == candidate;
		wanted += std::string(wanted.empty() ? "" : " or ") + std::strerror(candidate);
	}
	EXPECT_TRUE(documented) << "got '" << std::strerror(error) << "', documented: '" << wanted << "'";
	EXPECT_EQ(await_counters(before, 0, 2), "") << "a refused call has changed something";
}

/** One ioctl with an argument that is right, to be made wrong field by field. */
template <class Args> class refusals {
public:
	refusals(const device &dev, unsigned long request, const Args &good) : dev_(dev), request_(request), good_(good) {}

	/** The ioctl with @p change applied to the good argument must fail and leave the argument as it was. */
	template <class Change>
	void expect(const std::string &what, const std::vector<int> &errors, const Change &change) const
	{
		Args args = good_;
		change(args);
		const Args given = args;
		expect_refused(what, errors, [&] { return dev_.try_call(request_, &args); });
		EXPECT_EQ(std::memcmp(&given, &args, sizeof(args)), 0) << what << ": a refused call has written its argument";
	}

	/** The field must refuse every single bit of @p bits. */
	template <class Field>
	void expect_bits(const std::string &what, const std::vector<int> &errors, Field Args::*field, Field bits) const
	{
		for (unsigned bit = 0; bit < sizeof(Field) * 8; ++bit) {
			if (bits >> bit & 1)
				expect(what + " bit " + std::to_string(bit), errors,
				       [&](Args &args) { args.*field |= Field{1} << bit; });
		}
	}

	void expect_bad_argument_pointer() const
	{
		expect_refused("argument at a kernel address", {EFAULT},
			       [&] { return dev_.try_call(request_, const_cast<void *>(bad_pointer)); });
		expect_refused("argument at an unmapped address", {EFAULT},
			       [&] { return dev_.try_call(request_, reinterpret_cast<void *>(bad_address)); });
		expect_refused("no argument", {EFAULT, EINVAL}, [&] { return dev_.try_call(request_, nullptr); });
	}

private:
	const device &dev_;
	unsigned long request_;
	Args good_;
};

inline std::uint64_t address_of(const void *pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

} // namespace vmtest
