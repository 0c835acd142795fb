// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <algorithm>

#include "atom/error.hpp"

namespace atom_ort {
namespace {

constexpr std::size_t page = 4096;
// What is kept beyond is given back to the device.
constexpr std::size_t free_bytes_max = std::size_t{256} << 20;

/** Sizes that are alike share blocks: whole pages, and four sizes for each power of two. */
std::size_t size_class(std::size_t bytes)
{
	std::size_t step = page;
	while (step * 8 < bytes)
		step *= 2;
	return (std::max<std::size_t>(bytes, 1) + step - 1) / step * step;
}

} // namespace

block::block(const atom::context &ctx, std::size_t bytes)
	: buffer_(ctx, bytes, {.placement = atom::placement::local, .label = "onnxruntime"}),
	  bytes_(buffer_.map())
{
}

void block::used_by(const job_ptr &user, bool writes)
{
	const std::lock_guard lock(mutex_);
	// Of a stream the last job tells of those before.
	const auto before = std::find_if(users_.begin(), users_.end(), [&user](const use &u) {
		return u.by->stream() == user->stream();
	});
	if (before == users_.end())
		users_.push_back({user, writes});
	else
		*before = {user, writes || before->writes};
}

std::vector<job_ptr> block::users()
{
	const std::lock_guard lock(mutex_);
	std::vector<job_ptr> all;
	for (const use &u : users_)
		all.push_back(u.by);
	return all;
}

void block::wait()
{
	std::vector<job_ptr> writers;
	{
		const std::lock_guard lock(mutex_);
		for (const use &u : users_)
			if (u.writes)
				writers.push_back(u.by);
	}
	for (const job_ptr &j : writers)
		j->wait();
}

void block::wait_until_free()
{
	for (const job_ptr &j : users())
		j->wait_quietly();
	forget_users();
}

bool block::forget_users()
{
	const std::lock_guard lock(mutex_);
	if (!std::all_of(users_.begin(), users_.end(), [](const use &u) { return u.by->ready(); }))
		return false;
	users_.clear();
	return true;
}

block_ptr device_memory::take(std::size_t bytes)
{
	const std::lock_guard lock(mutex_);
	for (auto it = free_.begin(); it != free_.end(); ++it)
		if ((*it)->size() == bytes && (*it)->forget_users()) {
			block_ptr found = *it;
			free_.erase(it);
			free_bytes_ -= bytes;
			return found;
		}
	return {};
}

block_ptr device_memory::allocate(const atom::context &ctx, std::size_t bytes)
{
	const std::size_t size = size_class(bytes);
	if (block_ptr found = take(size))
		return found;
	try {
		return std::make_shared<block>(ctx, size);
	} catch (const atom::system_error &e) {
		if (e.code() != atom::errc::out_of_device_memory)
			throw;
	}
	drop();
	return std::make_shared<block>(ctx, size);
}

void device_memory::recycle(block_ptr free)
{
	const std::lock_guard lock(mutex_);
	free_bytes_ += free->size();
	free_.push_front(std::move(free));
	while (free_bytes_ > free_bytes_max) {
		free_bytes_ -= free_.back()->size();
		free_.pop_back();
	}
}

void *device_memory::publish(block_ptr b)
{
	void *address = b->data();
	const std::lock_guard lock(mutex_);
	published_[reinterpret_cast<std::uintptr_t>(address)] = std::move(b);
	return address;
}

block_ptr device_memory::forget(void *address)
{
	const std::lock_guard lock(mutex_);
	const auto found = published_.find(reinterpret_cast<std::uintptr_t>(address));
	if (found == published_.end())
		return {};
	block_ptr b = std::move(found->second);
	published_.erase(found);
	return b;
}

std::optional<place> device_memory::find(const void *address)
{
	const auto wanted = reinterpret_cast<std::uintptr_t>(address);
	const std::lock_guard lock(mutex_);
	auto behind = published_.upper_bound(wanted);
	if (behind == published_.begin())
		return std::nullopt;
	const auto &[first, b] = *std::prev(behind);
	if (wanted - first >= b->size())
		return std::nullopt;
	return place{b, wanted - first};
}

void device_memory::drop()
{
	const std::lock_guard lock(mutex_);
	free_.clear();
	free_bytes_ = 0;
}

} // namespace atom_ort
