// SPDX-License-Identifier: MIT
#include "batcher.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace serve {
namespace {

using boost::asio::awaitable;
using boost::asio::steady_timer;
using boost::asio::use_awaitable;

constexpr auto never = steady_timer::time_point::max();

/** Until somebody cancels @p timer. */
awaitable<void> wait_for_news(steady_timer &timer)
{
	boost::system::error_code cancelled;
	co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, cancelled));
}

void rethrow(const std::exception_ptr &failure)
{
	if (failure)
		std::rethrow_exception(failure);
}

} // namespace

struct batcher::station {
	explicit station(boost::asio::io_context &loop)
		: context(atom::device::open()), notifier(loop, context.device()), net(context)
	{
	}

	atom::context context;
	atom::async_notifier notifier;
	network net;
	bool lost = false;
};

batcher::batcher(boost::asio::io_context &loop) : loop_(loop), monitor_(loop), news_(loop, never) {}

awaitable<void> batcher::run()
{
	for (;;) {
		std::shared_ptr<station> at;
		try {
			at = std::make_shared<station>(loop_);
		} catch (const atom::system_error &) {
			if (statistics_.devices == 0)
				throw;
		}
		if (at) {
			++statistics_.devices;
			available_ = true;
			boost::asio::co_spawn(loop_, work(at), rethrow);
			co_await work(at);
			available_ = false;
			finish(std::exchange(waiting_, {}), verdict::unavailable);
		}
		co_await wait_for_device();
	}
}

awaitable<void> batcher::answer(request &r)
{
	if (!available_) {
		r.answer = verdict::unavailable;
		co_return;
	}
	waiting_.push_back(&r);
	news_.cancel_one();
	co_await wait_for_news(r.answered);
}

void batcher::finish(const batch &requests, verdict answer)
{
	for (request *r : requests) {
		r->answer = answer;
		r->answered.cancel();
	}
}

awaitable<void> batcher::work(std::shared_ptr<station> at)
{
	batch_memory memory(at->context);
	for (;;) {
		const batch requests = co_await next_batch(*at);
		if (at->lost)
			co_return finish(requests, verdict::unavailable);
		const verdict answer = co_await compute(*at, memory, requests);
		++statistics_.batches;
		statistics_.requests += requests.size();
		statistics_.failed_batches += answer != verdict::good;
		finish(requests, answer);
	}
}

awaitable<batcher::batch> batcher::next_batch(const station &at)
{
	while (waiting_.empty() && !at.lost)
		co_await wait_for_news(news_);
	const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), batch_max));
	batch taken(waiting_.begin(), end);
	waiting_.erase(waiting_.begin(), end);
	if (!waiting_.empty())
		news_.cancel_one();
	co_return taken;
}

awaitable<verdict> batcher::compute(station &at, batch_memory &memory, const batch &requests)
{
	float *in = memory.inputs_mapped.as<float>().data();
	for (std::size_t i = 0; i < requests.size(); ++i)
		std::copy(requests[i]->input.begin(), requests[i]->input.end(), in + i * input_size);

	boost::system::error_code error;
	const atom::submission job(at.net.commands(requests.size()), memory.arguments);
	co_await atom::async_submit(at.notifier, memory.queue, job, boost::asio::redirect_error(use_awaitable, error));
	if (!error) {
		const float *out = memory.scores_mapped.as<float>().data();
		for (std::size_t i = 0; i < requests.size(); ++i)
			std::copy_n(out + i * output_size, output_size, requests[i]->output.begin());
		co_return verdict::good;
	}
	if (error != atom::errc::device_lost) {
		// A queue ends with the first job that fails; others of the device go on.
		std::error_code gone;
		memory.queue = atom::queue::create(at.context, {}, gone);
		if (!gone)
			co_return verdict::failed;
	}
	at.lost = true;
	news_.cancel();
	co_return verdict::unavailable;
}

awaitable<void> batcher::wait_for_device()
{
	// Whatever has happened, it is worth a try; what happened before is told, too.
	co_await atom::async_next_event(monitor_, use_awaitable);
}

} // namespace serve
