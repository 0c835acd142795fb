/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "queue.h"

namespace atom::inprocess {

namespace {

/* As the card has it, and as the kernel driver uses it. */
constexpr std::uint64_t shm_bytes = 32ull << 20;
constexpr std::uint32_t num_queues = 64;
constexpr std::uint32_t num_asids = 65;
constexpr std::uint8_t ring_log2 = 8;
constexpr std::uint32_t fault_log2 = 7; // a record a queue, so that none can be lost

/* Of system memory, for the driver's own rings. */
constexpr std::uint64_t driver_bytes = 2ull << 20;

/* Bus addresses are not memory: buffers can come and go as they like. */
std::uint64_t system_bytes()
{
	struct sysinfo info;
	const std::uint64_t all = sysinfo(&info) == 0 ? std::uint64_t{info.totalram} * info.mem_unit : 4ull << 30;
	return (2 * all + large_page_bytes - 1) / large_page_bytes * large_page_bytes;
}

host::bus_options bus_options_for(const options &how, std::uint32_t number)
{
	host::bus_options o;
	o.ram_size = driver_bytes + system_bytes();
	o.dram_size = how.dram_bytes;
	o.shm_size = shm_bytes;
	o.num_queues = num_queues;
	o.num_asids = num_asids;
	o.num_vectors = num_queues + 1;
	o.executor = how.executor;
	o.engine = how.engine;
	o.threads = how.threads;
	o.pace = how.pace;
	o.compute_off = how.compute_off;
	o.timing = how.timing;
	o.serial = number + 1;
	o.uuid = {'i', 'n', 'p', 'r', 'o', 'c', 0x80, 'a', 0x80, 't', 'o', 'm'}; /* of the free-form kind */
	o.uuid.back() = static_cast<std::uint8_t>(o.serial);
	return o;
}

} // namespace

device::device(const options &how, std::uint32_t number)
	: bus_owner_(std::make_unique<host::host_bus>(bus_options_for(how, number))), bus_(*bus_owner_), driver_(bus_),
	  system_(host::host_bus::ram_base + driver_bytes, bus_.options().ram_size - driver_bytes,
		  bus_.ram(host::host_bus::ram_base + driver_bytes, 1)),
	  local_(0, how.dram_bytes, bus_.dram()), shm_(0, shm_bytes, nullptr), queues_(num_queues + 1)
{
	if (!how.times.empty())
		times_ = std::make_unique<times>(bus_, how.times, number);
	bus_.on_irq = [this](std::uint32_t vector) { interrupt(vector); };
	if (!driver_.bring_up(fault_log2))
		throw std::runtime_error("the device did not start");
	std::string error;
	if (!how.inject.empty() && inject(how.inject.c_str(), error) != 0)
		throw std::runtime_error("inject: " + error);
	limits_.num_queues = bus_.read32(ATOM_REG_NUM_QUEUES);
	limits_.num_asids = bus_.read32(ATOM_REG_NUM_ASIDS);
	limits_.cmd_bytes_max = bus_.read32(ATOM_REG_CMDBUF_BYTES_MAX);
	limits_.args_max = bus_.read32(ATOM_REG_ARGS_MAX);
	limits_.ring_log2 = static_cast<std::uint8_t>(std::min<std::uint32_t>(bus_.read32(ATOM_REG_RING_LOG2_MAX),
									      ring_log2));
	asids_.resize(limits_.num_asids);
	keeper_ = std::thread([this] { run_keeper(); });
}

device::~device()
{
	{
		const std::lock_guard lock(progress_mutex_);
		ending_ = true;
	}
	keeper_wanted_.notify_all();
	keeper_.join();
	resets_.clear(); /* of queues that are dead already; their memory is the bus's */
	bus_owner_.reset();
}

int device::inject(const char *spec, std::string &error)
{
	char *why = nullptr;
	const int result = atom_model_inject(bus_.model(), spec, &why);
	if (why)
		error = why;
	std::free(why);
	return result;
}

bool device::admin(const atom_admin_desc &command)
{
	const std::lock_guard lock(admin_mutex_);
	atom_admin_desc d = command;
	d.flags |= ATOM_DESC_IRQ;
	return driver_.admin(d).status == ATOM_CPL_OK;
}

std::uint32_t device::take_asid()
{
	const std::lock_guard lock(asid_mutex_);
	const auto free = std::find(asids_.begin() + 1, asids_.end(), false);
	if (free == asids_.end())
		return 0;
	*free = true;
	return static_cast<std::uint32_t>(free - asids_.begin());
}

void device::give_asid(std::uint32_t id)
{
	const std::lock_guard lock(asid_mutex_);
	asids_[id] = false;
}

device::progress::~progress()
{
	const auto due = std::exchange(device_.due_, {});
	lock_.unlock();
	if (due.none())
		return;
	for (std::uint32_t id = 1; id <= device_.limits_.num_queues; ++id)
		if (due[id])
			device_.bus_.doorbell(id);
}

std::uint32_t device::add_queue(queue &q)
{
	const auto free = std::find(queues_.begin() + 1, queues_.end(), nullptr);
	if (free == queues_.end())
		return 0;
	*free = &q;
	return static_cast<std::uint32_t>(free - queues_.begin());
}

void device::remove_queue(std::uint32_t id)
{
	std::erase(blocked_, queues_[id]);
	queues_[id] = nullptr;
}

void device::note_blocked(queue &q)
{
	if (std::find(blocked_.begin(), blocked_.end(), &q) == blocked_.end())
		blocked_.push_back(&q);
}

void device::start_ready()
{
	std::erase_if(blocked_, [](queue *q) { return q->start_jobs(); });
}

/* On a thread of the model, or on one that rings a doorbell. */
void device::interrupt(std::uint32_t vector)
{
	const progress hold(*this);
	if (vector == 0) {
		const std::uint32_t causes = bus_.read32(ATOM_REG_INTR_CAUSE);
		bus_.write32(ATOM_REG_INTR_CAUSE, causes);
		if (causes & ATOM_INTR_FAULT)
			read_faults();
	} else if (vector < queues_.size() && queues_[vector]) {
		queues_[vector]->complete();
	}
}

void device::read_faults()
{
	constexpr std::uint64_t entries = 1ull << fault_log2;
	const std::uint64_t tail = bus_.read64(ATOM_REG_FAULT_TAIL);
	while (faults_read_ < tail) {
		atom_fault_record r;
		const std::uint64_t at = driver_.fault_base() + (faults_read_ & (entries - 1)) * sizeof r;
		std::memcpy(&r, bus_.ram(at, sizeof r), sizeof r);
		++faults_read_;
		if (r.queue != 0 && r.queue < queues_.size() && queues_[r.queue])
			queues_[r.queue]->note_fault(r);
	}
	bus_.write64(ATOM_REG_FAULT_HEAD, faults_read_);
}

void device::reset_later(std::shared_ptr<queue> q)
{
	resets_.push_back(std::move(q));
	keeper_wanted_.notify_one();
}

void device::watch()
{
	if (std::exchange(watching_, true))
		return;
	keeper_wanted_.notify_one();
}

void device::look_at_queues()
{
	const auto now = queue::clock::now();
	watching_ = false;
	for (queue *q : queues_) {
		if (!q)
			continue;
		q->look(now);
		watching_ |= q->has_work();
	}
}

/* Sleeps while there is neither work nor a queue to be reset. */
void device::run_keeper()
{
	constexpr std::chrono::milliseconds tick{50};
	for (;;) {
		std::shared_ptr<queue> next;
		{
			progress hold(*this);
			const auto wanted = [this] { return ending_ || !resets_.empty(); };
			if (!watching_)
				keeper_wanted_.wait(hold.lock(), [&] { return watching_ || wanted(); });
			else if (!keeper_wanted_.wait_for(hold.lock(), tick, wanted))
				look_at_queues();
			if (ending_)
				return;
			if (!resets_.empty()) {
				next = std::move(resets_.front());
				resets_.pop_front();
			}
		}
		if (next)
			next->reset();
		bus_.pump();
	}
}

} // namespace atom::inprocess
