// SPDX-License-Identifier: MIT
/**
 * @file initiation.hpp
 * @brief How waits start. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_INITIATION_HPP
#define ATOM_ASIO_INITIATION_HPP

#include <memory>
#include <system_error>
#include <utility>

#include <boost/asio/version.hpp>
#if BOOST_ASIO_VERSION >= 102000
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif

#include "atom/asio/waits.hpp"
#include "atom/queue.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

using wait_signature = void(boost::system::error_code, completion);

/** What all initiations share: an operation from a handler, and its cancellation. */
template <class Executor>
class initiation {
public:
	using executor_type = Executor;

	explicit initiation(std::shared_ptr<fence_waits<Executor>> waits) : waits_(std::move(waits))
	{
	}
	[[nodiscard]] executor_type get_executor() const noexcept { return waits_->executor(); }

protected:
	/** Until it has been started. */
	struct destroyer {
		void operator()(wait_operation *op) const noexcept { op->destroy(); }
	};
	using operation = std::unique_ptr<wait_operation, destroyer>;

	/**
	 * Calls the handler when the fence that @p begin returns is ready, or with the error that
	 * it sets. @p total: nothing has happened if the wait is cancelled.
	 */
	template <class Handler, class Begin>
	void run(Handler &&handler, bool total, const Begin &begin) const
	{
		std::weak_ptr<fence_waits<Executor>> waits(waits_);
#if BOOST_ASIO_VERSION >= 102000
		auto slot = boost::asio::get_associated_cancellation_slot(handler);
#endif
		// Memory first: a job that was submitted must not be forgotten.
		operation op(wait_for<std::decay_t<Handler>, Executor>::make(
			std::forward<Handler>(handler), waits_->executor()));
		op->what = begin(op->error);
		if (op->error || !op->what) {
			operation_list ended;
			ended.push(*op.release());
			return;
		}
		const wait_key key = waits_->new_key(op->what);
		op->id = key.id;
#if BOOST_ASIO_VERSION >= 102000
		if (slot.is_connected())
			slot.assign([waits = std::move(waits), key,
			             total](boost::asio::cancellation_type type) {
				using boost::asio::cancellation_type;
				auto wanted =
					cancellation_type::terminal | cancellation_type::partial;
				if (total)
					wanted = wanted | cancellation_type::total;
				const auto alive = waits.lock();
				if (alive && (type & wanted) != cancellation_type::none)
					alive->cancel(key);
			});
#else
		static_cast<void>(total);
#endif
		waits_->start(*op);
		op.release();
	}

private:
	std::shared_ptr<fence_waits<Executor>> waits_;
};

template <class Executor>
class initiate_wait : public initiation<Executor> {
public:
	using initiation<Executor>::initiation;

	template <class Handler>
	void operator()(Handler &&handler, const fence &what) const
	{
		this->run(std::forward<Handler>(handler), true, [&](std::error_code &ec) {
			if (!what)
				ec = errc::invalid_argument;
			return what;
		});
	}
};

template <class Executor>
class initiate_submit : public initiation<Executor> {
public:
	using initiation<Executor>::initiation;

	template <class Handler>
	void operator()(Handler &&handler, queue *to, span<const submission> jobs) const
	{
		this->run(std::forward<Handler>(handler), false,
		          [&](std::error_code &ec) { return to->submit(jobs, ec); });
	}
	template <class Handler>
	void operator()(Handler &&handler, queue *to, const submission &job) const
	{
		(*this)(std::forward<Handler>(handler), to, span<const submission>(&job, 1));
	}
};

template <class Executor>
class initiate_drain : public initiation<Executor> {
public:
	using initiation<Executor>::initiation;

	template <class Handler>
	void operator()(Handler &&handler, const queue *of) const
	{
		this->run(std::forward<Handler>(handler), true,
		          [&](std::error_code &ec) { return of->last(ec); });
	}
};

} // namespace detail
} // namespace v1
} // namespace atom

#endif
