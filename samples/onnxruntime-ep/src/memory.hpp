// SPDX-License-Identifier: MIT
// Device memory for tensors of ONNX Runtime.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "atom/buffer.hpp"
#include "job.hpp"

namespace atom_ort {

/** A piece of device memory with the jobs that may still use it. Thread-safe. */
class block {
public:
	block(const atom::context &ctx, std::size_t bytes);

	[[nodiscard]] const atom::buffer &buffer() const { return buffer_; }
	[[nodiscard]] std::byte *data() const { return bytes_.data(); }
	[[nodiscard]] std::size_t size() const { return bytes_.size(); }

	void used_by(const job_ptr &user, bool writes);
	/** Jobs that are under way. */
	[[nodiscard]] std::vector<job_ptr> users();
	/** Waits for those that write it. @throws atom::system_error if one failed: what lies here is wrong */
	void wait();
	/** Waits for them; whether they failed does not matter to who writes all of it anew. */
	void wait_until_free();
	/** Forgets jobs, that are done. False: some are not. */
	bool forget_users();

private:
	atom::buffer buffer_;
	atom::mapping bytes_;
	struct use {
		job_ptr by;
		bool writes;
	};
	std::mutex mutex_;
	std::vector<use> users_; // the last of each stream
};

using block_ptr = std::shared_ptr<block>;

/** A place in a block. */
struct place {
	block_ptr where;
	std::size_t offset = 0;

	[[nodiscard]] atom::buffer_view view(std::size_t bytes) const
	{
		return where->buffer().slice(offset, bytes);
	}
};

/**
 * Memory by address: what ONNX Runtime sees is the CPU's mapping. What is given back is kept for the next tensor,
 * as soon as no job uses it. Thread-safe.
 */
class device_memory {
public:
	/** @throws atom::system_error */
	block_ptr allocate(const atom::context &ctx, std::size_t bytes);
	/** Keeps a block for others. */
	void recycle(block_ptr free);

	/** Makes an address of it, which it has until forget(). */
	void *publish(block_ptr b);
	block_ptr forget(void *address);
	[[nodiscard]] std::optional<place> find(const void *address);

	/** Drops what is kept, for instance because the device was lost. */
	void drop();

private:
	block_ptr take(std::size_t bytes);

	std::mutex mutex_;
	std::map<std::uintptr_t, block_ptr> published_;
	std::list<block_ptr> free_; // the one given back last comes first
	std::size_t free_bytes_ = 0;
};

} // namespace atom_ort
