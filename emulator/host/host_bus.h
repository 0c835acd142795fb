/* SPDX-License-Identifier: MIT */
/**
 * @file host_bus.h
 * @brief A PCI bus in this process, around one device model: RAM, BARs and an
 * interrupt log, without QEMU. For tests, fuzzers and libatom's in-process device.
 *
 * Thread-safe unless said otherwise.
 */
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "atom_model.h"

namespace atom::host {

struct bus_options {
	std::uint64_t ram_size = 64ull << 20;  ///< system memory, at bus address ram_base
	std::uint64_t dram_size = 64ull << 20;
	std::uint64_t dram_window = 0;         ///< 0: as large as the DRAM
	std::uint64_t shm_size = 4ull << 20;
	std::uint32_t num_queues = 64;
	std::uint32_t num_asids = 64;
	std::uint32_t num_vectors = 65;
	std::uint32_t executor = ATOM_EXECUTOR_INLINE; ///< enum atom_executor
	std::uint32_t engine = ATOM_ENGINE_FAST;       ///< enum atom_engine_kind
	std::uint32_t threads = 2;
	std::uint32_t pace = ATOM_PACE_HOST;           ///< enum atom_pace
	bool compute_off = false;
	bool mapping = true;      ///< offer dma_map; false: the model copies everything
	bool manual_clock = false; ///< now_ns stands still but for advance()
	std::uint64_t serial = 1;
	std::array<std::uint8_t, 16> uuid = {};
	std::string timing = {}; ///< changes of the timing model's parameters: name=value,..
};

class host_bus {
public:
	/** Bus address of the first byte of RAM: address 0 is never valid. */
	static constexpr std::uint64_t ram_base = 0x1'0000'0000;

	/** @throw std::runtime_error with the model's sentence */
	explicit host_bus(const bus_options &options);
	~host_bus();
	host_bus(const host_bus &) = delete;
	host_bus &operator=(const host_bus &) = delete;

	const bus_options &options() const { return options_; }
	atom_model *model() { return model_; }

	/** BAR0. */
	std::uint32_t read32(std::uint64_t offset);
	std::uint64_t read64(std::uint64_t offset);
	std::uint64_t read(std::uint64_t offset, std::uint32_t size);
	void write32(std::uint64_t offset, std::uint32_t value);
	void write64(std::uint64_t offset, std::uint64_t value);
	void write(std::uint64_t offset, std::uint64_t value, std::uint32_t size);
	/** BAR2. */
	void doorbell(std::uint32_t queue);
	/** BAR4: bytes of the window, as the CPU sees them. */
	std::byte *dram() { return dram_; }

	/** Pointer to RAM at bus address @p addr, nullptr if [addr, addr + bytes) is not RAM. */
	std::byte *ram(std::uint64_t addr, std::uint64_t bytes);

	/** Inline executor: works until nothing is left to do. */
	void pump();
	/** Manual clock: time goes on; timers that fall due are run. */
	void advance(std::uint64_t ns);
	std::uint64_t now_ns() const;

	/** Interrupts of @p vector since the beginning. */
	std::uint64_t interrupts(std::uint32_t vector) const;
	/** Waits until @p done holds; works (inline) or sleeps between interrupts. False: @p timeout passed. */
	bool wait(const std::function<bool()> &done,
		  std::chrono::milliseconds timeout = std::chrono::seconds(30));

	/** DMA that touches [addr, addr + bytes) fails from now on. */
	void fail_dma(std::uint64_t addr, std::uint64_t bytes);
	/** Takes back all fail_dma(). */
	void heal_dma();
	/** Off: every DMA fails, as with bus mastering off. */
	void set_bus_master(bool on);
	/** Mappings that the model holds at this moment, and the most it ever held. */
	int mappings() const { return mappings_.load(); }
	/** Called before each read of RAM by the device, on its thread; set it before work begins. */
	std::function<void(std::uint64_t addr, std::uint64_t bytes)> on_dma_read;
	/** Called with each trace event; set it before work begins. */
	std::function<void(std::uint32_t, const std::uint64_t *)> on_trace;
	/** Called with the modelled time of each command; set it before work begins. */
	std::function<void(const atom_model_command_time &)> on_command_time;
	/** Called before each interrupt is counted, on the model's thread; set it before work begins. */
	std::function<void(std::uint32_t)> on_irq;
	/** Lines that the model logged. */
	std::vector<std::string> log() const;

private:
	struct range {
		std::uint64_t begin;
		std::uint64_t end;
	};

	static atom_model_host callbacks(bool mapping);
	bool dma_allowed(std::uint64_t addr, std::uint64_t bytes) const;
	void run_clock();

	bus_options options_;
	std::byte *ram_ = nullptr;
	std::byte *dram_ = nullptr;
	atom_model *model_ = nullptr;

	std::atomic<bool> kicked_{false};
	std::mutex pump_mutex_; // one thread at a time is the inline executor
	std::atomic<bool> bus_master_{true};
	std::atomic<int> mappings_{0};
	std::atomic<bool> scripted_{false};
	mutable std::mutex script_mutex_;
	std::vector<range> failing_;

	mutable std::mutex irq_mutex_;
	std::condition_variable irq_;
	std::vector<std::uint64_t> irqs_;

	mutable std::mutex log_mutex_;
	std::vector<std::string> log_;

	std::atomic<std::uint64_t> manual_now_{1'000'000'000};
	std::mutex clock_mutex_;
	std::condition_variable clock_changed_;
	std::uint64_t deadline_ = UINT64_MAX;
	bool ending_ = false;
	std::thread clock_;
};

} // namespace atom::host
