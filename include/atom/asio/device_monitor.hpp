// SPDX-License-Identifier: MIT
/**
 * @file device_monitor.hpp
 * @brief Devices that come and go, on an event loop. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_DEVICE_MONITOR_HPP
#define ATOM_ASIO_DEVICE_MONITOR_HPP

#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/version.hpp>

#include "atom/asio/error.hpp"
#include "atom/asio/waits.hpp"
#include "atom/device_monitor.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

/** What a monitor and its waits share: a wait may be the last to hold it. */
template <class Executor>
struct monitor_state {
	monitor_state(const Executor &executor, device_monitor &&source)
		: monitor(std::move(source)), descriptor(executor, duplicate(monitor.fd()))
	{
	}

	device_monitor monitor;
	boost::asio::posix::basic_stream_descriptor<Executor> descriptor;
};

template <class Executor>
class next_change {
public:
	explicit next_change(std::shared_ptr<monitor_state<Executor>> state)
		: state_(std::move(state))
	{
	}

	template <class Self>
	void operator()(Self &self, const boost::system::error_code &ec = {})
	{
#if BOOST_ASIO_VERSION >= 102000
		if (!waited_)
			self.reset_cancellation_state(boost::asio::enable_total_cancellation());
#endif
		std::error_code failure;
		std::optional<device_change> change;
		// What has come is told after a wait only, so that the handler is never called
		// early.
		if (waited_ && !ec)
			change = state_->monitor.next(failure);
		if (ec || failure || change)
			return self.complete(ec ? ec : to_boost(failure),
			                     change ? std::move(*change) : device_change());
		waited_ = true;
		auto &descriptor = state_->descriptor;
		descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
		                      std::move(self));
	}

private:
	std::shared_ptr<monitor_state<Executor>> state_;
	bool waited_ = false;
};

} // namespace detail

/**
 * A device_monitor on an event loop. Moves, does not copy; not thread-safe. The end of it cancels
 * what waits.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_async_device_monitor {
public:
	/** Of handlers that have none of their own. */
	using executor_type = Executor;
	/** The type with another executor. */
	template <class Other>
	struct rebind_executor {
		using other = basic_async_device_monitor<Other>; ///< that type
	};

	/** @throws system_error as device_monitor(), boost::system::system_error */
	explicit basic_async_device_monitor(const Executor &executor, device_monitor source = {})
		: state_(std::make_shared<detail::monitor_state<Executor>>(executor,
	                                                                   std::move(source)))
	{
	}
	/** On the executor of @p context. */
	template <class Context, class = std::enable_if_t<std::is_convertible_v<
					 Context &, boost::asio::execution_context &>>>
	explicit basic_async_device_monitor(Context &context, device_monitor source = {})
		: basic_async_device_monitor(Executor(context.get_executor()), std::move(source))
	{
	}
	/** Moves its waits along. */
	basic_async_device_monitor(basic_async_device_monitor &&) noexcept = default;
	/** Cancels its own waits. */
	basic_async_device_monitor &operator=(basic_async_device_monitor &&other) noexcept
	{
		const basic_async_device_monitor old(std::move(*this));
		state_ = std::move(other.state_);
		return *this;
	}
	~basic_async_device_monitor()
	{
		if (state_)
			cancel();
	}

	/** The one that it was made with. */
	[[nodiscard]] executor_type get_executor() const noexcept
	{
		return state_->descriptor.get_executor();
	}
	/** As device_monitor::devices(). */
	[[nodiscard]] const std::vector<device_node> &devices() const
	{
		return state_->monitor.devices();
	}
	/** Cancels all waits. */
	void cancel()
	{
		boost::system::error_code ignored;
		state_->descriptor.cancel(ignored);
	}

	/** For async_next_event(). */
	[[nodiscard]] const std::shared_ptr<detail::monitor_state<Executor>> &state() const noexcept
	{
		return state_;
	}

private:
	std::shared_ptr<detail::monitor_state<Executor>> state_;
};

/** On any executor. */
using async_device_monitor = basic_async_device_monitor<>;

/**
 * Waits for the next change of a device. Signature: void(error_code, device_change). Of several
 * waits each change ends one. The error is as of device_monitor::next(). Cancellation: terminal,
 * partial, total; no change is lost.
 */
template <class Executor,
          class Token = typename boost::asio::default_completion_token<Executor>::type>
auto async_next_event(
	const basic_async_device_monitor<Executor> &of,
	Token &&token = typename boost::asio::default_completion_token<Executor>::type())
{
	return boost::asio::async_compose<Token, void(boost::system::error_code, device_change)>(
		detail::next_change<Executor>(of.state()), token, of.state()->descriptor);
}

} // namespace v1
} // namespace atom

#endif
