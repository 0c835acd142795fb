// SPDX-License-Identifier: MIT
/**
 * @file asio.hpp
 * @brief Jobs, fences and devices for programs on Boost.Asio (1.74 or newer). Header-only.
 *
 * Not part of atom.hpp. The library itself knows nothing of Boost, so that any version and any
 * standard from C++17 on will do. Link Atom::asio (CMake), or -latom and Boost's headers.
 *
 * @code
 * boost::asio::io_context loop;
 * atom::async_notifier news(loop, context.device());
 * // in a coroutine:
 * const atom::args io{in, out};
 * atom::completion done = co_await atom::async_submit(news, queue, {relu, io},
 *                                                     boost::asio::use_awaitable);
 * @endcode
 *
 * What holds for all functions here:
 * - They take any completion token: a callback, use_future, use_awaitable, deferred...
 * - The handler is called once, never before the function returns, through its associated executor,
 *   else through that of the notifier or monitor. Memory comes from its associated allocator.
 * - An error is libatom's (compare with atom::errc) or operation_aborted, after cancellation.
 *   Who uses a coroutine or a future gets it as boost::system::system_error.
 * - Cancellation ends the waiting, never a job: that goes on to its end. It comes from the
 *   handler's cancellation slot (Boost 1.77 or newer), from cancel(), and from the end of the
 *   notifier or monitor.
 * - One wake-up ends all waits that have come to their end. Without waits nothing keeps the loop
 *   running.
 */
#ifndef ATOM_ASIO_HPP
#define ATOM_ASIO_HPP

#include <memory>
#include <system_error>
#include <type_traits>
#include <utility> // before Asio, of which 1.74 forgets it

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include "atom/asio/device_events.hpp"
#include "atom/asio/device_monitor.hpp"
#include "atom/asio/initiation.hpp"
#include "atom/asio/waits.hpp"
#include "atom/queue.hpp"

namespace atom {
inline namespace v1 {

/**
 * Waits for fences on an event loop: a notifier whose file is in the reactor. One will do for any
 * number of queues, timelines and devices. Moves, does not copy.
 *
 * Thread-safe, all of it but moving. The end of it cancels what waits.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_async_notifier {
public:
	/** Of handlers that have none of their own. */
	using executor_type = Executor;
	/** The type with another executor, as for use_awaitable_t<>::as_default_on_t. */
	template <class Other>
	struct rebind_executor {
		using other = basic_async_notifier<Other>; ///< that type
	};

	/** @throws system_error as notifier(), boost::system::system_error */
	basic_async_notifier(const Executor &executor, const device &dev)
		: waits_(std::make_shared<detail::fence_waits<Executor>>(executor, dev))
	{
	}
	/** On the executor of @p context. */
	template <class Context, class = std::enable_if_t<std::is_convertible_v<
					 Context &, boost::asio::execution_context &>>>
	basic_async_notifier(Context &context, const device &dev)
		: basic_async_notifier(Executor(context.get_executor()), dev)
	{
	}
	/** Moves its waits along. */
	basic_async_notifier(basic_async_notifier &&) noexcept = default;
	/** Cancels its own waits. */
	basic_async_notifier &operator=(basic_async_notifier &&other) noexcept
	{
		const basic_async_notifier old(std::move(*this));
		waits_ = std::move(other.waits_);
		return *this;
	}
	~basic_async_notifier()
	{
		if (waits_)
			waits_->close();
	}

	/** The one that it was made with. */
	[[nodiscard]] executor_type get_executor() const noexcept { return waits_->executor(); }

	/** Cancels all waits. */
	void cancel() { waits_->cancel_all(); }
	/** Cancels the waits for @p what. */
	void cancel(const fence &what) { waits_->cancel(what); }

	/** For the functions below. */
	[[nodiscard]] const std::shared_ptr<detail::fence_waits<Executor>> &waits() const noexcept
	{
		return waits_;
	}

private:
	std::shared_ptr<detail::fence_waits<Executor>> waits_;
};

/** On any executor. */
using async_notifier = basic_async_notifier<>;

/**
 * Waits until @p what is ready. Signature: void(error_code, completion).
 *
 * The error is that of the job (job_fault, canceled, ...), whose completion says more; or
 * device_lost, invalid_argument (the fence is empty). Cancellation: terminal, partial, total.
 */
template <class Executor,
          class Token = typename boost::asio::default_completion_token<Executor>::type>
auto async_wait(const basic_async_notifier<Executor> &news, const fence &what,
                Token &&token = typename boost::asio::default_completion_token<Executor>::type())
{
	return boost::asio::async_initiate<Token, detail::wait_signature>(
		detail::initiate_wait<Executor>(news.waits()), token, what);
}

/**
 * Gives jobs to the device, all or none, and waits until they are done.
 * Signature: void(error_code, completion), of the last job.
 *
 * The jobs are submitted when the operation starts, which is now, or for a lazy token (deferred,
 * use_awaitable) when it is asked for its result; what they refer to must live until then. As
 * queue::submit() it blocks while the queue is full.
 *
 * The error is as of queue::submit(), of which nothing was submitted then, or as of async_wait().
 * Cancellation: terminal, partial; the jobs go on.
 */
template <class Executor,
          class Token = typename boost::asio::default_completion_token<Executor>::type>
auto async_submit(const basic_async_notifier<Executor> &news, queue &to,
                  span<const submission> jobs,
                  Token &&token = typename boost::asio::default_completion_token<Executor>::type())
{
	return boost::asio::async_initiate<Token, detail::wait_signature>(
		detail::initiate_submit<Executor>(news.waits()), token, &to, jobs);
}

/** One job. */
template <class Executor,
          class Token = typename boost::asio::default_completion_token<Executor>::type>
auto async_submit(const basic_async_notifier<Executor> &news, queue &to, const submission &job,
                  Token &&token = typename boost::asio::default_completion_token<Executor>::type())
{
	return boost::asio::async_initiate<Token, detail::wait_signature>(
		detail::initiate_submit<Executor>(news.waits()), token, &to, job);
}

/**
 * Waits until all jobs are done that were submitted to @p of before. Signature: void(error_code,
 * completion), of the last of them, which tells if one before it failed; an empty completion if
 * there was none. As async_wait() else.
 */
template <class Executor,
          class Token = typename boost::asio::default_completion_token<Executor>::type>
auto async_drain(const basic_async_notifier<Executor> &news, const queue &of,
                 Token &&token = typename boost::asio::default_completion_token<Executor>::type())
{
	return boost::asio::async_initiate<Token, detail::wait_signature>(
		detail::initiate_drain<Executor>(news.waits()), token, &of);
}

} // namespace v1
} // namespace atom

#endif
