// SPDX-License-Identifier: MIT
#include "core/queue.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include <sys/mman.h>

#include "core/access.hpp"
#include "core/command_memory.hpp"
#include "core/failure.hpp"
#include "core/outcome.hpp"

namespace atom::core {
namespace {

constexpr std::uint64_t ring_bytes_min = 64ULL * 1024;
constexpr std::uint64_t ring_bytes_max = 4ULL * 1024 * 1024;
// More than the kernel ever holds of one queue is waited for, not collected.
constexpr std::size_t flights_max = 1024;

// What it leaves open its context says.
queue_options complete(queue_options options, const context &ctx)
{
	const context_options &others = ctx.options();
	if (options.priority == priority::of_context)
		options.priority = others.priority;
	if (options.job_timeout.count() == 0)
		options.job_timeout = others.job_timeout;
	if (options.name.empty())
		options.name = others.name;
	check_options("queue", {options.priority, options.job_timeout, options.name},
	              ctx.dev()->info());
	return options;
}

std::string place(std::size_t index) { return "submit, job " + std::to_string(index); }

/** Whether @p now tells of something bad that @p before does not. */
bool is_news(const queue_state &before, const queue_state &now)
{
	return (now.banned && !before.banned) || (now.device_lost && !before.device_lost) ||
	       now.last_lost > before.last_lost;
}

/** What has befallen a queue, for the log. */
std::string news_of(const queue_state &now)
{
	if (now.device_lost)
		return "its device is lost";
	if (!now.banned)
		return "a reset of the device that another queue caused took its jobs up to " +
		       std::to_string(now.last_lost);
	return "it takes no more jobs" +
	       (now.first_failed == 0 ? std::string()
	                              : ", because job " + std::to_string(now.first_failed) +
	                                        " failed: " + reason_of(now));
}

} // namespace

queue::queue(std::shared_ptr<core::context> ctx, const queue_options &options)
	: context_(std::move(ctx)), timeline_(context_->dev())
{
	const kmd::node &node = context_->node();
	const queue_options all = complete(options, *context_);
	name_ = all.name;
	flights_.resize(flights_max);
	check(node.queue_create(context_->id(), all, info_), "create queue", errc::limit_reached);
	int error = 0;
	if (!std::has_single_bit(info_.ring_entries) ||
	    info_.completion_bytes < completion_area::bytes_for(info_.ring_entries))
		error = -EPROTO;
	else
		error = node.system().mmap(info_.completion_bytes, PROT_READ, node.fd(),
		                           info_.completion_offset, &area_address_);
	if (error < 0) {
		node.queue_destroy(info_.id);
		fail_errno(-error, "create queue: map completion area");
	}
	area_ = completion_area(static_cast<const std::byte *>(area_address_), info_.ring_entries);
	say(log_level::debug, [&] {
		return "created in context " + std::to_string(context_->id()) + ", with " +
		       std::to_string(info_.ring_entries) + " entries";
	});
}

std::string queue::description() const
{
	return "queue " + std::to_string(info_.id) + (name_.empty() ? "" : " \"" + name_ + "\"");
}

queue::~queue()
{
	close();
	if (context_->dev()->owned())
		context_->node().system().munmap(area_address_, info_.completion_bytes);
}

void queue::close() noexcept
{
	if (!context_->dev()->owned())
		return;
	std::unique_lock submit_lock(submit_mutex_);
	std::unique_lock lock(state_mutex_);
	if (closed_)
		return;
	closed_ = true;
	const kmd::node &node = context_->node();
	node.queue_get_state(info_.id, final_state_);
	news_ = news_ || is_news(told_state_, final_state_);
	node.queue_destroy(info_.id);
	for (flight &f : flights_)
		f.used.clear();
	flight_count_ = 0;
	outgrown_.clear();
	arguments_ = {};
	const std::uint64_t given = sequence_;
	lock.unlock();
	submit_lock.unlock();
	say(log_level::debug, [&] { return "ended, after " + std::to_string(given) + " jobs"; });
}

kmd::queue_report queue::state()
{
	const std::lock_guard lock(state_mutex_);
	if (!closed_)
		check(context_->node().queue_get_state(info_.id, final_state_), "read queue state");
	news_ = news_ || is_news(told_state_, final_state_);
	return final_state_;
}

void queue::tell_news() noexcept
{
	if (!news_.load(std::memory_order_relaxed) || logger::telling())
		return;
	kmd::queue_report before;
	kmd::queue_report now;
	{
		const std::lock_guard lock(state_mutex_);
		before = told_state_;
		now = told_state_ = final_state_;
		news_ = false;
	}
	if (!is_news(before, now))
		return; // another thread has told it
	say(now.banned || now.device_lost ? log_level::error : log_level::warning,
	    [&] { return news_of(now); });
}

// The only case that the completion area decides alone, without a system call. Why a job failed
// the kernel knows once it has signalled the fence, and not before.
bool queue::succeeded(std::uint64_t point) const noexcept
{
	if (area_.retired() < point)
		return false;
	const std::optional<atom_cpl_record> record = area_.find(point);
	return record && record->status == ATOM_CPL_OK;
}

// Calls on a device that is gone fail, but for the one that asks what became of a queue. It has
// ended every job.
bool queue::is_loss(const system_error &e)
{
	return e.code() == errc::device_lost && state().device_lost;
}

bool queue::reached(std::uint64_t point)
{
	if (known(point))
		return true;
	try {
		return timeline_.reached(point);
	} catch (const system_error &e) {
		if (!is_loss(e))
			throw;
	}
	return true;
}

bool queue::wait(std::uint64_t point, deadline until)
{
	if (!known(point)) {
		try {
			if (!timeline_.wait(point, until))
				return false;
		} catch (const system_error &e) {
			if (!is_loss(e))
				throw;
		}
	}
	const std::unique_lock lock(submit_mutex_, std::try_to_lock);
	if (lock)
		reap();
	return true;
}

std::size_t queue::take(span<completion> out)
{
	dev()->check_process("reap");
	const std::lock_guard lock(take_mutex_);
	std::size_t count = 0;
	// The kernel is asked only where the area has nothing to tell.
	while (count < out.size() && taken_ < submitted() &&
	       (count == 0 ? reached(taken_ + 1) : succeeded(taken_ + 1))) {
		out[count++] = outcome(taken_ + 1);
		++taken_;
	}
	return count;
}

completion queue::outcome(std::uint64_t point)
{
	const std::optional<atom_cpl_record> record = area_.find(point);
	if (record && record->status == ATOM_CPL_OK)
		return completion_of(*record);
	const bool passed_over = !record && area_.passed_over(point);
	return completion_of(point, record, passed_over, state());
}

void queue::reap() noexcept
{
	const auto done = [this](std::uint64_t point) {
		return area_.retired() >= point || timeline_.known(point);
	};
	while (flight_count_ != 0 && done(flights_[first_flight_].last)) {
		flight &f = flights_[first_flight_];
		f.used.clear(); // keeps its memory for the next
		arguments_.release(f.arguments_end);
		first_flight_ = (first_flight_ + 1) % flights_.size();
		--flight_count_;
	}
	while (!outgrown_.empty() && done(outgrown_.front().first))
		outgrown_.erase(outgrown_.begin());
}

void queue::wait_for_oldest()
{
	const std::uint64_t point = flights_[first_flight_].last;
	timeline_.wait(point, no_deadline);
	reap();
}

queue::flight &queue::next_flight()
{
	reap();
	if (flight_count_ == flights_.size())
		wait_for_oldest();
	flight &f = flights_[(first_flight_ + flight_count_) % flights_.size()];
	f.used.clear();
	return f;
}

void queue::check_jobs(span<const submission> jobs) const
{
	const device_info &info = dev()->info();
	if (jobs.empty())
		fail(errc::invalid_argument, "submit: there is no job");
	if (jobs.size() > info.submit_jobs_max)
		fail(errc::too_large, "submit: " + std::to_string(jobs.size()) +
		                              " jobs are more than the driver takes at once, " +
		                              std::to_string(info.submit_jobs_max));
	for (std::size_t i = 0; i < jobs.size(); ++i) {
		const submission &job = jobs[i];
		for (const span<const fence> list : {job.waits, job.signals})
			for (const fence &f : list)
				if (!f)
					fail(errc::invalid_argument,
					     place(i) + ": a fence is empty");
				else if (&access::source(f)->dev()->node() != &dev()->node())
					fail(errc::wrong_context,
					     place(i) + ": a fence is of another device");
		for (const fence &f : job.signals)
			if (dynamic_cast<const queue *>(access::source(f).get()) != nullptr)
				fail(errc::invalid_argument,
				     place(i) + ": only fences of timelines can be signalled");
		if (job.commands == nullptr) {
			if (!job.arguments.empty())
				fail(errc::invalid_argument,
				     place(i) + ": it has arguments but no commands");
			continue;
		}
		const auto &commands = access::memory(*job.commands);
		if (!commands)
			fail(errc::invalid_argument, place(i) + ": the command buffer is empty");
		if (commands->memory->ctx() != context_)
			fail(errc::wrong_context,
			     place(i) +
			             ": the command buffer is of another context than the queue");
		const auto &needed = commands->argument_bytes;
		if (job.arguments.size() < needed.size())
			fail(errc::invalid_argument, place(i) + ": it has " +
			                                     std::to_string(job.arguments.size()) +
			                                     " arguments, the commands need " +
			                                     std::to_string(needed.size()));
		for (std::size_t a = 0; a < needed.size(); ++a) {
			const buffer_view &view = job.arguments[a];
			if (needed[a] == 0)
				continue;
			if (!view)
				fail(errc::invalid_argument, place(i) + ": argument of slot " +
				                                     std::to_string(a + 1) +
				                                     " is empty");
			if (view.size() < needed[a])
				fail(errc::out_of_range, place(i) + ": argument of slot " +
				                                 std::to_string(a + 1) + " has " +
				                                 std::to_string(view.size()) +
				                                 " bytes, the commands reach " +
				                                 std::to_string(needed[a]));
			if (access::memory(view)->ctx() != context_)
				fail(errc::wrong_context,
				     place(i) + ": argument of slot " + std::to_string(a + 1) +
				             " is of another context than the queue");
		}
	}
}

argument_ring::block queue::reserve_arguments(std::uint64_t bytes)
{
	argument_ring::block block = arguments_.reserve(bytes);
	while (block.cpu == nullptr) {
		const std::uint64_t capacity = arguments_.capacity();
		if (flight_count_ != 0 && capacity >= ring_bytes_max && bytes <= capacity) {
			wait_for_oldest();
		} else {
			buffer_options options;
			options.label = "argument tables";
			const std::uint64_t larger =
				std::max({ring_bytes_min, 2 * capacity, std::bit_ceil(bytes)});
			auto memory = std::make_shared<bo>(context_, larger, options,
			                                   device_access::read_only);
			outgrown_.reserve(outgrown_.size() + 1);
			auto old = arguments_.replace(std::move(memory), larger);
			if (old)
				outgrown_.emplace_back(sequence_, std::move(old));
		}
		block = arguments_.reserve(bytes);
	}
	return block;
}

void queue::build(span<const submission> jobs, argument_ring::block tables, flight &user)
{
	batch_.clear();
	for (const submission &job : jobs) {
		kmd::job k;
		k.cookie = job.cookie;
		if (job.commands != nullptr) {
			const auto &commands = access::memory(*job.commands);
			k.commands_va = commands->memory->va();
			k.command_bytes = commands->size;
			user.used.push_back(commands);
			k.argument_count =
				static_cast<std::uint32_t>(commands->argument_bytes.size());
		}
		if (k.argument_count != 0)
			k.arguments_va = tables.va;
		for (std::size_t a = 0; a < k.argument_count; ++a) {
			const buffer_view &view = job.arguments[a];
			const atom_arg entry{view.device_address(), view.size()};
			std::memcpy(tables.cpu, &entry, sizeof(entry));
			tables.cpu += sizeof(entry);
			tables.va += sizeof(entry);
			if (view)
				user.used.push_back(access::memory(view));
		}
		batch_.add(k);
		for (const fence &f : job.waits)
			batch_.add(kmd::sync_point{access::source(f)->handle(), f.point(), false});
		for (const fence &f : job.signals)
			batch_.add(kmd::sync_point{access::source(f)->handle(), f.point(), true});
	}
	// One signal a submission: jobs run in order, and the completion area tells the rest.
	batch_.add(kmd::sync_point{timeline_.handle(), sequence_ + jobs.size(), true});
}

int queue::give(span<const submission> jobs, std::uint64_t table_bytes, std::uint64_t &last)
{
	const std::lock_guard lock(submit_mutex_);
	flight &f = next_flight();
	argument_ring::block tables;
	if (table_bytes != 0)
		tables = reserve_arguments(table_bytes);
	build(jobs, tables, f);
	if (const int error = context_->node().submit(info_.id, batch_, last)) {
		f.used.clear();
		return error;
	}
	const std::uint64_t expected = sequence_ + jobs.size();
	if (table_bytes != 0)
		arguments_.commit(tables);
	f.last = expected;
	f.arguments_end = arguments_.head();
	++flight_count_;
	sequence_ = expected;
	if (last != expected)
		fail(errc::incompatible_kernel, "submit: the driver numbered the job " +
		                                        std::to_string(last) + ", not " +
		                                        std::to_string(expected));
	return 0;
}

std::uint64_t queue::submit(span<const submission> jobs)
{
	dev()->check_process("submit");
	check_jobs(jobs);
	std::uint64_t table_bytes = 0;
	for (const submission &job : jobs)
		if (job.commands != nullptr)
			table_bytes += sizeof(atom_arg) *
			               access::memory(*job.commands)->argument_bytes.size();

	std::uint64_t last = 0;
	if (const int error = give(jobs, table_bytes, last))
		fail_submit(error, jobs);
	return last;
}

void queue::fail_submit(int error, span<const submission> jobs)
{
	if (error == EINVAL)
		for (std::size_t i = 0; i < jobs.size(); ++i)
			for (const fence &f : jobs[i].waits) {
				const std::uint32_t handle = access::source(f)->handle();
				std::uint64_t last = 0;
				if (context_->node().syncobj_query(handle, true, last) == 0 &&
				    last < f.point())
					fail(errc::invalid_argument,
					     place(i) + ": it waits for point " +
					             std::to_string(f.point()) +
					             ", which nobody will signal: no job was given "
					             "a "
					             "point beyond " +
					             std::to_string(last));
			}
	if (error != ECANCELED)
		fail_errno(error, "submit");
	std::string why = "submit: the queue takes no more jobs";
	try {
		const queue_state now = state();
		if (now.first_failed != 0)
			why += ", because job " + std::to_string(now.first_failed) +
			       " failed: " + reason_of(now);
	} catch (const system_error &) {
		// The queue's own error is the one to tell.
	}
	fail(errc::queue_banned, why + "; make a new queue");
}

} // namespace atom::core
