// SPDX-License-Identifier: MIT
#include "hostile_client.hpp"

#include "context.hpp"
#include "hostile_arguments.hpp"
#include "share_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include <csignal>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmtest {

using ioctl_fuzz::below;
using ioctl_fuzz::one_in;
using ioctl_fuzz::random_source;

namespace {

class client {
public:
	client(std::uint64_t seed, hostile_report &report);
	client(client &&) = delete;
	void run(double seconds);

private:
	using deed = void (client::*)(random_source &);

	int file(random_source &random) const { return files_[below(random, files_.size())]; }
	std::uint32_t space(random_source &random) const { return ids_.spaces[below(random, ids_.spaces.size())]; }
	bool judge(hostile_deed deed, int error);
	template <class Args> bool call(hostile_deed deed, random_source &random, unsigned long request, Args &args)
	{
		return judge(deed, try_ioctl(file(random), request, &args));
	}
	void create_buffer(hostile_deed deed, random_source &random, unsigned slot);
	void create_space(hostile_deed deed, random_source &random, unsigned slot);
	void create_queue(hostile_deed deed, random_source &random, unsigned slot);
	void attack(random_source &random, deed what);

	void bind(random_source &random);
	void unbind(random_source &random);
	void huge_arrays(random_source &random);
	void submit(random_source &random);
	void map(random_source &random);
	void close(random_source &random);
	void shake(random_source &random);
	void fork(random_source &random);
	void pass(random_source &random);
	void share(random_source &random);

	const std::uint64_t seed_;
	hostile_report &report_;
	device dev_;
	std::atomic<bool> stop_{false};
	std::array<std::atomic<int>, 4> files_; // of the one file
	host_memory shared_{sizeof(hostile_ids), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS};
	hostile_ids &ids_ = *new (shared_.data()) hostile_ids{};
	buffer program_, ground_;
	mapping program_map_;
	syncobj done_;
	host_memory shaky_{64 * page};
};

client::client(std::uint64_t seed, hostile_report &report)
	: seed_(seed), report_(report), program_(dev_, hostile_programs * page), ground_(dev_, hostile_field_bytes),
	  program_map_(program_.map()), done_(dev_)
{
	random_source random(seed);
	for (auto &slot : files_)
		slot = dup(dev_.fd());
	for (unsigned i = 0; i < hostile_programs; ++i) {
		const auto bytes =
			command_list(make_nop(), make_copy_bytes(hostile_field(random), hostile_field(random), (1 + below(random, 64)) * 64)).finish();
		std::memcpy(program_map_.data() + i * page, bytes.data(), bytes.size());
	}
	for (unsigned slot = 0; slot < ids_.spaces.size(); ++slot)
		create_space(hostile_deed::bind, random, slot);
	for (unsigned slot = 0; slot < ids_.buffers.size(); ++slot)
		create_buffer(hostile_deed::bind, random, slot);
	for (unsigned slot = 0; slot < ids_.queues.size(); ++slot)
		create_queue(hostile_deed::submit, random, slot);
}

/* @return whether the call was accepted */
bool client::judge(hostile_deed deed, int error)
{
	const auto i = static_cast<std::size_t>(deed);
	++(error ? report_.refused : report_.accepted)[i];
	int none = 0;
	if (!is_harmless(error) && report_.surprise.compare_exchange_strong(none, error))
		report_.surprised_in = deed;
	return error == 0;
}

void client::create_buffer(hostile_deed deed, random_source &random, unsigned slot)
{
	drm_atom_bo_create args{};
	args.size = one_in(random, 4) ? mib2 : (4 + below(random, 32)) * page;
	args.placement = static_cast<__u32>(below(random, 3));
	args.flags = one_in(random, 8) ? DRM_ATOM_BO_NO_MMAP : 0;
	args.vm_id = one_in(random, 8) ? space(random) : 0;
	drm_gem_close old{ids_.buffers[slot].exchange(0), 0};
	call(deed, random, DRM_IOCTL_GEM_CLOSE, old);
	if (!call(deed, random, DRM_IOCTL_ATOM_BO_CREATE, args))
		return;
	ids_.buffers[slot] = args.handle;
	drm_atom_bo_mmap_offset where{args.handle, 0, 0};
	if (call(deed, random, DRM_IOCTL_ATOM_BO_MMAP_OFFSET, where))
		ids_.offsets[below(random, ids_.offsets.size())] = where.offset;
}

void client::create_space(hostile_deed deed, random_source &random, unsigned slot)
{
	drm_atom_vm_destroy old{ids_.spaces[slot].exchange(0), 0};
	call(deed, random, DRM_IOCTL_ATOM_VM_DESTROY, old);
	drm_atom_vm_create args{};
	if (!call(deed, random, DRM_IOCTL_ATOM_VM_CREATE, args))
		return;
	ids_.spaces[slot] = args.vm_id;
	const drm_atom_vm_bind_op ops[] = {
		map_op(hostile_field_va, ground_, 0, ground_.size()),
		map_op(hostile_program_va, program_, 0, program_.size(), DRM_ATOM_VM_BIND_READONLY),
	};
	drm_atom_vm_bind bind{args.vm_id, 0, {sizeof(ops[0]), 2, reinterpret_cast<std::uintptr_t>(ops)}, {}};
	call(deed, random, DRM_IOCTL_ATOM_VM_BIND, bind);
}

void client::create_queue(hostile_deed deed, random_source &random, unsigned slot)
{
	drm_atom_queue_destroy old{ids_.queues[slot].exchange(0), 0};
	drm_atom_queue_get_state state{};
	state.queue_id = old.queue_id;
	if (call(deed, random, DRM_IOCTL_ATOM_QUEUE_GET_STATE, state))
		report_.jobs += state.failed_seqno ? state.failed_seqno - 1 : state.completed;
	call(deed, random, DRM_IOCTL_ATOM_QUEUE_DESTROY, old);
	drm_atom_queue_create args{};
	args.vm_id = space(random);
	args.priority = static_cast<__u32>(below(random, 4)); // the two high ones are not for everybody
	if (!call(deed, random, DRM_IOCTL_ATOM_QUEUE_CREATE, args))
		return;
	ids_.queues[slot] = args.queue_id;
	ids_.offsets[below(random, ids_.offsets.size())] = args.completion_offset;
}

void client::bind(random_source &random)
{
	std::vector<drm_atom_vm_bind_op> ops(1 + below(random, one_in(random, 16) ? 1024 : 3));
	for (auto &op : ops)
		op = hostile_binding(random, ids_, shaky_);
	drm_atom_vm_bind args{};
	args.vm_id = space(random);
	args.ops = {sizeof(ops[0]), static_cast<__u32>(ops.size()), reinterpret_cast<std::uintptr_t>(ops.data())};
	call(hostile_deed::bind, random, DRM_IOCTL_ATOM_VM_BIND, args);
}

void client::unbind(random_source &random)
{
	drm_atom_vm_bind_op op = unmap_op(hostile_field(random), (1 + below(random, 1024)) * page);
	if (one_in(random, 16))
		op = unmap_op(dev_.info().va_start, dev_.info().va_end - dev_.info().va_start);
	drm_atom_vm_bind args{space(random), 0, {sizeof(op), 1, reinterpret_cast<std::uintptr_t>(&op)}, {}};
	call(hostile_deed::unbind, random, DRM_IOCTL_ATOM_VM_BIND, args);
	op = map_op(hostile_program_va, program_, 0, program_.size(), DRM_ATOM_VM_BIND_READONLY);
	call(hostile_deed::unbind, random, DRM_IOCTL_ATOM_VM_BIND, args);
}

void client::huge_arrays(random_source &random)
{
	if (one_in(random, 2)) {
		drm_atom_vm_bind args{space(random), 0, huge_array(random, shaky_), {}};
		if (one_in(random, 4))
			args.syncs = huge_array(random, shaky_);
		call(hostile_deed::huge_arrays, random, DRM_IOCTL_ATOM_VM_BIND, args);
		return;
	}
	std::vector jobs(1 + below(random, 128), hostile_job(random));
	jobs.back().syncs = huge_array(random, shaky_);
	drm_atom_submit args{};
	args.queue_id = ids_.queues[below(random, ids_.queues.size())];
	args.jobs = {sizeof(jobs[0]), static_cast<__u32>(jobs.size()), reinterpret_cast<std::uintptr_t>(jobs.data())};
	if (one_in(random, 2))
		args.jobs = huge_array(random, shaky_);
	call(hostile_deed::huge_arrays, random, DRM_IOCTL_ATOM_SUBMIT, args);
}

void client::submit(random_source &random)
{
	const drm_atom_sync syncs[] = {done_.signal_binary(), {0, static_cast<__u32>(random()), 0}};
	std::vector<drm_atom_job> jobs(1 + below(random, one_in(random, 16) ? 128 : 4));
	for (auto &one : jobs)
		one = hostile_job(random);
	jobs.back().syncs = {sizeof(syncs[0]), one_in(random, 8) ? 2u : 1u, reinterpret_cast<std::uintptr_t>(syncs)};
	const auto slot = static_cast<unsigned>(below(random, ids_.queues.size()));
	drm_atom_submit args{};
	args.queue_id = ids_.queues[slot];
	args.jobs = {sizeof(jobs[0]), static_cast<__u32>(jobs.size()), reinterpret_cast<std::uintptr_t>(jobs.data())};
	// Jobs fault as mappings come and go, and that bans their queue.
	if (!call(hostile_deed::submit, random, DRM_IOCTL_ATOM_SUBMIT, args))
		create_queue(hostile_deed::submit, random, slot);
}

void client::map(random_source &random)
{
	const std::uint64_t offset = one_in(random, 8) ? extreme(random) & ~(page - 1)
						       : ids_.offsets[below(random, ids_.offsets.size())].load();
	const bool huge = one_in(random, 16);
	const std::size_t bytes = huge ? 1ull << 46 : (1 + below(random, 4)) * page;
	const int protection = one_in(random, 2) ? PROT_READ : PROT_READ | PROT_WRITE;
	void *memory = ::mmap(nullptr, bytes, protection, !huge && one_in(random, 8) ? MAP_PRIVATE : MAP_SHARED, file(random),
			      static_cast<off_t>(offset));
	const bool other_file = memory == MAP_FAILED && (errno == ENODEV || errno == EOVERFLOW);
	if (!judge(hostile_deed::map, memory == MAP_FAILED ? (other_file ? EINVAL : errno) : 0))
		return;
	auto *words = static_cast<volatile std::uint32_t *>(memory);
	static_cast<void>(words[0] + words[bytes / 4 - 1]);
	if (protection & PROT_WRITE)
		words[below(random, bytes / 4)] = static_cast<std::uint32_t>(random());
	else if (mprotect(memory, page, PROT_READ | PROT_WRITE) == 0)
		words[0] = 1;
	madvise(memory, bytes, MADV_DONTNEED);
	munmap(memory, page); // in two steps
	munmap(static_cast<std::byte *>(memory) + page, bytes - page);
}

void client::close(random_source &random)
{
	switch (below(random, 8)) {
	case 0: {
		const int old = files_[below(random, files_.size())].exchange(dup(file(random)));
		judge(hostile_deed::close, ::close(old) ? errno : 0);
		break;
	}
	case 1:
		create_space(hostile_deed::close, random, static_cast<unsigned>(below(random, ids_.spaces.size())));
		break;
	case 2:
		create_queue(hostile_deed::close, random, static_cast<unsigned>(below(random, ids_.queues.size())));
		break;
	default:
		create_buffer(hostile_deed::close, random, static_cast<unsigned>(below(random, ids_.buffers.size())));
	}
}

/* Under calls that copy from it, and under the device, which has it by user pointers. */
void client::shake(random_source &random)
{
	std::byte *part = shaky_.data() + below(random, shaky_.size() / page / 2) * page;
	::mmap(part, shaky_.size() / 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	auto *ops = reinterpret_cast<drm_atom_vm_bind_op *>(part);
	std::fill_n(ops, shaky_.size() / 4 / sizeof(*ops), unmap_op(hostile_field(random), page));
	std::this_thread::yield();
	::mmap(part, shaky_.size() / 8, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void client::fork(random_source &random)
{
	const pid_t pid = ::fork();
	if (pid == 0) {
		random_source own(random());
		for (int i = 0; i < 8; ++i)
			(this->*(std::array{&client::bind, &client::submit, &client::map, &client::close}[below(own, 4)]))(own);
		_exit(0); // with mappings, and jobs on the device
	}
	if (!judge(hostile_deed::fork, pid < 0 ? errno : 0))
		return;
	if (one_in(random, 4))
		kill(pid, SIGKILL); // wherever it is
	int status = 0;
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		judge(hostile_deed::fork, ECHILD); // a call, or a mapping, was its end
}

/* A file in flight, received or not, is closed meanwhile by others. */
void client::pass(random_source &random)
{
	int sockets[2];
	if (!judge(hostile_deed::pass, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) ? errno : 0))
		return;
	unique_fd ours(sockets[0]), theirs(sockets[1]);
	if (!judge(hostile_deed::pass, try_send_file(ours.get(), file(random))) || one_in(random, 4))
		return;
	if (one_in(random, 4)) { // the way to the file lies in itself
		try_send_file(ours.get(), theirs.get());
		return;
	}
	const unique_fd received = receive_file(theirs.get());
	ours.reset();
	drm_atom_bo_info info{};
	info.handle = ids_.buffers[below(random, ids_.buffers.size())];
	judge(hostile_deed::pass, try_ioctl(received.get(), DRM_IOCTL_ATOM_BO_INFO, &info));
	pollfd entry{received.get(), POLLIN, 0};
	::poll(&entry, 1, 0);
}

void client::share(random_source &random)
{
	unique_fd shared;
	if (!judge(hostile_deed::share, try_export(file(random), ids_.buffers[below(random, ids_.buffers.size())], shared)))
		return;
	const device other;
	std::uint32_t handle = 0;
	const int into = one_in(random, 2) ? other.fd() : file(random);
	if (!judge(hostile_deed::share, try_import(into, shared.get(), handle)))
		return;
	drm_gem_close args{handle, 0};
	if (one_in(random, 2))
		judge(hostile_deed::share, try_ioctl(into, DRM_IOCTL_GEM_CLOSE, &args));
}

void client::attack(random_source &random, deed what)
{
	while (!stop_)
		(this->*what)(random);
}

void client::run(double seconds)
{
	static constexpr deed deeds[] = {&client::bind,	 &client::bind,	 &client::unbind, &client::huge_arrays, &client::submit, &client::submit,
					 &client::map,	 &client::close, &client::shake,  &client::fork,	&client::pass,	 &client::share};
	std::vector<std::thread> threads;
	for (std::size_t i = 0; i < std::size(deeds); ++i)
		threads.emplace_back([this, i] {
			random_source random(seed_ * std::size(deeds) + i);
			attack(random, deeds[i]);
		});
	const std::uint64_t jobs = report_.jobs;
	pause_ms(static_cast<unsigned>(seconds * 1000));
	eventually([&] { return report_.jobs > jobs; }); // a slow machine has not come far yet
	for (auto &slot : files_)
		::close(slot.exchange(-1));
	dev_.close();
	pause_ms(50);
	stop_ = true;
	for (auto &thread : threads)
		thread.join();
}

} // namespace

const char *name_of(hostile_deed deed)
{
	static constexpr const char *names[hostile_deeds] = {"bind", "unbind", "huge arrays", "submit", "map",
							     "close", "fork",	"pass",	       "share"};
	return names[static_cast<std::size_t>(deed)];
}

void run_hostile_client(std::uint64_t seed, double seconds, hostile_report &report)
{
	client(seed, report).run(seconds);
}

} // namespace vmtest
