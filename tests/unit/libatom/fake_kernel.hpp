// SPDX-License-Identifier: MIT
// The kernel driver as libatom sees it, in memory: buffer handles, address
// spaces, queues and timelines that behave like those of drm/atom_accel.h, and that a
// test can make fail. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <drm/atom_accel.h>

#include "atom/hw/queue.h"
#include "kmd/drm_compat.h"
#include "sys/os.hpp"

namespace atom::test {

/** How the fake device ends a job. */
struct job_end {
	std::uint16_t status = ATOM_CPL_OK;
	std::uint16_t fault_code = 0;
	std::uint16_t fault_where = 0;
	std::uint16_t fault_opcode = 0;
	std::uint32_t fault_command = 0;
	std::uint32_t fault_field = 0;
	std::uint64_t fault_va = 0;
	std::uint32_t state_flags = 0; ///< DRM_ATOM_QUEUE_STATE_* that come of it
	int error = 0;                 ///< errno of the state
};

/** A job as it was submitted. */
struct fake_job {
	std::uint64_t sequence = 0;
	drm_atom_job job{};
	std::vector<drm_atom_sync> syncs;
};

struct node_news;

class fake_kernel final : public sys::os {
public:
	fake_kernel();
	~fake_kernel() override;

	// What the machine is like; set before use.
	std::vector<sys::accel_node> nodes{{"/dev/accel/accel0", "0000:01:00.0", 0}};
	std::string driver_name = "atom_npu";
	int driver_major = 1;
	drm_atom_dev_info info{};
	int open_error = 0;
	int list_error = 0;
	int follow_error = 0; ///< of following nodes, and of reading what is told
	int event_error = 0;
	int read_error = 0; ///< of reading the device file
	int pid = 100;
	bool auto_run = true; ///< jobs are done when SUBMIT returns
	/** Called for each job that is run; decides how it ends. */
	std::function<job_end(const fake_job &)> policy;

	/** The next @p times calls of this ioctl fail with @p error. */
	void fail(unsigned long request, int error, int times = 1);
	/** Runs up to @p count waiting jobs of all queues. */
	void run_jobs(std::size_t count = ~std::size_t{0});
	/** The device is reset: each queue loses its waiting jobs, of which @p on_ring have records. */
	void reset_device(std::size_t on_ring);
	/** The device is gone: calls fail with ENODEV, waiting jobs with it. */
	void unplug();
	/** The kernel says something about a device node, to those who follow them. */
	void tell(const sys::node_event &what);
	/** What the device file gives to its reader, event by event. */
	void send(std::vector<std::byte> event);
	/** A dma-buf of another driver. */
	int foreign_dmabuf(std::uint64_t bytes);
	/** Accesses of the CPU to dma-bufs: "start 1" for reading, "end 3" for both. */
	std::vector<std::string> dmabuf_accesses;
	/** Forgets the completion records of all queues, as if newer jobs had overwritten them. */
	void forget_records();

	// What became of the machine.
	[[nodiscard]] std::size_t count(unsigned long request) const;
	[[nodiscard]] std::size_t objects() const; ///< buffers, VMs, queues, syncobjs
	[[nodiscard]] std::size_t open_files() const { return open_files_; }
	[[nodiscard]] std::size_t mappings() const { return mappings_; }
	[[nodiscard]] std::vector<fake_job> jobs() const;
	/** As it was asked for. */
	[[nodiscard]] drm_atom_queue_create how_made(std::uint32_t queue) const;
	/** Memory at an address of VM @p vm, nullptr if any of it is not mapped. */
	std::byte *translate(std::uint32_t vm, std::uint64_t va, std::uint64_t bytes);

	int open(const char *path, int flags) override;
	void close(int fd) override;
	int ioctl(int fd, unsigned long request, void *argument) override;
	int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	         void **address) override;
	void munmap(void *address, std::size_t bytes) override;
	int read(int fd, void *buffer, std::size_t bytes) override;
	int process_id() override { return pid; }
	int list_accel_nodes(std::vector<sys::accel_node> &out) override;
	int follow_accel_nodes(std::unique_ptr<sys::node_monitor> &out) override;
	int make_event(std::unique_ptr<sys::event> &out) override;
	void describe_access(const char *path, std::string &access, std::string &group) override;

private:
	struct object {
		/** Lives as long as a file of it, too. */
		std::shared_ptr<std::vector<std::byte>> memory;
		drm_atom_bo_create create{};
		std::string label;
		bool imported = false; ///< of another driver
	};
	struct binding {
		std::uint32_t handle = 0;
		std::uint64_t bytes = 0;
		bool read_only = false;
		std::byte *user = nullptr; ///< memory of the program instead
	};
	struct fake_queue {
		drm_atom_queue_create create{};
		drm_atom_queue_get_state state{};
		std::vector<std::uint64_t> area;
		std::deque<fake_job> waiting;
	};
	struct watcher {
		std::uint64_t point = 0;
		int fd = -1; ///< of its own
	};
	struct fake_syncobj {
		std::uint64_t value = 0;
		std::uint64_t pending = 0; ///< highest point that a job will signal
		std::vector<watcher> watchers;
		/** Without points: what it stands for. */
		std::optional<std::pair<std::shared_ptr<fake_syncobj>, std::uint64_t>> moment;
	};
	/** What a file that this process was given stands for. */
	struct fake_file {
		std::shared_ptr<std::vector<std::byte>> memory;
		bool foreign = false;
		std::shared_ptr<fake_syncobj> timeline;
		std::optional<std::uint64_t> moment; ///< of a sync_file: the point of the timeline
	};

	int dispatch(int fd, unsigned long request, void *argument);
	int dev_query(drm_atom_dev_query &q);
	int bo_create(drm_atom_bo_create &c);
	int gem_close(const drm_gem_close &c);
	int vm_create(drm_atom_vm_create &c);
	int vm_destroy(const drm_atom_vm_destroy &d);
	int vm_bind(const drm_atom_vm_bind &b);
	int queue_create(drm_atom_queue_create &c);
	int queue_destroy(const drm_atom_queue_destroy &d);
	int queue_get_state(drm_atom_queue_get_state &s);
	int submit(drm_atom_submit &s);
	int check_job(const drm_atom_job &j) const;
	int watch(const drm_syncobj_eventfd &e);
	int share(int fd, unsigned long request, void *argument);
	int new_file(fake_file what);
	int export_bo(drm_prime_handle &p);
	int import_bo(drm_prime_handle &p);
	int export_syncobj(drm_syncobj_handle &h);
	int import_syncobj(drm_syncobj_handle &h);
	int transfer(const drm_syncobj_transfer &t);
	static void close_watchers(const fake_syncobj &s);
	/** Something may have been signalled. */
	void notify();
	int timeline_wait(std::unique_lock<std::mutex> &lock, drm_syncobj_timeline_wait &w);

	void run_waiting(fake_queue &q, std::size_t &count);
	void finish(fake_queue &q, const fake_job &j, const job_end &end, bool write_record = true);
	job_end judge(fake_queue &q, const fake_job &j);
	std::byte *translate_locked(std::uint32_t vm, std::uint64_t va, std::uint64_t bytes);

	mutable std::mutex mutex_;
	std::condition_variable changed_;
	std::map<unsigned long, std::deque<int>> failures_;
	std::map<unsigned long, std::size_t> counts_;
	std::map<std::uint32_t, object> objects_;
	std::map<std::uint32_t, std::map<std::uint64_t, binding>> vms_;
	std::map<std::uint32_t, fake_queue> queues_;
	/** Areas outlive their queue, as mappings do. */
	std::vector<std::vector<std::uint64_t>> old_areas_;
	std::map<std::uint32_t, std::shared_ptr<fake_syncobj>> syncobjs_;
	std::map<int, fake_file> files_;
	int next_file_ = 1000;
	std::deque<std::vector<std::byte>> events_;
	std::vector<fake_job> jobs_;
	std::uint32_t next_id_ = 1;
	std::size_t open_files_ = 0;
	std::size_t mappings_ = 0;
	std::shared_ptr<node_news> news_; ///< made by who first follows nodes
	std::uint64_t clock_ns_ = 1000;
	bool unplugged_ = false;
};

} // namespace atom::test
