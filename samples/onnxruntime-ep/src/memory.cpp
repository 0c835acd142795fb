// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <algorithm>
#include <new>

#include "npu.hpp"

namespace atom_ort {

block::block(std::shared_ptr<opened> of, std::size_t bytes)
	: of_(std::move(of)), buffer_(of_->spare.take(bytes)), bytes_(buffer_.map())
{
}

block::~block()
{
	try {
		std::vector<atom::fence> last_uses;
		for (const use &u : users_)
			last_uses.push_back(u.by->fence());
		of_->spare.give(std::move(buffer_), last_uses);
	} catch (
		const std::bad_alloc &) { // NOLINT(bugprone-empty-catch): then it is not used again
	}
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
	const std::lock_guard lock(mutex_);
	users_.erase(std::remove_if(users_.begin(), users_.end(),
	                            [](const use &u) { return u.by->ready(); }),
	             users_.end());
}

void *device_memory::publish(block_ptr b)
{
	void *address = b->data();
	const std::lock_guard lock(mutex_);
	published_[reinterpret_cast<std::uintptr_t>(address)] = std::move(b);
	return address;
}

void device_memory::forget(void *address)
{
	block_ptr last; // ends behind the lock
	const std::lock_guard lock(mutex_);
	const auto found = published_.find(reinterpret_cast<std::uintptr_t>(address));
	if (found == published_.end())
		return;
	last = std::move(found->second);
	published_.erase(found);
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

} // namespace atom_ort
