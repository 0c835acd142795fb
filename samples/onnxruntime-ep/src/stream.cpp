// SPDX-License-Identifier: MIT
#include "stream.hpp"

#include <algorithm>

namespace atom_ort {
namespace {

OrtStatus *flush(OrtSyncStreamImpl *s) noexcept
{
	return guarded([&] { sync_stream::self(s).work().wait(); });
}

/** Nothing if work of @p s is not done by an NPU. ONNX Runtime has no stream for the CPU. */
stream *stream_of(OrtSyncStream *s)
{
	const auto *impl = s != nullptr ? Ort::GetEpApi().SyncStream_GetImpl(s) : nullptr;
	if (impl == nullptr || impl->Flush != flush)
		return nullptr;
	return &sync_stream::self(const_cast<OrtSyncStreamImpl *>(impl)).work();
}

class notification : public OrtSyncNotificationImpl {
public:
	explicit notification(stream &of) : OrtSyncNotificationImpl{}, stream_(of)
	{
		ort_version_supported = ORT_API_VERSION;
		Release = [](OrtSyncNotificationImpl *n) noexcept { delete &self(n); };
		Activate = [](OrtSyncNotificationImpl *n) noexcept {
			self(n).moment_ = self(n).stream_.last();
			return static_cast<OrtStatus *>(nullptr);
		};
		WaitOnDevice = [](OrtSyncNotificationImpl *n, OrtSyncStream *consumer) noexcept {
			return guarded([&] {
				const job_ptr moment = self(n).moment_;
				if (stream *other = stream_of(consumer))
					other->wait_for(moment);
				else if (moment)
					moment->wait();
			});
		};
		WaitOnHost = [](OrtSyncNotificationImpl *n) noexcept {
			return guarded([&] {
				if (const job_ptr j = self(n).moment_)
					j->wait();
			});
		};
	}

private:
	static notification &self(OrtSyncNotificationImpl *n)
	{
		return *static_cast<notification *>(n);
	}
	stream &stream_;
	job_ptr moment_;
};

} // namespace

stream::stream(std::shared_ptr<opened> on)
	: opened_(std::move(on)), queue_(opened_->context, {.name = "onnxruntime"})
{
}

atom::fence stream::submit_once(const atom::submission &work)
{
	std::error_code error;
	atom::fence done = queue_.submit(work, error);
	if (!error)
		return done;
	if (error != atom::errc::queue_banned)
		return queue_.submit(work); // which says what is wrong
	if (last_ && !last_->told())
		last_->wait();
	queue_ = atom::queue(opened_->context, {.name = "onnxruntime"});
	return queue_.submit(work);
}

job_ptr stream::submit(const atom::command_buffer &commands, const atom::args &arguments,
                       const std::vector<block_ptr> &read,
                       const std::vector<block_ptr> &written, explainer what)
{
	std::vector<atom::fence> waits;
	for (const job_ptr &j : std::exchange(others_, {}))
		waits.push_back(j->fence());
	for (const auto *blocks : {&read, &written})
		for (const block_ptr &b : *blocks)
			for (const job_ptr &j : b->users())
				if (j->stream() != this && !j->ready())
					waits.push_back(j->fence());
	atom::submission work(commands, arguments);
	work.waits = waits;
	last_ = std::make_shared<job>(submit_once(work), this, std::move(what));
	under_way_.push_back(last_);
	for (const block_ptr &b : read)
		b->used_by(last_, false);
	for (const block_ptr &b : written)
		b->used_by(last_, true);
	count_done();
	return last_;
}

void stream::count_done()
{
	while (!under_way_.empty() && under_way_.front()->ready()) {
		under_way_.front()->wait_quietly();
		under_way_.pop_front();
	}
}

void stream::wait()
{
	if (last_)
		last_->wait_quietly();
	count_done();
	if (last_ && !last_->told())
		last_->wait();
}

void stream::wait_for(job_ptr other)
{
	if (other && other->stream() != this)
		others_.push_back(std::move(other));
}

atom::buffer_view stream::scratch(std::uint64_t bytes)
{
	if (bytes == 0)
		return {};
	// Jobs that still work in the smaller one keep it.
	if (scratch_.size() < bytes)
		scratch_ = atom::buffer(opened_->context, bytes,
		                        {.placement = atom::placement::local,
		                         .cpu_access = false,
		                         .label = "onnxruntime scratch"});
	return scratch_.slice(0, bytes);
}

sync_stream::sync_stream(std::shared_ptr<opened> on) : OrtSyncStreamImpl{}, stream_(std::move(on))
{
	ort_version_supported = ORT_API_VERSION;
	Release = [](OrtSyncStreamImpl *s) noexcept { delete &self(s); };
	GetHandle = [](OrtSyncStreamImpl *s) noexcept -> void * { return &self(s).stream_; };
	CreateNotification = [](OrtSyncStreamImpl *s, OrtSyncNotificationImpl **made) noexcept {
		return guarded([&] { *made = new notification(self(s).stream_); });
	};
	Flush = flush;
	OnSessionRunEnd = Flush;
}

} // namespace atom_ort
