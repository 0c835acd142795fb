/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "host_bus.h"

namespace atom::inprocess {

/**
 * Writes down where the modelled time of commands goes, in the words of QEMU's
 * trace events, which emulator/tools/atom-timeline reads. Thread-safe.
 */
class times {
public:
	/**
	 * Listens on @p bus until that ends; this has to live as long.
	 * @throw std::runtime_error if @p path cannot be written
	 */
	times(host::host_bus &bus, const std::string &path, std::uint32_t number);

private:
	void command(const atom_model_command_time &t);
	void complete(const std::uint64_t *args);

	struct closed {
		void operator()(std::FILE *f) const { std::fclose(f); }
	};
	std::mutex mutex_;
	std::unique_ptr<std::FILE, closed> file_;
	std::string npu_;
};

} // namespace atom::inprocess
