/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "file.h"
#include "options.h"

namespace atom::inprocess {

/** A machine with devices in it, its open files and what the CPU has mapped. Thread-safe. */
class machine {
public:
	explicit machine(const options &how);

	std::uint32_t devices() const { return how_.devices; }
	/** @throw std::runtime_error with a sentence @return fd or a negative errno value */
	int open(std::uint32_t number);
	void close(int fd);
	int ioctl(int fd, unsigned long request, void *argument);
	int mmap(int fd, std::size_t bytes, int protection, std::uint64_t offset, void *&address);
	void munmap(void *address);
	int read(int fd, void *to, std::size_t bytes);
	int inject(std::uint32_t number, const char *spec, std::string &error);

private:
	/** What an address is part of; the buffer goes before the device that it is in. */
	struct mapping {
		std::shared_ptr<inprocess::device> device;
		std::shared_ptr<void> memory;
	};

	std::shared_ptr<file> find(int fd) const;

	const options how_;
	const int process_; // which built it: a child has its memory, but not its threads

	std::mutex devices_mutex_; // protects powered_
	std::vector<std::weak_ptr<inprocess::device>> powered_;
	mutable std::shared_mutex files_mutex_; // protects files_
	std::unordered_map<int, std::shared_ptr<file>> files_;
	std::mutex mappings_mutex_; // protects mappings_
	std::multimap<void *, mapping> mappings_;
};

} // namespace atom::inprocess
