// SPDX-License-Identifier: MIT
#pragma once

#include <deque>

#include "api.hpp"
#include "atom/queue.hpp"
#include "npu.hpp"

namespace atom_ort {

/**
 * Work in order: a queue of the device with scratch memory that its jobs have one after the other.
 * A queue that is banned after a failure is replaced, once the failure has been told. One thread at a
 * time.
 */
class stream {
public:
	explicit stream(std::shared_ptr<opened> on);

	/**
	 * Submits @p commands behind all that uses what they read and write on other streams.
	 * @throws atom::system_error also if an earlier job of the stream failed untold
	 */
	job_ptr submit(const atom::command_buffer &commands, const atom::args &arguments,
	               const std::vector<block_ptr> &read, const std::vector<block_ptr> &written,
	               explainer what);
	/** Waits for all; @throws atom::system_error for a failure that nobody was told */
	void wait();
	/** The next job waits for @p other. */
	void wait_for(job_ptr other);
	[[nodiscard]] const job_ptr &last() const { return last_; }
	/** @p bytes of memory for the next job to work in. */
	[[nodiscard]] atom::buffer_view scratch(std::uint64_t bytes);
	[[nodiscard]] const std::shared_ptr<opened> &device() const { return opened_; }

private:
	void count_done();
	atom::fence submit_once(const atom::submission &work);

	std::shared_ptr<opened> opened_;
	atom::queue queue_;
	atom::buffer scratch_;
	job_ptr last_;
	std::vector<job_ptr> others_;
	std::deque<job_ptr> under_way_;
};

/** The same, as ONNX Runtime knows it. */
class sync_stream : public OrtSyncStreamImpl {
public:
	explicit sync_stream(std::shared_ptr<opened> on);

	[[nodiscard]] stream &work() { return stream_; }
	static sync_stream &self(OrtSyncStreamImpl *s) { return *static_cast<sync_stream *>(s); }

private:
	stream stream_;
};

} // namespace atom_ort
