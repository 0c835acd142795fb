// SPDX-License-Identifier: MIT
/**
 * @file device_events.hpp
 * @brief What befalls an open device, on an event loop. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_DEVICE_EVENTS_HPP
#define ATOM_ASIO_DEVICE_EVENTS_HPP

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/compose.hpp>

#include "atom/asio/news.hpp"
#include "atom/device.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

inline std::optional<device_event> take_event(const device &from, std::error_code &ec)
{
	return from.next_event(ec);
}

} // namespace detail

/**
 * The events of an open device on an event loop. One for a device: its events are told once,
 * whoever asks. Moves, does not copy; not thread-safe. The end of it cancels what waits.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_async_device_events : public detail::async_news<Executor, device> {
public:
	/** The type with another executor. */
	template <class Other>
	struct rebind_executor {
		using other = basic_async_device_events<Other>; ///< that type
	};

	/** @throws system_error invalid_argument (empty), boost::system::system_error */
	basic_async_device_events(const Executor &executor, const device &of)
		: detail::async_news<Executor, device>(executor, of)
	{
	}
	/** On the executor of @p context. */
	template <class Context, class = std::enable_if_t<std::is_convertible_v<
					 Context &, boost::asio::execution_context &>>>
	basic_async_device_events(Context &context, const device &of)
		: basic_async_device_events(Executor(context.get_executor()), of)
	{
	}
};

/** On any executor. */
using async_device_events = basic_async_device_events<>;

/**
 * Waits for the next event of a device. Signature: void(error_code, device_event). Of several
 * waits each event ends one. The error is as of device::next_event(). A device that is lost tells
 * nothing: follow it with a device_monitor. Cancellation: terminal, partial, total; no event is
 * lost.
 */
template <class Executor,
          class Token = typename boost::asio::default_completion_token<Executor>::type>
auto async_next_event(
	const basic_async_device_events<Executor> &of,
	Token &&token = typename boost::asio::default_completion_token<Executor>::type())
{
	return boost::asio::async_compose<Token, void(boost::system::error_code, device_event)>(
		detail::next_news<Executor, device, device_event, &detail::take_event>(of.state()),
		token, of.state()->descriptor);
}

} // namespace v1
} // namespace atom

#endif
