// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atom/command.hpp"
#include "atom/hw/command.h"
#include "core/command_memory.hpp"

namespace atom::core {

/** Bytes of a command buffer under construction. Not thread-safe. */
class encoder {
public:
	explicit encoder(std::shared_ptr<core::context> ctx);

	std::uint32_t tag = 0;

	[[nodiscard]] const std::shared_ptr<core::device> &dev() const { return context_->dev(); }
	[[nodiscard]] const device_info &info() const { return dev()->info(); }
	[[nodiscard]] std::shared_ptr<command_memory> finish();

private:
	friend class command;

	std::shared_ptr<core::context> context_;
	std::vector<std::byte> bytes_;
	std::uint32_t commands_ = 0;
	std::vector<std::uint64_t> argument_bytes_;
	std::vector<std::shared_ptr<bo>> buffers_;
};

/** What @p e points to; throws if the builder was moved from or finished. */
encoder &live(const std::unique_ptr<encoder> &e);

/** One command: checks its parts one by one, then joins the encoder's bytes as a whole or not at
 * all. */
class command {
public:
	/** @p name as the caller of the API knows it. */
	command(const std::unique_ptr<encoder> &target, const char *name, atom_opcode opcode);

	enum class use {
		input,
		output,
	};
	/** @p part: name for messages. Throws. */
	[[nodiscard]] atom_tensor encode(const tensor &t, use how, const char *part);
	/** Absent if @p t is empty. */
	[[nodiscard]] atom_tensor encode(const std::optional<tensor> &t, use how, const char *part);
	[[nodiscard]] atom_ref encode(const location &where, std::uint64_t bytes,
	                              std::uint64_t alignment, const char *part);
	[[nodiscard]] atom_epilogue encode(const epilogue &e, const tensor &result);

	[[nodiscard]] atom_opcode opcode() const { return static_cast<atom_opcode>(opcode_); }

	[[noreturn]] void fail(errc code, const std::string &why) const;
	void check(bool good, const char *why) const
	{
		if (!good)
			fail(errc::invalid_argument, why);
	}
	/** Throws unless both have the same dimensions. */
	void check_same_dims(const tensor &a, const tensor &b, const char *names) const;
	/** Throws unless @p t has the dimensions @p needed. */
	void check_dims(const tensor &t, span<const std::uint64_t> needed, const char *part) const;
	/** Throws unless @p fn is one of enum function. */
	void check_known(function fn) const;
	/** Throws unless @p t is i32 or i64. */
	void check_index(const tensor &t, const char *part) const;

	/** Appends @p encoded, whose header is filled in here. */
	template <class T>
	void append(T &encoded, std::uint16_t flags = 0)
	{
		encoded.header.opcode = opcode_;
		encoded.header.flags = flags;
		encoded.header.bytes = sizeof(T);
		encoded.header.tag = target_.tag;
		append_bytes(&encoded, sizeof(T));
	}

private:
	/** Offset field for @p bytes from low to high around @p where; notes what they need. */
	std::uint64_t reach(const location &where, std::int64_t shift, std::uint64_t low,
	                    std::uint64_t high, const char *part);
	void encode_quantisation(const tensor &t, atom_quant &out, const char *part);
	void append_bytes(const void *bytes, std::size_t size);

	encoder &target_;
	const char *name_;
	std::uint16_t opcode_;
	std::vector<std::pair<std::uint16_t, std::uint64_t>> slots_; // number, bytes needed
	std::vector<std::shared_ptr<bo>> buffers_;
};

/** "[2, 3]" */
std::string to_string(span<const std::uint64_t> dims);

} // namespace atom::core
