// SPDX-License-Identifier: MIT
// What the kernel tells in files: /sys, /proc, /dev, /lib/modules. Tests put a folder in place of
// "/".
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smi {

class system_files {
public:
	explicit system_files(std::filesystem::path root) : root_(std::move(root)) {}

	/** Whether these are the files of the machine that we run on. */
	[[nodiscard]] bool of_this_machine() const { return root_ == "/"; }

	/** Where the file with this absolute path is. */
	[[nodiscard]] std::filesystem::path at(std::string_view path) const;

	/** Contents without white space at the end; nothing if it cannot be read. */
	[[nodiscard]] std::optional<std::string> read(std::string_view path) const;

	/** A number, decimal or with 0x; nothing if there is none. */
	[[nodiscard]] std::optional<std::int64_t> read_number(std::string_view path) const;

	/** Last part of what a symbolic link points to. */
	[[nodiscard]] std::optional<std::string> link_name(std::string_view path) const;

	/** Names in a folder, sorted, numbers in them by value; none if it cannot be read. */
	[[nodiscard]] std::vector<std::string> list(std::string_view path) const;

	[[nodiscard]] bool exists(std::string_view path) const;


private:
	std::filesystem::path root_;
};

/** The whole text as a number, decimal or with 0x. */
std::optional<std::int64_t> to_number(std::string_view text);

} // namespace smi
