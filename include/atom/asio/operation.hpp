// SPDX-License-Identifier: MIT
/**
 * @file operation.hpp
 * @brief A wait for a fence and the handler that ends it. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_OPERATION_HPP
#define ATOM_ASIO_OPERATION_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>
#include <tuple>
#include <utility>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/intrusive/set.hpp>
#include <boost/intrusive/slist.hpp>

#include "atom/asio/error.hpp"
#include "atom/fence.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

/** Where an operation stands among others: by its timeline, point and age. */
struct wait_key {
	const void *source;
	std::uint64_t point;
	std::uint64_t id; ///< never twice in one set

	friend bool operator<(const wait_key &a, const wait_key &b) noexcept
	{
		if (a.source != b.source)
			return std::less<>()(a.source, b.source);
		return std::tie(a.point, a.id) < std::tie(b.point, b.id);
	}
};

/** How a handler is called. */
enum class call : std::uint8_t {
	from_loop, ///< by a thread that runs handlers: at once where its executor allows
	later,     ///< from wherever: never before this returns
};

/** A wait that has not ended. Owned by the set or list that it is in. */
class wait_operation : public boost::intrusive::set_base_hook<>,
		       public boost::intrusive::slist_base_hook<> {
public:
	wait_operation(const wait_operation &) = delete;
	wait_operation &operator=(const wait_operation &) = delete;

	[[nodiscard]] wait_key key() const noexcept { return {what.id(), what.point(), id}; }

	/** Frees the operation and calls the handler. */
	virtual void complete(const boost::system::error_code &ec, completion &&result,
	                      call how) = 0;
	/** Frees the operation; nobody will be called. */
	virtual void destroy() noexcept = 0;

	/** complete() with what became of the fence, or with the error that is set. */
	void finish(call how)
	{
		std::error_code ec = error;
		completion result;
		if (ec)
			result.error = ec;
		else if (what)
			result = what.wait(deadline(), ec);
		complete(to_boost(ec), std::move(result), how);
	}

	fence what;            ///< empty: ended from the start
	std::uint64_t id = 0;  ///< given by the set
	std::error_code error; ///< why there is no use in waiting

protected:
	wait_operation() = default;
	~wait_operation() = default;
};

struct key_of_operation {
	using type = wait_key;
	wait_key operator()(const wait_operation &op) const noexcept { return op.key(); }
};

using operation_set =
	boost::intrusive::set<wait_operation, boost::intrusive::key_of_value<key_of_operation>>;

/** Operations on their way to their handlers. */
class operation_list {
public:
	operation_list() = default;
	operation_list(const operation_list &) = delete;
	operation_list &operator=(const operation_list &) = delete;
	/** Of a handler that throws: the others must be called all the same. */
	~operation_list() { finish_all(call::later); }

	void push(wait_operation &op) noexcept { list_.push_back(op); }

	void finish_all(call how)
	{
		while (!list_.empty())
			pop().finish(how);
	}
	void cancel_all()
	{
		while (!list_.empty())
			pop().complete(boost::asio::error::operation_aborted, {}, call::later);
	}
	void destroy_all() noexcept
	{
		while (!list_.empty())
			pop().destroy();
	}

private:
	wait_operation &pop() noexcept
	{
		wait_operation &op = list_.front();
		list_.pop_front();
		return op;
	}

	boost::intrusive::slist<wait_operation, boost::intrusive::cache_last<true>> list_;
};

/** A handler with what it will be called with. */
template <class Handler>
struct bound_handler {
	using allocator_type = boost::asio::associated_allocator_t<Handler>;

	Handler handler;
	boost::system::error_code ec;
	completion result;

	[[nodiscard]] allocator_type get_allocator() const noexcept
	{
		return boost::asio::get_associated_allocator(handler);
	}
	void operator()() { std::move(handler)(ec, std::move(result)); }
};

/** @tparam Executor of the handler if it has none of its own */
template <class Handler, class Executor>
class wait_for final : public wait_operation {
public:
	/** In memory of the handler's allocator. Until it is in a set or list, the caller owns it.
	 */
	static wait_for *make(Handler &&handler, const Executor &executor)
	{
		allocator memory(boost::asio::get_associated_allocator(handler));
		wait_for *op = std::allocator_traits<allocator>::allocate(memory, 1);
		try {
			return new (op) wait_for(std::move(handler), executor);
		} catch (...) {
			std::allocator_traits<allocator>::deallocate(memory, op, 1);
			throw;
		}
	}

	void complete(const boost::system::error_code &ec, completion &&result, call how) override
	{
		// The memory is free before the handler runs, which may want it for the next wait.
		const work_guard work(std::move(work_));
		bound_handler<Handler> bound{std::move(handler_), ec, std::move(result)};
		free(bound.handler);
		if (how == call::later)
			boost::asio::post(work.get_executor(), std::move(bound));
		else
			boost::asio::dispatch(work.get_executor(), std::move(bound));
	}
	void destroy() noexcept override
	{
		const Handler last(std::move(handler_));
		free(last);
	}

private:
	using allocator = typename std::allocator_traits<
		boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<wait_for>;
	using work_guard = boost::asio::executor_work_guard<
		boost::asio::associated_executor_t<Handler, Executor>>;

	wait_for(Handler &&handler, const Executor &executor)
		: work_(boost::asio::get_associated_executor(handler, executor)),
		  handler_(std::move(handler))
	{
	}
	~wait_for() = default;

	void free(const Handler &handler) noexcept
	{
		allocator memory(boost::asio::get_associated_allocator(handler));
		this->~wait_for();
		std::allocator_traits<allocator>::deallocate(memory, this, 1);
	}

	work_guard work_; // keeps the handler's loop running until it is called
	Handler handler_;
};

} // namespace detail
} // namespace v1
} // namespace atom

#endif
