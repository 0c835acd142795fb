/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <new>

namespace atom::model {

zeroed_memory::zeroed_memory(std::uint64_t bytes) : bytes_(bytes)
{
	if (!bytes_)
		return;
	void *p = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		throw std::bad_alloc();
	data_ = static_cast<std::byte *>(p);
}

zeroed_memory::~zeroed_memory()
{
	if (data_)
		munmap(data_, bytes_);
}

void zeroed_memory::clear()
{
	if (data_ && madvise(data_, bytes_, MADV_DONTNEED) != 0)
		guest_zero(data_, bytes_);
}

thread_local int control_guard::held_ = 0;

namespace {

/* Steps that a doorbell does itself at most: it holds up a CPU of the guest. */
constexpr int steps_here = 8;
/* Of host memory, for what is made of constant operands. */
constexpr std::uint64_t constants_room = 256 << 20;

} // namespace

device::exclusive::exclusive(device &d) : device_(d)
{
	device_.stop_requests_.fetch_add(1);
	device_.urgency_.fetch_or(urgency_stop);
	device_.attention_.store(1);
	lock_.emplace(device_.control_);
}

device::exclusive::~exclusive()
{
	lock_.reset();
	if (device_.stop_requests_.fetch_sub(1) == 1) {
		device_.urgency_.fetch_and(~std::uint32_t{urgency_stop});
		/* A request that came in between has set the bit before it counted itself in or
		 * sees it cleared here: setting it again costs a tile at most.
		 */
		if (device_.stop_requests_.load())
			device_.urgency_.fetch_or(urgency_stop);
		device_.stop_requests_.notify_all();
		device_.call_attention();
	}
}

device::device(const atom_model_host &host, void *opaque, const atom_model_config &config, const timing &parameters)
	: host_(host, opaque), config_(config), timing_(parameters), shm_(config.shm_size),
	  memory_{static_cast<std::byte *>(config.dram), config.dram_size, shm_.data(), config.shm_size},
	  mmu_(host_, memory_, config.num_asids), kept_(constants_room), queues_(config.num_queues + 1)
{
	engine_options_.reference = config.engine == ATOM_ENGINE_REFERENCE;
	engine_options_.macs_log2_max = macs_log2_max;
	for (std::uint32_t id = 0; id < queues_.size(); ++id)
		queues_[id].id = id;
	unsigned threads = 1;
	if (config.executor == ATOM_EXECUTOR_POOL) {
		threads = config.threads ? config.threads : std::max(1u, std::thread::hardware_concurrency());
		threads = std::min(threads, 256u);
	}
	for (unsigned i = 0; i < threads; ++i)
		workers_.push_back(std::make_unique<worker>(host_, mmu_, memory_, kept_, inject_));
	team_ = std::make_unique<team>(workers_);
	if (config.executor == ATOM_EXECUTOR_POOL)
		dispatcher_ = std::thread([this] { dispatch(); });
}

device::~device()
{
	ending_.store(true);
	urgency_.fetch_or(urgency_stop);
	attention_.store(1);
	attention_.notify_all();
	stop_requests_.store(0);
	stop_requests_.notify_all();
	if (dispatcher_.joinable())
		dispatcher_.join();
	/* No upcall after this: mappings are gone with their tiles, and the rest is memory. */
}

void device::call_attention()
{
	attention_.store(1);
	if (config_.executor == ATOM_EXECUTOR_INLINE)
		host_.kick(); /* each time: one that the front end could not follow must not silence the next */
	else
		attention_.notify_one();
}

/* The pool's dispatcher. It sleeps when there is nothing to do, and stands aside
 * when somebody else wants the device to stand still.
 */
void device::dispatch()
{
	/* A step takes back the call that it follows, and with it that to end if it comes at that moment. */
	while (!ending_.load()) {
		attention_.wait(0);
		{
			const control_guard lock(control_);
			while (!stop_requests_.load() && !ending_.load() && step()) {
			}
		}
		for (std::uint32_t n; (n = stop_requests_.load()) && !ending_.load();)
			stop_requests_.wait(n);
	}
}

bool device::run(std::uint64_t budget_ns)
{
	using clock = std::chrono::steady_clock;
	if (config_.executor != ATOM_EXECUTOR_INLINE)
		return false;
	const auto end = clock::now() + std::chrono::nanoseconds(std::min<std::uint64_t>(budget_ns, 1'000'000'000));
	const control_guard lock(control_);
	while (!stop_requests_.load()) {
		if (!step())
			return false;
		if (clock::now() >= end)
			return true;
	}
	return false;
}

void device::quiesce()
{
	stop_requests_.fetch_add(1);
	urgency_.fetch_or(urgency_stop);
	attention_.store(1);
	const control_guard lock(control_);
}

void device::resume()
{
	std::uint32_t n = stop_requests_.load();
	while (n && !stop_requests_.compare_exchange_weak(n, n - 1)) {
	}
	if (n != 1)
		return;
	urgency_.fetch_and(~std::uint32_t{urgency_stop});
	if (stop_requests_.load())
		urgency_.fetch_or(urgency_stop);
	stop_requests_.notify_all();
	call_attention();
}

/* Nothing may run: not enabled, or not alive. */
bool device::halted()
{
	if (link_down_.load() || power_off_.load())
		return true;
	const std::lock_guard lock(regs_mutex_);
	return !regs_.enabled || regs_.fatal;
}

/* One round: what was asked for, one admin descriptor, one step of one queue.
 * @return false if there is nothing to do until attention_ is called again
 */
bool device::step()
{
	attention_.store(0);
	if (reset_pending_.load())
		do_reset(ATOM_RESET_FLR);
	if (halted())
		return attention_.load();
	if (timer_due_.exchange(false))
		run_timers();
	take_doorbells();
	const bool more_admin = admin_step();
	settle_admin_urgency();
	if (const std::uint32_t id = scheduler_.pick()) {
		queue &q = queues_[id];
		try {
			run_queue(q);
		} catch (const std::exception &e) {
			host_.log(ATOM_LOG_ERROR, "queue %u: %s", id, e.what());
			job_fault f;
			f.what.code = ATOM_FAULT_INTERNAL;
			fault_job(q, f);
		}
		update_runnable(q);
	}
	if (config_.pace == ATOM_PACE_DEVICE || late_pending_.load(std::memory_order_relaxed))
		arm_timer();
	return more_admin || scheduler_.any() || attention_.load();
}

void device::doorbell(std::uint32_t id)
{
	host_.trace(ATOM_TRACE_DOORBELL, id);
	if (id > config_.num_queues || link_down_.load())
		return;
	doorbells_[id / 64].fetch_or(1ull << (id % 64));
	if (id == 0)
		urgency_.fetch_or(urgency_admin);
	work_here();
}

/*
 * The pool's short cut. If nobody is at work, small jobs and admin descriptors
 * are done on the thread that rings: the same steps, taken in the same order.
 * What is larger, or more, is left to the dispatcher.
 */
void device::work_here()
{
	if (config_.executor == ATOM_EXECUTOR_POOL && !control_guard::held_here()) {
		const control_guard lock(control_, std::try_to_lock);
		if (lock && !reset_pending_.load()) {
			bool more = true;
			small_only_ = true;
			handed_over_ = false;
			for (int n = 0; n < steps_here && more && !handed_over_ && !stop_requests_.load(); ++n)
				more = step();
			small_only_ = false;
			if (!more && !handed_over_)
				return;
		}
	}
	call_attention();
}

void device::take_doorbells()
{
	for (std::uint32_t w = 0; w < doorbells_.size(); ++w) {
		if (!doorbells_[w].load(std::memory_order_relaxed))
			continue;
		for (std::uint64_t rung = doorbells_[w].exchange(0); rung; rung &= rung - 1) {
			const std::uint32_t id = w * 64 + static_cast<std::uint32_t>(std::countr_zero(rung));
			if (id == 0) {
				look_at_admin_tail();
				continue;
			}
			queue &q = queues_[id];
			if (!q.created || q.stopped())
				continue;
			read_tail(q);
			update_runnable(q);
		}
	}
}

void device::timer()
{
	timer_due_.store(true);
	call_attention();
}

void device::run_timers()
{
	const std::uint64_t now = host_.now_ns();
	timer_armed_ = UINT64_MAX;
	for (queue &q : queues_) {
		if (q.current && q.current->ended && q.current->retire_at <= now && !q.stopped()) {
			finish(q);
			update_runnable(q);
		}
	}
	std::vector<late_irq> due;
	{
		const std::lock_guard lock(late_mutex_);
		const auto late = std::partition(late_.begin(), late_.end(),
						 [now](const late_irq &l) { return l.at > now; });
		due.assign(late, late_.end());
		late_.erase(late, late_.end());
		late_pending_.store(!late_.empty());
	}
	for (const late_irq &l : due)
		host_.irq(l.vector);
}

/* One timer for all that waits for a time. */
void device::arm_timer()
{
	std::uint64_t next = UINT64_MAX;
	if (config_.pace == ATOM_PACE_DEVICE) {
		for (const queue &q : queues_) {
			if (q.current && q.current->ended)
				next = std::min(next, q.current->retire_at);
		}
	}
	{
		const std::lock_guard lock(late_mutex_);
		for (const late_irq &l : late_)
			next = std::min(next, l.at);
	}
	if (next == timer_armed_)
		return;
	timer_armed_ = next;
	host_.timer(next);
}

void device::configure(std::uint32_t event, std::uint64_t value)
{
	switch (event) {
	case ATOM_CFG_POWER: {
		const exclusive hold(*this);
		power_off_.store(value != 0);
		host_.set_reachable(!power_off_.load() && !link_down_.load());
		break;
	}
	case ATOM_CFG_LINK: {
		link_down_.store(value == 0);
		const exclusive hold(*this);
		if (link_down_.load())
			do_reset(ATOM_RESET_FLR); /* what was running never ends */
		host_.set_reachable(!power_off_.load() && !link_down_.load());
		break;
	}
	case ATOM_CFG_BUS_MASTER: {
		/* The front end's DMA fails by itself; what a tile has mapped is let go of before this returns. */
		if (value == 0)
			const exclusive hold(*this);
		break;
	}
	default: /* vectors: information */
		break;
	}
}

void device::reset(std::uint32_t kind)
{
	const exclusive hold(*this);
	do_reset(kind);
}

/* Called with control_ held, so that no tile runs and nothing of the old life follows. */
void device::do_reset(std::uint32_t kind)
{
	for (queue &q : queues_) {
		if (q.current)
			release_copies(*q.current);
		q.current.reset();
		q.created = false;
		q.frozen = false;
		q.waiting_for_room = false;
		q.head = q.tail = 0;
		q.regs.state = ATOM_QUEUE_NONE;
		q.regs.generation = 0;
		q.regs.seqno = q.regs.head = q.regs.progress = q.regs.busy_ns = q.regs.modelled_ns = 0;
		q.regs.command = ATOM_COMMAND_NONE;
		q.regs.fault_code = ATOM_FAULT_NONE;
	}
	admin_.clear.active = false;
	admin_.head = admin_.tail = 0;
	admin_.regs.state = ATOM_QUEUE_NONE;
	admin_.regs.seqno = admin_.regs.head = admin_.regs.progress = 0;
	admin_changed_.store(true);
	scheduler_.clear();
	copies_bytes_ = 0;
	engines_free_at_ = link_free_at_ = 0;
	telemetry_.drop_spans(host_.now_ns());
	mmu_.reset();
	kept_.clear();
	for (const auto &w : workers_)
		w->memory.cache().clear();
	shm_.clear();
	for (auto &word : doorbells_)
		word.store(0);
	urgency_.fetch_and(~std::uint32_t{urgency_admin | urgency_reset});
	{
		const std::lock_guard lock(late_mutex_);
		late_.clear();
		late_pending_.store(false);
	}
	if (kind == ATOM_RESET_COLD) {
		counters_.clear();
		telemetry_.clear();
		telemetry_.clear_forced(host_.now_ns());
		too_hot_.store(false);
		inject_.clear();
	}
	std::uint32_t generation = 0;
	{
		const std::lock_guard lock(regs_mutex_);
		generation = kind == ATOM_RESET_COLD ? 0 : regs_.generation + 1;
		regs_ = registers{};
		regs_.generation = generation;
		latched_.reset();
		reset_pending_.store(false);
	}
	host_.trace(ATOM_TRACE_RESET, kind, generation);
}

} // namespace atom::model
