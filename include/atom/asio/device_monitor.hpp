// SPDX-License-Identifier: MIT
/**
 * @file device_monitor.hpp
 * @brief Devices that come and go, on an event loop. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_DEVICE_MONITOR_HPP
#define ATOM_ASIO_DEVICE_MONITOR_HPP

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/compose.hpp>

#include "atom/asio/news.hpp"
#include "atom/device_monitor.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

inline std::optional<device_change> take_change(device_monitor &from, std::error_code &ec)
{
	return from.next(ec);
}

} // namespace detail

/**
 * A device_monitor on an event loop. Moves, does not copy; not thread-safe. The end of it cancels
 * what waits.
 */
template <class Executor = boost::asio::any_io_executor>
class basic_async_device_monitor : public detail::async_news<Executor, device_monitor> {
public:
	/** The type with another executor. */
	template <class Other>
	struct rebind_executor {
		using other = basic_async_device_monitor<Other>; ///< that type
	};

	/** @throws system_error as device_monitor(), boost::system::system_error */
	explicit basic_async_device_monitor(const Executor &executor, device_monitor source = {})
		: detail::async_news<Executor, device_monitor>(executor, std::move(source))
	{
	}
	/** On the executor of @p context. */
	template <class Context, class = std::enable_if_t<std::is_convertible_v<
					 Context &, boost::asio::execution_context &>>>
	explicit basic_async_device_monitor(Context &context, device_monitor source = {})
		: basic_async_device_monitor(Executor(context.get_executor()), std::move(source))
	{
	}

	/** As device_monitor::devices(). */
	[[nodiscard]] const std::vector<device_node> &devices() const
	{
		return this->state()->source.devices();
	}
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
		detail::next_news<Executor, device_monitor, device_change, &detail::take_change>(
			of.state()),
		token, of.state()->descriptor);
}

} // namespace v1
} // namespace atom

#endif
