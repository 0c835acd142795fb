/* SPDX-License-Identifier: MIT */
/**
 * @file constants.h
 * @brief What the engine makes of operands that are promised to be constant, kept from command to command.
 *
 * A promise ends when a translation of the operand is invalidated (section 7 of include/README.md). When the room is used up
 * nothing is thrown out for something new: a network that is larger than the room would only push itself out.
 */
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace atom::model {

/** keep() and used() from any thread; the others while no tile runs. */
class constants {
public:
	/** @param room bytes of host memory at most */
	explicit constants(std::uint64_t room) : room_(room) {}

	/**
	 * @p size bytes, aligned to 64, zeroed when they are new, for [va, va + bytes) of an address space in a form of the engine's.
	 * Valid until a forget() of it. nullptr: no room.
	 */
	std::byte *keep(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes, std::span<const std::uint64_t> form,
			std::size_t size);
	/** What is made of any byte of [va, va + bytes); @p bytes 0: all of the address space. */
	void forget(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes);
	void clear();
	/** Bytes in use. */
	std::uint64_t used() const;

private:
	static constexpr std::size_t alignment = 64;
	/** What an entry counts for at least, so that there are not too many to look through. */
	static constexpr std::uint64_t least_charge = 64 << 10;

	struct key {
		std::uint32_t asid;
		std::uint64_t va, bytes;
		std::vector<std::uint64_t> form;
		auto operator<=>(const key &) const = default;
	};
	struct release {
		void operator()(std::byte *p) const { std::free(p); }
	};
	struct entry {
		std::unique_ptr<std::byte, release> memory;
		std::size_t size = 0;

		std::byte *data() const;
	};
	static std::uint64_t charge(std::size_t size);

	std::uint64_t room_;
	mutable std::mutex mutex_; ///< of what follows
	std::map<key, entry> entries_;
	std::uint64_t used_ = 0;
};

} // namespace atom::model
