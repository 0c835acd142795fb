/* SPDX-License-Identifier: MIT */
#include "host_bus.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "atom/hw/regs.h"

namespace atom::host {

namespace {

/* Bus addresses and those of the CPU are alike up to this, so that large pages can be used. */
constexpr std::uint64_t alignment = 2ull << 20;

/* Memory that is there when it is used. */
std::byte *reserve(std::uint64_t bytes)
{
	void *p = mmap(nullptr, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);
	if (p == MAP_FAILED)
		throw std::bad_alloc();
	/* What is cut off in front and behind costs nothing but addresses: give it back. */
	auto *start = static_cast<std::byte *>(p);
	const std::uint64_t skip = (alignment - reinterpret_cast<std::uintptr_t>(start) % alignment) % alignment;
	if (skip)
		munmap(start, skip);
	if (skip < alignment)
		munmap(start + skip + bytes, alignment - skip);
	return start + skip;
}

/* Bytes that rings, records and page tables are made of: beyond it is data. */
constexpr std::uint64_t ordered_bytes_max = 4096;

bool in_words(const std::byte *memory, std::uint64_t bytes)
{
	return bytes % 8 == 0 && bytes <= ordered_bytes_max && reinterpret_cast<std::uintptr_t>(memory) % 8 == 0;
}

/* Eight aligned bytes are one access, in order, as on a real bus: rings and page tables count on it. */
void transfer_in(void *to, std::byte *from, std::uint64_t bytes)
{
	if (!in_words(from, bytes)) {
		std::memcpy(to, from, bytes);
		return;
	}
	auto *words = reinterpret_cast<std::uint64_t *>(from);
	for (std::uint64_t i = 0; i < bytes / 8; ++i) {
		const std::uint64_t v = std::atomic_ref(words[i]).load(std::memory_order_acquire);
		std::memcpy(static_cast<std::byte *>(to) + 8 * i, &v, sizeof v);
	}
}

void transfer_out(std::byte *to, const void *from, std::uint64_t bytes)
{
	if (!in_words(to, bytes)) {
		std::memcpy(to, from, bytes);
		return;
	}
	auto *words = reinterpret_cast<std::uint64_t *>(to);
	for (std::uint64_t i = 0; i < bytes / 8; ++i) {
		std::uint64_t v;
		std::memcpy(&v, static_cast<const std::byte *>(from) + 8 * i, sizeof v);
		std::atomic_ref(words[i]).store(v, std::memory_order_release);
	}
}

host_bus &self(void *opaque)
{
	return *static_cast<host_bus *>(opaque);
}

} // namespace

atom_model_host host_bus::callbacks(bool mapping)
{
	atom_model_host h{};
	h.struct_size = sizeof h;
	h.abi = ATOM_MODEL_ABI;
	h.dma_read = [](void *o, std::uint32_t, std::uint32_t, std::uint64_t addr, void *buf, std::uint64_t len) {
		host_bus &bus = self(o);
		if (bus.on_dma_read)
			bus.on_dma_read(addr, len);
		std::byte *p = bus.dma_allowed(addr, len) ? bus.ram(addr, len) : nullptr;
		if (!p)
			return -EIO;
		transfer_in(buf, p, len);
		return 0;
	};
	h.dma_write = [](void *o, std::uint32_t, std::uint32_t, std::uint64_t addr, const void *buf,
			 std::uint64_t len) {
		host_bus &bus = self(o);
		std::byte *p = bus.dma_allowed(addr, len) ? bus.ram(addr, len) : nullptr;
		if (!p)
			return -EIO;
		transfer_out(p, buf, len);
		return 0;
	};
	if (mapping) {
		h.dma_map = [](void *o, std::uint32_t, std::uint32_t, std::uint64_t addr, std::uint64_t *len,
			       int) -> void * {
			host_bus &bus = self(o);
			std::byte *p = bus.dma_allowed(addr, *len) ? bus.ram(addr, *len) : nullptr;
			if (p)
				++bus.mappings_;
			return p;
		};
		h.dma_unmap = [](void *o, std::uint32_t, void *, std::uint64_t, int) { --self(o).mappings_; };
	}
	h.irq = [](void *o, std::uint32_t, std::uint32_t vector) {
		host_bus &bus = self(o);
		if (bus.on_irq)
			bus.on_irq(vector);
		{
			const std::lock_guard lock(bus.irq_mutex_);
			if (vector < bus.irqs_.size())
				++bus.irqs_[vector];
		}
		bus.irq_.notify_all();
	};
	h.now_ns = [](void *o) { return self(o).now_ns(); };
	h.kick = [](void *o) { self(o).kicked_.store(true); };
	h.timer = [](void *o, std::uint64_t deadline) {
		host_bus &bus = self(o);
		const std::lock_guard lock(bus.clock_mutex_);
		bus.deadline_ = deadline;
		bus.clock_changed_.notify_all();
	};
	h.trace = [](void *o, std::uint32_t event, const std::uint64_t args[4]) {
		if (self(o).on_trace)
			self(o).on_trace(event, args);
	};
	h.log = [](void *o, int, const char *message) {
		host_bus &bus = self(o);
		const std::lock_guard lock(bus.log_mutex_);
		bus.log_.emplace_back(message);
	};
	h.command_time = [](void *o, const atom_model_command_time *t) {
		if (self(o).on_command_time)
			self(o).on_command_time(*t);
	};
	return h;
}

host_bus::host_bus(const bus_options &options) : options_(options), irqs_(options.num_vectors)
{
	ram_ = reserve(options_.ram_size);
	dram_ = reserve(options_.dram_size);
	atom_model_config c{};
	c.struct_size = sizeof c;
	c.platform = ATOM_PLATFORM_INPROCESS;
	c.dram = dram_;
	c.dram_size = options_.dram_size;
	c.dram_window = options_.dram_window ? options_.dram_window : options_.dram_size;
	c.shm_size = options_.shm_size;
	c.num_queues = options_.num_queues;
	c.num_asids = options_.num_asids;
	c.num_vectors = options_.num_vectors;
	c.executor = options_.executor;
	c.engine = options_.engine;
	c.threads = options_.threads;
	c.pace = options_.pace;
	c.compute_off = options_.compute_off;
	c.serial = options_.serial;
	std::copy(options_.uuid.begin(), options_.uuid.end(), c.uuid);
	c.timing = options_.timing.c_str();
	const atom_model_host h = callbacks(options_.mapping);
	char *error = nullptr;
	model_ = atom_model_create(&h, this, &c, &error);
	if (!model_) {
		const std::string why = error ? error : "atom_model_create() failed";
		std::free(error);
		munmap(ram_, options_.ram_size);
		munmap(dram_, options_.dram_size);
		throw std::runtime_error(why);
	}
	if (!options_.manual_clock)
		clock_ = std::thread([this] { run_clock(); });
}

host_bus::~host_bus()
{
	{
		const std::lock_guard lock(clock_mutex_);
		ending_ = true;
	}
	clock_changed_.notify_all();
	if (clock_.joinable())
		clock_.join();
	atom_model_destroy(model_);
	munmap(ram_, options_.ram_size);
	munmap(dram_, options_.dram_size);
}

/* Calls the model's timer when it is due. */
void host_bus::run_clock()
{
	std::unique_lock lock(clock_mutex_);
	while (!ending_) {
		const std::uint64_t now = now_ns();
		if (deadline_ <= now) {
			deadline_ = UINT64_MAX;
			lock.unlock();
			atom_model_timer(model_);
			lock.lock();
		} else if (deadline_ == UINT64_MAX) {
			clock_changed_.wait(lock);
		} else {
			clock_changed_.wait_for(lock, std::chrono::nanoseconds(deadline_ - now));
		}
	}
}

std::uint64_t host_bus::now_ns() const
{
	if (options_.manual_clock)
		return manual_now_.load();
	return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
						  std::chrono::steady_clock::now().time_since_epoch())
						  .count());
}

void host_bus::advance(std::uint64_t ns)
{
	manual_now_ += ns;
	bool due = false;
	{
		const std::lock_guard lock(clock_mutex_);
		due = deadline_ <= manual_now_.load();
		if (due)
			deadline_ = UINT64_MAX;
	}
	if (due)
		atom_model_timer(model_);
	pump();
}

std::uint64_t host_bus::read(std::uint64_t offset, std::uint32_t size)
{
	return atom_model_mmio_read(model_, 0, offset, size);
}

std::uint32_t host_bus::read32(std::uint64_t offset)
{
	return static_cast<std::uint32_t>(read(offset, 4));
}

std::uint64_t host_bus::read64(std::uint64_t offset)
{
	return read(offset, 8);
}

void host_bus::write(std::uint64_t offset, std::uint64_t value, std::uint32_t size)
{
	atom_model_mmio_write(model_, 0, offset, value, size);
}

void host_bus::write32(std::uint64_t offset, std::uint32_t value)
{
	write(offset, value, 4);
}

void host_bus::write64(std::uint64_t offset, std::uint64_t value)
{
	write(offset, value, 8);
}

void host_bus::doorbell(std::uint32_t queue)
{
	atom_model_doorbell(model_, 0, queue);
}

std::byte *host_bus::ram(std::uint64_t addr, std::uint64_t bytes)
{
	if (addr < ram_base || bytes > options_.ram_size || addr - ram_base > options_.ram_size - bytes)
		return nullptr;
	return ram_ + (addr - ram_base);
}

void host_bus::pump()
{
	if (options_.executor != ATOM_EXECUTOR_INLINE)
		return;
	while (kicked_.exchange(false)) {
		const std::lock_guard lock(pump_mutex_);
		while (atom_model_run(model_, 10'000'000)) {
		}
	}
}

std::uint64_t host_bus::interrupts(std::uint32_t vector) const
{
	const std::lock_guard lock(irq_mutex_);
	return vector < irqs_.size() ? irqs_[vector] : 0;
}

bool host_bus::wait(const std::function<bool()> &done, std::chrono::milliseconds timeout)
{
	const auto end = std::chrono::steady_clock::now() + timeout;
	for (;;) {
		pump();
		if (done())
			return true;
		if (std::chrono::steady_clock::now() >= end)
			return false;
		/* What is waited for need not come with an interrupt. */
		std::unique_lock lock(irq_mutex_);
		irq_.wait_for(lock, std::chrono::microseconds(200));
	}
}

bool host_bus::dma_allowed(std::uint64_t addr, std::uint64_t bytes) const
{
	if (!bus_master_.load(std::memory_order_relaxed))
		return false;
	if (!scripted_.load(std::memory_order_relaxed))
		return true;
	const std::lock_guard lock(script_mutex_);
	return std::none_of(failing_.begin(), failing_.end(),
			    [&](const range &r) { return addr < r.end && r.begin < addr + bytes; });
}

void host_bus::fail_dma(std::uint64_t addr, std::uint64_t bytes)
{
	const std::lock_guard lock(script_mutex_);
	failing_.push_back({addr, addr + bytes});
	scripted_.store(true);
}

void host_bus::heal_dma()
{
	const std::lock_guard lock(script_mutex_);
	failing_.clear();
	scripted_.store(false);
}

void host_bus::set_bus_master(bool on)
{
	bus_master_.store(on);
	atom_model_cfg(model_, 0, ATOM_CFG_BUS_MASTER, on);
}

std::vector<std::string> host_bus::log() const
{
	const std::lock_guard lock(log_mutex_);
	return log_;
}

} // namespace atom::host
