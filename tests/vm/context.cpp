// SPDX-License-Identifier: MIT
#include "context.hpp"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <csignal>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmtest {

context::context(std::size_t device_index, const queue::options &how)
	: dev(device_index), space(dev), q(dev, space, how), timeline(dev)
{
}

memory context::alloc(std::uint64_t bytes, std::uint32_t placement)
{
	memory result;
	result.bo = buffer(dev, bytes, placement);
	result.va = space.map(result.bo);
	if (placement != DRM_ATOM_BO_SHM)
		result.map = result.bo.map();
	return result;
}

drm_atom_job context::job(std::span<const std::byte> command_buffer)
{
	programs_.push_back(alloc(command_buffer.size()));
	std::memcpy(programs_.back().map.data(), command_buffer.data(), command_buffer.size());
	drm_atom_job result{};
	result.cmd_va = programs_.back().va;
	result.cmd_bytes = static_cast<__u32>(command_buffer.size());
	return result;
}

drm_atom_job context::job(const command_list &commands)
{
	const auto bytes = commands.finish();
	return job(bytes);
}

std::uint64_t context::submit(drm_atom_job job)
{
	const drm_atom_sync done = timeline.signal_at(point + 1);
	job.syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
	const std::uint64_t seqno = q.submit(job);
	++point;
	return seqno;
}

void context::run(const drm_atom_job &job)
{
	submit(job);
	wait();
	const auto state = q.state();
	if (state.flags || state.failed_seqno)
		throw std::runtime_error("the job failed: " + describe(state));
}

drm_atom_queue_get_state context::run_failing(const drm_atom_job &job)
{
	submit(job);
	wait();
	const auto state = q.state();
	if (!state.failed_seqno)
		throw std::runtime_error("the job did not fail: " + describe(state));
	return state;
}

std::string describe(const drm_atom_queue_get_state &state)
{
	std::ostringstream text;
	text << "flags " << state.flags << ", error " << state.error << ", submitted " << state.submitted
	     << ", completed " << state.completed << ", failed " << state.failed_seqno << ", fault code "
	     << state.fault_code << " where " << state.fault_where << " command " << state.fault_command << " field "
	     << state.fault_field << " opcode " << state.fault_opcode << " va 0x" << std::hex << state.fault_va
	     << " access " << state.fault_access;
	return text.str();
}

child::child(const std::function<void()> &body)
{
	std::fflush(nullptr);
	pid_ = fork();
	if (pid_ < 0)
		throw std::system_error(errno, std::generic_category(), "fork");
	if (pid_ > 0)
		return;
	int status = 1;
	try {
		body();
		status = 0;
	} catch (const std::exception &error) {
		std::fprintf(stderr, "child process: %s\n", error.what());
	}
	std::fflush(nullptr);
	_exit(status); // not exit(): the parent's objects are not ours to destroy
}

void child::kill()
{
	if (pid_ > 0)
		::kill(pid_, SIGKILL);
}

int child::wait()
{
	int status = 0;
	while (waitpid(pid_, &status, 0) < 0) {
		if (errno != EINTR)
			throw std::system_error(errno, std::generic_category(), "waitpid");
	}
	pid_ = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

child::~child()
{
	if (pid_ > 0) {
		kill();
		int status;
		waitpid(pid_, &status, 0);
	}
}

shared_flag::shared_flag()
{
	void *memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	counter_ = static_cast<unsigned *>(memory);
}

shared_flag::~shared_flag() { munmap(counter_, page); }

void shared_flag::raise() { std::atomic_ref(*counter_).fetch_add(1); }

unsigned shared_flag::count() const { return std::atomic_ref(*counter_).load(); }

bool shared_flag::wait(unsigned times, double seconds) const
{
	return eventually([&] { return count() >= times; }, seconds);
}

void fill_pattern(std::span<std::uint32_t> words, std::uint32_t seed)
{
	for (std::size_t i = 0; i < words.size(); ++i)
		words[i] = (static_cast<std::uint32_t>(i) + 1) * 2654435761u ^ seed;
}

long find_damage(std::span<const std::uint32_t> words, std::uint32_t seed)
{
	for (std::size_t i = 0; i < words.size(); ++i)
		if (words[i] != ((static_cast<std::uint32_t>(i) + 1) * 2654435761u ^ seed))
			return static_cast<long>(i);
	return -1;
}

long find_nonzero(std::span<const std::byte> bytes)
{
	for (std::size_t i = 0; i < bytes.size(); ++i)
		if (bytes[i] != std::byte{0})
			return static_cast<long>(i);
	return -1;
}

void pause_ms(unsigned ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

bool eventually(const std::function<bool()> &condition, double seconds)
{
	const std::int64_t end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
	while (!condition()) {
		if (now_ns() > end)
			return false;
		pause_ms(5);
	}
	return true;
}

} // namespace vmtest
