// SPDX-License-Identifier: MIT
/**
 * @file queue.hpp
 * @brief Giving jobs to the device.
 */
#ifndef ATOM_QUEUE_HPP
#define ATOM_QUEUE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "atom/command.hpp"
#include "atom/fence.hpp"

namespace atom {
namespace core {
class queue;
} // namespace core

inline namespace v1 {

/** How a queue is made. What is left as it is here the context_options say. */
struct queue_options {
	atom::priority priority = atom::priority::of_context; ///< fixed for all its life
	/** Time without progress after which a job is given up, at most
	 * device_info::job_timeout_max. */
	std::chrono::milliseconds job_timeout{0};
	std::string name{}; ///< for debugging, at most 15 bytes of printable ASCII
};

/** What a queue has been through. */
struct queue_state {
	bool faulted = false;         ///< a job faulted
	bool timed_out = false;       ///< a job made no progress in time
	bool innocent = false;        ///< lost jobs to a reset that another queue caused
	bool banned = false;          ///< takes no more jobs: make a new queue
	bool device_lost = false;     ///< the device is gone or dead
	std::uint32_t generation = 0; ///< resets that hit the queue
	int error = 0;                ///< errno of the first failed job, or 0
	std::uint64_t submitted = 0;  ///< sequence of the last job submitted
	/** Sequence of the last job retired, as the driver knows: fences may tell of later ones. */
	std::uint64_t completed = 0;
	std::uint64_t first_failed = 0; ///< sequence of the first failed job, or 0
	atom::fault fault;              ///< of that job
	std::uint64_t busy_ns = 0;      ///< wall time that the device worked for the queue
	/** Sequence of the last job that a reset of the device took, or 0. While first_failed
	 * is not beyond it, the jobs from there to here are lost, and those behind are not.
	 */
	std::uint64_t last_lost = 0;
};

/**
 * Buffers for the slots of a command buffer: element n - 1 is for slot n. A plain value;
 * not thread-safe while it is changed.
 */
class args {
public:
	args() = default;
	/** Views of the slots 1, 2, ..; an empty view leaves its slot empty. */
	args(std::initializer_list<buffer_view> views) : views_(views) {}

	/** Sets slot @p where, which is 1 or more; slots between stay empty. */
	args &set(slot where, buffer_view view)
	{
		if (where.number > views_.size())
			views_.resize(where.number);
		if (where.number != 0)
			views_[where.number - 1U] = std::move(view);
		return *this;
	}
	/** What was set, the first for slot 1. */
	[[nodiscard]] span<const buffer_view> views() const noexcept
	{
		return {views_.data(), views_.size()};
	}
	/** As views(). */
	operator span<const buffer_view>() const noexcept { return views(); }

private:
	std::vector<buffer_view> views_;
};

/**
 * One job. It refers to what it was made from, which must live until submit() returns;
 * the buffers are then kept alive by the queue until the job is done.
 */
struct submission {
	/** Null: no operation, only waits and signals. */
	const command_buffer *commands = nullptr;
	/** Buffers of the slots. */
	span<const buffer_view> arguments;
	/** The job starts after these; each must have been given to a job, or be signalled, before.
	 */
	span<const fence> waits;
	/** Points of timelines that the job signals when it is done, also when it fails. */
	span<const fence> signals;
	/** Told in the completion. */
	std::uint64_t cookie = 0;

	submission() = default;
	/** Runs @p c with the arguments @p a. */
	submission(const command_buffer &c,
	           span<const buffer_view> a = {}) // NOLINT(google-explicit-constructor)
		: commands(&c), arguments(a)
	{
	}
};

/**
 * A queue of jobs, which run in the order of their submission. Moves, does not copy.
 *
 * All of it but moving is thread-safe. The destructor does not wait:
 * jobs that are not done are aborted and their fences become ready with errc::canceled.
 */
class ATOM_API queue {
public:
	/** An empty queue. */
	queue() noexcept;
	/**
	 * @throws system_error limit_reached (no queue left), permission_denied (priority),
	 *         invalid_argument (name, time-out), out_of_host_memory, device_lost
	 */
	explicit queue(const context &ctx, const queue_options &options = {});
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static queue create(const context &ctx, const queue_options &options,
	                                  std::error_code &ec) noexcept;
	/** Takes what the other has, which is empty afterwards. */
	queue(queue &&other) noexcept;
	/** Lets go of what it had, and takes what the other has. */
	queue &operator=(queue &&other) noexcept;
	~queue();

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

	/**
	 * Gives jobs to the device: all or none, by one system call for up to
	 * device_info::submit_jobs_max. Waits in the kernel while the queue is full, never
	 * for the jobs themselves. Allocates no memory once the queue has warmed up.
	 *
	 * @return the fence of the last job; the one before it has the next lower point
	 * @throws system_error invalid_argument, out_of_range (an argument is smaller than its
	 *         tensors), wrong_context, too_large, queue_banned, device_lost, forked_child
	 */
	fence submit(span<const submission> jobs);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	fence submit(span<const submission> jobs, std::error_code &ec) noexcept;
	/** One job. */
	fence submit(const submission &job) { return submit(span<const submission>(&job, 1)); }
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	fence submit(const submission &job, std::error_code &ec) noexcept
	{
		return submit(span<const submission>(&job, 1), ec);
	}

	/**
	 * submit() and fence::wait(). If the deadline passes, the job goes on.
	 * @throws as both
	 */
	completion run(const submission &job, deadline until = no_deadline);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	completion run(const submission &job, deadline until, std::error_code &ec) noexcept;

	/**
	 * Fence of job @p sequence, one of those submitted. The kernel signals a submission
	 * as a whole: a wait for a job in its middle may last until its last job is done,
	 * while ready() tells success at once. @throws invalid_argument
	 */
	[[nodiscard]] fence fence_of(std::uint64_t sequence) const;

	/** Fence of the last job submitted; empty if there was none. */
	[[nodiscard]] fence last() const;
	/** The same; empty too if @p ec is set. */
	[[nodiscard]] fence last(std::error_code &ec) const noexcept;

	/**
	 * A fence that, once ready, tells that submit() would take @p jobs more without waiting, as
	 * far as no other thread submits; empty if that is so now. For programs that must not
	 * block: wait for it first. No system call. @throws too_large: more than ring_entries()
	 */
	[[nodiscard]] fence room_for(std::uint32_t jobs) const;

	/**
	 * Takes the completions of jobs that are done, in order, each once; jobs that failed are
	 * among them. No system call as long as there is one to take. Does not block.
	 *
	 * Those who take later than device_info::ring_entries jobs find completions without times
	 * and cookie. wait(), status() and the like do not take anything away.
	 *
	 * @return how many were written to @p out; fewer than it holds: no more are done
	 */
	std::size_t reap(span<completion> out);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	std::size_t reap(span<completion> out, std::error_code &ec) noexcept;

	/** What became of the queue, also after the device is lost. One system call. */
	[[nodiscard]] queue_state state() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] queue_state state(std::error_code &ec) const noexcept;

	/** What device_event::queue_id calls it: not 0, and no other queue of its open device has
	 * it. */
	[[nodiscard]] std::uint32_t id() const;

	/** Slots of its ring: jobs that wait or run before submit() waits. */
	[[nodiscard]] std::uint32_t ring_entries() const;

private:
	friend struct core::access;
	std::shared_ptr<core::queue> impl_;
};

} // namespace v1
} // namespace atom

#endif
