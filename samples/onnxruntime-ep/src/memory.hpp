// SPDX-License-Identifier: MIT
// Device memory for tensors of ONNX Runtime.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "atom/buffer.hpp"
#include "job.hpp"

namespace atom_ort {

struct opened;

/** A piece of device memory with the jobs that may still use it, after which others get it. Thread-safe. */
class block {
public:
	/** @throws atom::system_error */
	block(std::shared_ptr<opened> of, std::size_t bytes);
	~block();
	block(const block &) = delete;
	block &operator=(const block &) = delete;

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

private:
	std::shared_ptr<opened> of_;
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

/** Memory by address: what ONNX Runtime sees is the CPU's mapping. Thread-safe. */
class device_memory {
public:
	/** Makes an address of it, which it has until forget(). */
	void *publish(block_ptr b);
	void forget(void *address);
	[[nodiscard]] std::optional<place> find(const void *address);

private:
	std::mutex mutex_;
	std::map<std::uintptr_t, block_ptr> published_;
};

} // namespace atom_ort
