// SPDX-License-Identifier: MIT
#include "load.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>
#include <system_error>

#include <sys/mman.h>

namespace vmtest {

struct load::report {
	std::atomic<std::uint64_t> jobs;
	std::atomic<std::uint64_t> told;
	std::atomic<bool> failed;
	char failure[256];
};

namespace {

constexpr unsigned batch_jobs = 4;
constexpr unsigned words = 256;
constexpr std::uint64_t bytes = words * 4;
constexpr unsigned guilty = DRM_ATOM_QUEUE_STATE_FAULT | DRM_ATOM_QUEUE_STATE_TIMEDOUT;
constexpr std::int64_t patience_ns = 300'000'000'000;

[[noreturn]] void device_lost(int error, const char *where) { throw std::system_error(error, std::generic_category(), where); }

/**
 * One client. Job i of a batch adds a constant in device memory to input i and copies the sum: what is lost, done twice, done
 * by another's tables or not done at all shows in one of them.
 */
class client {
public:
	client(std::size_t device, losses allowed)
		: c_(device), allowed_(allowed), constant_(c_.alloc(page, DRM_ATOM_BO_LOCAL)), in_(c_.alloc(page)),
		  sum_(c_.alloc(page)), copy_(c_.alloc(page))
	{
		fill_pattern(constants_, 0x5eed);
		std::memcpy(constant_.map.data(), constants_.data(), bytes);
		c_.q.destroy();
		q_.emplace(c_.dev, c_.space);
		for (unsigned i = 0; i < batch_jobs; ++i) {
			const auto part = [&](const memory &m) { return tensor(ATOM_DTYPE_I32, {words}, m.va + i * bytes); };
			const auto constant = tensor(ATOM_DTYPE_I32, {words}, constant_.va);
			programs_[i] = c_.job(command_list(make_binary(ATOM_BINARY_ADD, part(in_), constant, part(sum_)),
							   make_fence(), make_copy(part(sum_), part(copy_))));
			done_.emplace_back(c_.dev);
		}
	}

	/** @return jobs that were lost, and told to be */
	unsigned batch()
	{
		fill_pattern(in_.as<std::uint32_t>(), ++round_);
		std::memset(sum_.map.data(), 0, page);
		std::memset(copy_.map.data(), 0, page);
		std::array<drm_atom_sync, batch_jobs> syncs;
		auto jobs = programs_;
		for (unsigned i = 0; i < batch_jobs; ++i) {
			syncs[i] = done_[i].signal_binary();
			jobs[i].syncs = {sizeof(syncs[i]), 1, reinterpret_cast<std::uintptr_t>(&syncs[i])};
		}
		const int error = q_->try_submit(jobs);
		if (error == ECANCELED)
			return judge(false);
		if (error)
			device_lost(error, "SUBMIT");
		for (const auto &done : done_)
			if (const int woken = done.try_wait_binary(patience_ns))
				device_lost(woken, "waiting for a job");
		return judge(true);
	}

private:
	/** Results against what the kernel says of the jobs. */
	unsigned judge(bool submitted)
	{
		const auto state = q_->state();
		if (state.flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST)
			device_lost(ENODEV, "QUEUE_GET_STATE");
		const bool hit = state.flags || state.generation != generation_ || !submitted;
		if (hit && (allowed_ == losses::none || state.flags & guilty))
			throw std::runtime_error("an innocent queue was hit: " + describe(state));
		unsigned lost = submitted ? 0 : batch_jobs;
		for (unsigned i = 0; submitted && i < batch_jobs; ++i) {
			if (hit && done_[i].fence_status() < 0)
				++lost;
			else
				check(i);
		}
		if (lost && !(state.flags & DRM_ATOM_QUEUE_STATE_INNOCENT))
			throw std::runtime_error("jobs were lost, but the queue is not told to be innocent: " + describe(state));
		generation_ = state.generation;
		if (state.flags & DRM_ATOM_QUEUE_STATE_BANNED) {
			q_.emplace(c_.dev, c_.space);
			generation_ = 0;
		}
		return lost;
	}

	void check(unsigned job) const
	{
		for (unsigned i = job * words; i < (job + 1) * words; ++i) {
			const std::uint32_t wanted = in_.as<std::uint32_t>()[i] + constants_[i % words];
			if (sum_.as<std::uint32_t>()[i] == wanted && copy_.as<std::uint32_t>()[i] == wanted)
				continue;
			// Mappings of a device that has gone show nothing.
			if (q_->state().flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST)
				device_lost(ENODEV, "checking");
			throw std::runtime_error("word " + std::to_string(i) + " is wrong in round " + std::to_string(round_) +
						 ": " + std::to_string(sum_.as<std::uint32_t>()[i]) + " and " +
						 std::to_string(copy_.as<std::uint32_t>()[i]) + " instead of " +
						 std::to_string(wanted) + "; " + describe(q_->state()));
		}
	}

	context c_;
	losses allowed_;
	memory constant_, in_, sum_, copy_;
	/** What is in constant_: from there the CPU reads ones when the device has been pulled out. */
	std::array<std::uint32_t, words> constants_;
	std::optional<queue> q_;
	std::array<drm_atom_job, batch_jobs> programs_;
	std::vector<syncobj> done_;
	std::uint32_t generation_ = 0;
	std::uint32_t round_ = 0;
};

bool is_loss(const std::system_error &error)
{
	return error.code().value() == ENODEV || error.code().value() == EIO;
}

/** A client on a device that may be away at the moment. */
std::unique_ptr<client> start(const load_options &options)
{
	if (options.allowed != losses::device)
		return std::make_unique<client>(options.device, options.allowed);
	std::unique_ptr<client> result;
	std::string why;
	const bool there = eventually([&] {
		try {
			result = std::make_unique<client>(options.device, options.allowed);
		} catch (const std::exception &error) {
			why = error.what();
		}
		return result != nullptr;
	}, 120);
	if (!there)
		throw std::runtime_error("the device has not come back: " + why);
	return result;
}

} // namespace

load::load(const load_options &options) : options_(options)
{
	void *memory = mmap(nullptr, options.processes * sizeof(report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	reports_ = static_cast<report *>(memory);
	for (unsigned p = 0; p < options.processes; ++p)
		processes_.push_back(std::make_unique<child>([this, p] {
			report &mine = reports_[p];
			try {
				auto worker = start(options_);
				while (!end_.count()) {
					try {
						const unsigned lost = worker->batch();
						mine.jobs += batch_jobs - lost;
						mine.told += lost;
					} catch (const std::system_error &error) {
						if (options_.allowed != losses::device || !is_loss(error))
							throw;
						++mine.told;
						worker.reset();
						worker = start(options_);
					}
				}
			} catch (const std::exception &error) {
				std::strncpy(mine.failure, error.what(), sizeof(mine.failure) - 1);
				mine.failed = true;
				throw;
			}
		}));
	if (const auto wrong = await_progress(); !wrong.empty())
		throw std::runtime_error("the load does not start: " + wrong);
}

load::~load()
{
	processes_.clear();
	munmap(reports_, options_.processes * sizeof(report));
}

std::uint64_t load::jobs() const
{
	std::uint64_t sum = 0;
	for (unsigned p = 0; p < options_.processes; ++p)
		sum += reports_[p].jobs;
	return sum;
}

std::uint64_t load::told() const
{
	std::uint64_t sum = 0;
	for (unsigned p = 0; p < options_.processes; ++p)
		sum += reports_[p].told;
	return sum;
}

std::string load::failures() const
{
	std::string text;
	for (unsigned p = 0; p < options_.processes; ++p)
		if (reports_[p].failed)
			text += "process " + std::to_string(p) + ": " + reports_[p].failure + "; ";
	return text;
}

std::string load::await_progress(std::uint64_t more, double seconds) const
{
	std::vector<std::uint64_t> wanted;
	for (unsigned p = 0; p < options_.processes; ++p)
		wanted.push_back(reports_[p].jobs + more);
	std::string text;
	const bool moved = eventually([&] {
		if (!(text = failures()).empty())
			return true;
		for (unsigned p = 0; p < options_.processes; ++p)
			if (reports_[p].jobs < wanted[p])
				return false;
		return true;
	}, seconds);
	return moved ? text : "not all processes get on";
}

std::string load::stop()
{
	end_.raise();
	std::string text;
	for (unsigned p = 0; p < processes_.size(); ++p)
		if (const int status = processes_[p]->wait(); status && !reports_[p].failed)
			text += "process " + std::to_string(p) + " ended with " + std::to_string(status) + "; ";
	processes_.clear();
	return text + failures();
}

} // namespace vmtest
