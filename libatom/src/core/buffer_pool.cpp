// SPDX-License-Identifier: MIT
#include "core/buffer_pool.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "core/access.hpp"
#include "core/bo.hpp"
#include "core/failure.hpp"
#include "core/fence_source.hpp"

namespace atom::core {
namespace {

constexpr std::uint64_t page = 4096;

// Whether the job is over. What it finds out of a queue is told by another call: we hold a lock.
bool is_ready(const fence &f) noexcept
{
	try {
		return access::source(f)->reached(f.point());
	} catch (const std::exception &) {
		return true; // the device is lost: nothing runs any more
	}
}

} // namespace

buffer_pool::buffer_pool(const atom::context &ctx, const pool_options &options)
	: context_(ctx), options_(options)
{
}

const std::shared_ptr<core::device> &buffer_pool::dev() const
{
	return access::ctx(context_)->dev();
}

std::uint64_t buffer_pool::class_size(std::uint64_t bytes) noexcept
{
	constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max() / 16;
	if (bytes > largest)
		return 0;
	std::uint64_t step = page;
	while (step * 8 < bytes)
		step *= 2;
	return (std::max<std::uint64_t>(bytes, 1) + step - 1) / step * step;
}

buffer buffer_pool::take_spare(std::uint64_t size)
{
	const std::lock_guard lock(mutex_);
	const auto found = classes_.find(size);
	if (found == classes_.end())
		return {};
	spares &of = found->second;
	const auto ready = std::find_if(of.begin(), of.end(), [](const spare &s) {
		return std::all_of(s.users.begin(), s.users.end(), is_ready);
	});
	if (ready == of.end())
		return {};
	buffer memory = std::move(ready->memory);
	ready->users.clear();
	unused_.splice(unused_.begin(), of, ready);
	usage_.spare_bytes -= size;
	--usage_.spare_buffers;
	++usage_.reused;
	return memory;
}

buffer buffer_pool::take(std::uint64_t bytes)
{
	dev()->check_process("take buffer");
	const std::uint64_t size = class_size(bytes);
	if (size == 0)
		fail(errc::out_of_host_memory,
		     "take buffer of " + std::to_string(bytes) + " bytes: no machine has so much");
	if (buffer found = take_spare(size))
		return found;
	buffer made;
	try {
		made = buffer(context_, size, options_.memory);
	} catch (const system_error &e) {
		if (e.code() != errc::out_of_device_memory && e.code() != errc::out_of_host_memory)
			throw;
		trim(0);
		made = buffer(context_, size, options_.memory);
	}
	const std::lock_guard lock(mutex_);
	++usage_.made;
	return made;
}

bool buffer_pool::is_mine(const buffer &b) const
{
	return b && access::memory(b.view())->ctx() == access::ctx(context_) &&
	       access::memory(b.view())->made_as(options_.memory) &&
	       b.size() == class_size(b.size());
}

void buffer_pool::give(buffer what, span<const fence> last_uses) noexcept
{
	spares rest; // destroyed behind the lock: that calls the kernel
	try {
		if (!is_mine(what) || what.size() > options_.spare_bytes_max)
			return;
		const std::lock_guard lock(mutex_);
		if (unused_.empty())
			unused_.emplace_front();
		spare &s = unused_.front();
		s.users.assign(last_uses.begin(), last_uses.end());
		// A fence keeps its queue: not for longer than it is needed.
		s.users.erase(std::remove_if(s.users.begin(), s.users.end(),
		                             [](const fence &f) {
						     return !f ||
			                                    access::source(f)->known(f.point());
					     }),
		              s.users.end());
		spares &of = classes_[what.size()];
		s.number = ++given_;
		usage_.spare_bytes += what.size();
		++usage_.spare_buffers;
		s.memory = std::move(what);
		of.splice(of.end(), unused_, unused_.begin());
		shrink(options_.spare_bytes_max, rest);
	} catch (const std::bad_alloc &) { // NOLINT(bugprone-empty-catch): then it is not kept
	}
	let_go(rest);
}

// Moves what is spare too long to @p out.
void buffer_pool::shrink(std::uint64_t keep_bytes, spares &out)
{
	while (usage_.spare_bytes > keep_bytes) {
		spares *oldest = nullptr;
		for (auto &[size, of] : classes_)
			if (!of.empty() &&
			    (oldest == nullptr || of.front().number < oldest->front().number))
				oldest = &of;
		usage_.spare_bytes -= oldest->front().memory.size();
		--usage_.spare_buffers;
		out.splice(out.end(), *oldest, oldest->begin());
	}
}

void buffer_pool::let_go(spares &out) noexcept
{
	for (spare &s : out) {
		s.memory = {};
		s.users.clear();
	}
	const std::lock_guard lock(mutex_);
	unused_.splice(unused_.begin(), out);
}

void buffer_pool::trim(std::uint64_t keep_bytes) noexcept
{
	spares rest;
	{
		const std::lock_guard lock(mutex_);
		shrink(keep_bytes, rest);
	}
	let_go(rest);
}

pool_usage buffer_pool::usage() const
{
	const std::lock_guard lock(mutex_);
	return usage_;
}

} // namespace atom::core
