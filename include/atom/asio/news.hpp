// SPDX-License-Identifier: MIT
/**
 * @file news.hpp
 * @brief What has a file and tells one thing after the other, on an event loop. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_NEWS_HPP
#define ATOM_ASIO_NEWS_HPP

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/compose.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/version.hpp>

#include "atom/asio/error.hpp"
#include "atom/asio/waits.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

/** What a source and its waits share: a wait may be the last to hold it. */
template <class Executor, class Source>
struct news_state {
	news_state(const Executor &executor, Source &&from)
		: source(std::move(from)), descriptor(executor, duplicate(source.fd()))
	{
	}

	Source source;
	boost::asio::posix::basic_stream_descriptor<Executor> descriptor;
};

/** Waits until @p take, called with the source and an error_code, gives a News. */
template <class Executor, class Source, class News, auto take>
class next_news {
public:
	explicit next_news(std::shared_ptr<news_state<Executor, Source>> state)
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
		std::optional<News> news;
		// What has come is told after a wait only, so that the handler is never called
		// early.
		if (waited_ && !ec)
			news = take(state_->source, failure);
		if (ec || failure || news)
			return self.complete(ec ? ec : to_boost(failure),
			                     news ? std::move(*news) : News());
		waited_ = true;
		auto &descriptor = state_->descriptor;
		descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
		                      std::move(self));
	}

private:
	std::shared_ptr<news_state<Executor, Source>> state_;
	bool waited_ = false;
};

/** A source on an event loop. Moves, does not copy; the end of it cancels what waits. */
template <class Executor, class Source>
class async_news {
public:
	/** Of handlers that have none of their own. */
	using executor_type = Executor;

	/** Moves its waits along. */
	async_news(async_news &&) noexcept = default;
	/** Cancels its own waits. */
	async_news &operator=(async_news &&other) noexcept
	{
		const async_news old(std::move(*this));
		state_ = std::move(other.state_);
		return *this;
	}
	~async_news()
	{
		if (state_)
			cancel();
	}

	/** The one that it was made with. */
	[[nodiscard]] executor_type get_executor() const noexcept
	{
		return state_->descriptor.get_executor();
	}
	/** Cancels all waits. */
	void cancel()
	{
		boost::system::error_code ignored;
		state_->descriptor.cancel(ignored);
	}

	/** For async_next_event(). */
	[[nodiscard]] const std::shared_ptr<news_state<Executor, Source>> &state() const noexcept
	{
		return state_;
	}

protected:
	async_news(const Executor &executor, Source source)
		: state_(std::make_shared<news_state<Executor, Source>>(executor,
	                                                                std::move(source)))
	{
	}

private:
	std::shared_ptr<news_state<Executor, Source>> state_;
};

} // namespace detail
} // namespace v1
} // namespace atom

#endif
