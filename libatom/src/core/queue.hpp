// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "atom/queue.hpp"
#include "core/argument_ring.hpp"
#include "core/completion_area.hpp"
#include "core/fence_source.hpp"
#include "kmd/kmd.hpp"

namespace atom::core {

/** A queue of the kernel. Thread-safe. */
class queue final : public fence_source {
public:
	queue(std::shared_ptr<core::context> ctx, const queue_options &options);
	~queue() override;
	queue(const queue &) = delete;
	queue &operator=(const queue &) = delete;

	/** Returns the sequence of the last job. Throws. */
	std::uint64_t submit(span<const submission> jobs);
	[[nodiscard]] kmd::queue_report state();
	[[nodiscard]] std::uint32_t id() const { return info_.id; }
	[[nodiscard]] std::uint32_t ring_entries() const { return info_.ring_entries; }
	/** Sequence of the last job submitted. */
	[[nodiscard]] std::uint64_t submitted() const { return sequence_; }

	/** Ends the kernel's queue; fences go on to answer from what was known then. */
	void close() noexcept;

	/** As atom::queue::reap(). Throws. */
	std::size_t take(span<completion> out);

	[[nodiscard]] bool known(std::uint64_t point) const noexcept override
	{
		return timeline_.known(point) || succeeded(point);
	}
	void note_reached(std::uint64_t point) noexcept override { timeline_.note_reached(point); }
	bool reached(std::uint64_t point) override;
	bool wait(std::uint64_t point, deadline until) override;
	completion outcome(std::uint64_t point) override;
	[[nodiscard]] std::uint32_t handle() const override { return timeline_.handle(); }
	[[nodiscard]] const std::shared_ptr<core::device> &dev() const override
	{
		return context_->dev();
	}
	void tell_news() noexcept override;

private:
	/** Jobs of one submit() and what they use until they are done. */
	struct flight {
		std::uint64_t last = 0;          ///< sequence of the last job
		std::uint64_t arguments_end = 0; ///< of the argument ring
		std::vector<std::shared_ptr<const void>> used;
	};

	void check_jobs(span<const submission> jobs) const;
	flight &next_flight();
	argument_ring::block reserve_arguments(std::uint64_t bytes);
	void build(span<const submission> jobs, argument_ring::block tables, flight &user);
	void wait_for_oldest();
	[[nodiscard]] bool succeeded(std::uint64_t point) const noexcept;
	void reap() noexcept;
	/** The part of submit() under its lock. Returns an errno value of the kernel. */
	int give(span<const submission> jobs, std::uint64_t table_bytes, std::uint64_t &last);
	[[noreturn]] void fail_submit(int error, span<const submission> jobs);
	[[nodiscard]] bool is_loss(const system_error &e);

	/** As device::say(), with the queue's name before it. */
	template <class F>
	void say(log_level level, F &&what) const noexcept
	{
		dev()->say(level, [&] { return description() + ": " + what(); });
	}
	[[nodiscard]] std::string description() const;

	std::shared_ptr<core::context> context_;
	syncobj timeline_; // point n = job n; what it knows is the kernel's word, whatever the area
	                   // says
	kmd::new_queue info_;
	std::string name_; ///< for people
	void *area_address_ = nullptr;
	completion_area area_;
	std::atomic<std::uint64_t> sequence_{0};

	std::mutex submit_mutex_; // protects what follows
	kmd::batch batch_;
	argument_ring arguments_;
	/** Memory that the ring has outgrown, and the last job that may use it. */
	std::vector<std::pair<std::uint64_t, std::shared_ptr<bo>>> outgrown_;
	std::vector<flight> flights_; // ring
	std::size_t first_flight_ = 0;
	std::size_t flight_count_ = 0;

	std::mutex take_mutex_;   // protects what follows; outside of state_mutex_
	std::uint64_t taken_ = 0; // sequence of the last job that take() has told of

	std::mutex state_mutex_; // protects what follows; inside submit_mutex_
	bool closed_ = false;
	kmd::queue_report final_state_;
	kmd::queue_report told_state_; ///< as the log knows it

	std::atomic<bool> news_{false}; // final_state_ may tell more than told_state_
};

} // namespace atom::core
