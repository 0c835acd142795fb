// SPDX-License-Identifier: MIT
/**
 * @file waits.hpp
 * @brief The waits of an async_notifier. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_WAITS_HPP
#define ATOM_ASIO_WAITS_HPP

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <system_error>
#include <type_traits>

#include <fcntl.h>

#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>

#include "atom/asio/operation.hpp"
#include "atom/notifier.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

/** A file of its own for a reactor, which closes what it is given. Throws. */
inline int duplicate(int fd)
{
	const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		throw std::system_error(errno, std::system_category(), "dup of an event's file");
	return copy;
}

/** Something that holds handlers and must let go of them when its execution context ends. */
class handler_holder : public boost::intrusive::list_base_hook<> {
public:
	handler_holder(const handler_holder &) = delete;
	handler_holder &operator=(const handler_holder &) = delete;

	/** Moves all operations to @p all. */
	virtual void abandon(operation_list &all) noexcept = 0;

protected:
	handler_holder() = default;
	~handler_holder() = default;
};

/**
 * The holders of an execution context. A handler may own what holds it, as a coroutine does that
 * waits on a notifier of its own; the end of the context breaks that circle.
 */
class holder_service final : public boost::asio::execution_context::service {
public:
	inline static boost::asio::execution_context::id id;

	explicit holder_service(boost::asio::execution_context &owner)
		: boost::asio::execution_context::service(owner)
	{
	}

	void add(handler_holder &one)
	{
		const std::lock_guard<std::mutex> lock(mutex_);
		holders_.push_back(one);
	}
	void remove(handler_holder &one) noexcept
	{
		const std::lock_guard<std::mutex> lock(mutex_);
		holders_.erase(holders_.iterator_to(one));
	}

private:
	void shutdown() override
	{
		operation_list all;
		{
			const std::lock_guard<std::mutex> lock(mutex_);
			for (handler_holder &one : holders_)
				one.abandon(all);
		}
		all.destroy_all(); // may end holders
	}

	std::mutex mutex_; // protects holders_; outside of that of a holder
	boost::intrusive::list<handler_holder> holders_;
};

/**
 * Waits for fences, and the one file of a reactor that ends them. Of each timeline only the next
 * point is watched by the kernel. Thread-safe.
 */
template <class Executor>
class fence_waits final : public handler_holder,
			  public std::enable_shared_from_this<fence_waits<Executor>> {
public:
	fence_waits(const Executor &executor, const device &dev)
		: notifier_(dev), descriptor_(executor, duplicate(notifier_.fd())),
		  service_(boost::asio::use_service<holder_service>(descriptor_context(executor)))
	{
		service_.add(*this);
	}
	~fence_waits() { service_.remove(*this); }

	[[nodiscard]] Executor executor() { return descriptor_.get_executor(); }

	/** A key for start(). */
	wait_key new_key(const fence &what) noexcept
	{
		const std::lock_guard<std::mutex> lock(mutex_);
		return {what.id(), what.point(), ++last_id_};
	}

	/** Takes @p op, whose fence and id are set; if it throws, the caller keeps it. */
	void start(wait_operation &op)
	{
		operation_list ended;
		const std::lock_guard<std::mutex> lock(mutex_);
		const iterator place = operations_.insert(operations_.end(), op);
		const bool next =
			place == operations_.begin() || std::prev(place)->what.id() != op.what.id();
		if (next && !watch(op)) {
			move(place, ended);
			return;
		}
		try {
			if (!armed_)
				arm();
		} catch (...) {
			operations_.erase(place);
			throw;
		}
	}

	/** Ends one wait, if it goes on. */
	void cancel(const wait_key &key)
	{
		const auto one = [&](operation_list &ended) {
			const auto place = operations_.find(key);
			if (place != operations_.end())
				move(place, ended);
		};
		cancel_those(one);
	}
	/** Ends the waits for @p what. */
	void cancel(const fence &what)
	{
		cancel_those([&](operation_list &ended) {
			auto place = operations_.lower_bound(wait_key{what.id(), what.point(), 0});
			while (place != operations_.end() && place->what.id() == what.id() &&
			       place->what.point() == what.point())
				place = move(place, ended);
		});
	}
	void cancel_all()
	{
		cancel_those([this](operation_list &ended) { move_all(ended); });
	}
	/** cancel_all(), and no more wake-ups. */
	void close()
	{
		cancel_all();
		const std::lock_guard<std::mutex> lock(mutex_);
		boost::system::error_code ignored;
		descriptor_.close(ignored);
	}

	void abandon(operation_list &all) noexcept override
	{
		const std::lock_guard<std::mutex> lock(mutex_);
		move_all(all);
	}

private:
	using iterator = operation_set::iterator;

	/** The reactor's call. */
	struct on_readable {
		std::shared_ptr<fence_waits> waits;
		void operator()(const boost::system::error_code &ec) const { waits->wake(ec); }
	};

	static boost::asio::execution_context &descriptor_context(const Executor &executor)
	{
		return boost::asio::query(executor, boost::asio::execution::context);
	}

	void arm()
	{
		descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
		                       on_readable{this->shared_from_this()});
		armed_ = true;
	}

	iterator move(iterator place, operation_list &to) noexcept
	{
		wait_operation &op = *place;
		const iterator next = operations_.erase(place);
		to.push(op);
		return next;
	}
	void move_all(operation_list &to) noexcept
	{
		for (iterator place = operations_.begin(); place != operations_.end();)
			place = move(place, to);
	}

	template <class Move>
	void cancel_those(const Move &move_those)
	{
		operation_list ended;
		{
			const std::lock_guard<std::mutex> lock(mutex_);
			move_those(ended);
			// Else the loop would run for ever.
			if (operations_.empty() && armed_) {
				boost::system::error_code ignored;
				descriptor_.cancel(ignored);
			}
		}
		ended.cancel_all();
	}

	/**
	 * False if it ends now: its fence is ready, which takes no wake-up, or nobody can tell when
	 * it is; says so in the operation.
	 */
	bool watch(wait_operation &op) noexcept
	{
		return notifier_.watch_unless_ready(op.what, op.error);
	}

	static bool ended(wait_operation &op) noexcept
	{
		try {
			return op.what.ready();
		} catch (const std::system_error &e) {
			op.error = e.code();
			return true;
		}
	}

	void wake(const boost::system::error_code &ec)
	{
		operation_list done;
		{
			const std::lock_guard<std::mutex> lock(mutex_);
			armed_ = false;
			if (!ec)
				collect(done);
			else if (ec != boost::asio::error::operation_aborted)
				fail_all(ec, done);
			if (!operations_.empty())
				arm();
		}
		done.finish_all(call::from_loop);
	}

	/** In order of their points; at most one question to the kernel for each timeline. */
	void collect(operation_list &done)
	{
		notifier_
			.clear(); // before the fences are looked at: what comes later is told again
		for (iterator place = operations_.begin(); place != operations_.end();) {
			if (ended(*place) || !watch(*place))
				place = move(place, done);
			else
				place = operations_.lower_bound(
					wait_key{place->what.id(), latest, latest});
		}
	}

	void fail_all(const boost::system::error_code &ec, operation_list &done)
	{
		for (wait_operation &op : operations_)
			op.error = std::error_code(ec.value(), std::system_category());
		move_all(done);
	}

	static constexpr std::uint64_t latest = std::numeric_limits<std::uint64_t>::max();

	std::mutex mutex_; // protects all but service_
	notifier notifier_;
	boost::asio::posix::basic_stream_descriptor<Executor> descriptor_;
	holder_service &service_;
	operation_set operations_;
	std::uint64_t last_id_ = 0;
	bool armed_ = false; // on_readable will be called
};

} // namespace detail
} // namespace v1
} // namespace atom

#endif
