/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <drm/atom_accel.h>

#include "bo.h"
#include "device.h"
#include "events.h"
#include "kmd/drm_compat.h"
#include "queue.h"
#include "syncobj.h"
#include "vm.h"

namespace atom::inprocess {

/** Handles of one kind of object. Thread-safe. */
template <typename T> class handles {
public:
	std::uint32_t add(std::shared_ptr<T> object)
	{
		const std::lock_guard lock(mutex_);
		const std::uint32_t id = next_++;
		objects_.emplace(id, std::move(object));
		return id;
	}
	std::shared_ptr<T> find(std::uint32_t id) const
	{
		const std::lock_guard lock(mutex_);
		const auto found = objects_.find(id);
		return found == objects_.end() ? nullptr : found->second;
	}
	/** The object, which has no handle any more. */
	std::shared_ptr<T> take(std::uint32_t id)
	{
		const std::lock_guard lock(mutex_);
		const auto found = objects_.find(id);
		if (found == objects_.end())
			return nullptr;
		std::shared_ptr<T> object = std::move(found->second);
		objects_.erase(found);
		return object;
	}
	std::vector<std::shared_ptr<T>> take_all()
	{
		std::unordered_map<std::uint32_t, std::shared_ptr<T>> all;
		{
			const std::lock_guard lock(mutex_);
			all.swap(objects_);
		}
		std::vector<std::shared_ptr<T>> out;
		for (auto &[id, object] : all)
			out.push_back(std::move(object));
		return out;
	}

private:
	mutable std::mutex mutex_;
	std::unordered_map<std::uint32_t, std::shared_ptr<T>> objects_;
	std::uint32_t next_ = 1;
};

/** An open file: what a program has made through it, and the ioctls. Thread-safe. */
class file {
public:
	explicit file(std::shared_ptr<inprocess::device> device) : device_(std::move(device)) {}
	/** Ends all of it. */
	~file();
	file(const file &) = delete;
	file &operator=(const file &) = delete;

	/** 0 or a negative errno value. */
	int ioctl(unsigned long request, void *argument);
	/**
	 * Memory at an offset that BO_MMAP_OFFSET or QUEUE_CREATE gave. @p owner keeps it.
	 * @return 0, -EINVAL or -EACCES
	 */
	int mmap(std::size_t bytes, int protection, std::uint64_t offset, void *&address,
		 std::shared_ptr<void> &owner);

	inprocess::device &device() { return *device_; }
	const std::shared_ptr<inprocess::device> &shared_device() const { return device_; }
	/** What its reader is told; queues on their way out may outlive the file. */
	const std::shared_ptr<inprocess::events> &events() const { return events_; }

	handles<bo> bos;
	handles<vm> vms;
	handles<queue> queues;
	handles<syncobj> syncobjs;

private:
	const std::shared_ptr<inprocess::device> device_;
	const std::shared_ptr<inprocess::events> events_ = std::make_shared<inprocess::events>();
};

/* The ioctls, each in the file of its noun. 0 or a negative errno value. */
int dev_query(file &f, drm_atom_dev_query &q);
int bo_create(file &f, drm_atom_bo_create &c);
int bo_mmap_offset(file &f, drm_atom_bo_mmap_offset &m);
int bo_info(file &f, drm_atom_bo_info &i);
int bo_set_label(file &f, const drm_atom_bo_set_label &l);
int gem_close(file &f, const drm_gem_close &c);
int vm_create(file &f, drm_atom_vm_create &c);
int vm_destroy(file &f, const drm_atom_vm_destroy &d);
int vm_bind(file &f, const drm_atom_vm_bind &b);
int queue_create(file &f, drm_atom_queue_create &c);
int queue_destroy(file &f, const drm_atom_queue_destroy &d);
int queue_get_state(file &f, drm_atom_queue_get_state &s);
int submit(file &f, drm_atom_submit &s);
int syncobj_create(file &f, drm_syncobj_create &c);
int syncobj_destroy(file &f, const drm_syncobj_destroy &d);
int syncobj_wait(file &f, drm_syncobj_wait &w);
int syncobj_timeline_wait(file &f, drm_syncobj_timeline_wait &w);
int syncobj_reset(file &f, const drm_syncobj_array &a);
int syncobj_signal(file &f, const drm_syncobj_array &a);
int syncobj_timeline_signal(file &f, const drm_syncobj_timeline_array &a);
int syncobj_query(file &f, const drm_syncobj_timeline_array &a);
int syncobj_eventfd(file &f, const drm_syncobj_eventfd &e);

/** A pointer as the ioctls carry it. */
template <typename T> T *user(std::uint64_t pointer)
{
	return reinterpret_cast<T *>(static_cast<std::uintptr_t>(pointer));
}

/**
 * Copies an array whose elements may have another size than ours. @p stride_min: the smallest that
 * was ever defined. @return 0, -E2BIG or -EINVAL
 */
int get_array(const drm_atom_obj_array &from, std::uint32_t count_max, std::size_t stride_min,
	      std::size_t size, void *to);

template <typename T>
int get_array(const drm_atom_obj_array &from, std::uint32_t count_max, std::size_t stride_min, std::vector<T> &to)
{
	if (from.count > count_max)
		return -E2BIG;
	to.assign(from.count, {});
	return get_array(from, count_max, stride_min, sizeof(T), to.data());
}

} // namespace atom::inprocess
