/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <drm/atom_accel.h>

#include "bo.h"
#include "device.h"
#include "page_tables.h"

namespace atom::inprocess {

class queue;

inline constexpr std::uint64_t va_start = large_page_bytes;
inline constexpr std::uint64_t va_end = 1ull << 48;

/** An operation of VM_BIND, checked; without a buffer it unmaps. */
struct bind_op {
	std::uint64_t va;
	std::uint64_t bytes;
	std::shared_ptr<inprocess::bo> bo;
	std::uint64_t offset;
	bool read_only;
};

/** An address space. Thread-safe. */
class vm {
public:
	/** @throw std::bad_alloc */
	explicit vm(device &dev);
	/** destroy() must have been called. */
	~vm();
	vm(const vm &) = delete;
	vm &operator=(const vm &) = delete;

	/** Tells the device of it. @return 0, -ENOSPC or -EIO */
	int start();
	/** Kills its queues and unmaps all. */
	void destroy();

	std::uint32_t asid() const { return asid_; }
	/** Does all or nothing; when it returns no job reaches what was unmapped. 0 or -ENOENT. */
	int bind(const std::vector<bind_op> &ops);
	/** Starts a queue of it, which is killed with it. @return what start() does, or -ENOENT */
	int start(const std::shared_ptr<queue> &q, std::uint32_t priority);

private:
	struct piece {
		std::uint64_t end;
		std::shared_ptr<inprocess::bo> bo;
	};

	void carve(std::uint64_t va, std::uint64_t end, std::vector<std::shared_ptr<inprocess::bo>> &dropped);
	void flush(std::uint64_t va, std::uint64_t end);

	device &device_;
	std::uint32_t asid_ = 0;
	std::mutex mutex_; // protects what follows
	page_tables tables_;
	std::map<std::uint64_t, piece> pieces_; // what keeps the buffers, by address
	std::vector<std::weak_ptr<queue>> queues_;
	bool destroyed_ = false;
};

} // namespace atom::inprocess
