/* SPDX-License-Identifier: MIT */
/**
 * @file host_port.h
 * @brief The front end as the model sees it: upcalls with errors as values,
 * the gate that keeps DMA shut while the function is not reachable, and the one
 * accessor through which guest memory is read and written.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "atom_model.h"

namespace atom::model {

/**
 * Copies to or from memory that the guest may change at the same time. The
 * content may be a mixture of old and new; nothing derived from it is looked at
 * twice. Every access of the model to guest memory goes through here.
 */
void guest_copy(void *to, const void *from, std::size_t bytes);
/** The same for setting to zero. */
void guest_zero(void *to, std::size_t bytes);

/** What a guest did wrong with the registers; argument 0 of ATOM_TRACE_GUEST_ERROR. */
enum class guest_error : std::uint32_t {
	access_size,     ///< size or alignment that the map does not allow
	unknown_register,
	read_only,
	while_enabled,   ///< register that is set up before ENABLE
	enable_refused,
	version_refused,
	fault_head,      ///< FAULT_HEAD beyond FAULT_TAIL
	admin_tail,
	reset_pending,   ///< write while a reset is under way
	count,
};

class host_port {
public:
	host_port(const atom_model_host &host, void *opaque) : host_(host), opaque_(opaque) {}
	host_port(const host_port &) = delete;
	host_port &operator=(const host_port &) = delete;

	/** Shut: every DMA fails, no interrupt leaves the device. */
	void set_reachable(bool reachable) { reachable_.store(reachable); }
	bool reachable() const { return reachable_.load(); }

	bool dma_read(std::uint64_t addr, void *buf, std::uint64_t len);
	bool dma_write(std::uint64_t addr, const void *buf, std::uint64_t len);
	/** nullptr: not mappable. @p len is shrunk to what the pointer covers. */
	std::byte *dma_map(std::uint64_t addr, std::uint64_t &len, bool is_write);
	void dma_unmap(std::byte *ptr, std::uint64_t len, bool is_write);
	bool can_map() const { return host_.dma_map && host_.dma_unmap; }

	void irq(std::uint32_t vector);
	std::uint64_t now_ns() { return host_.now_ns(opaque_); }
	void kick() { host_.kick(opaque_); }
	void timer(std::uint64_t deadline_ns) { host_.timer(opaque_, deadline_ns); }
	void trace(std::uint32_t event, std::uint64_t a0 = 0, std::uint64_t a1 = 0, std::uint64_t a2 = 0,
		   std::uint64_t a3 = 0);
	void command_time(const atom_model_command_time &t);
	void log(atom_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
	/** Traces every misuse; logs the first few of a kind, so that a guest cannot flood a log. */
	void misuse(guest_error what, std::uint64_t detail, const char *sentence);

private:
	atom_model_host host_;
	void *opaque_;
	std::atomic<bool> reachable_{true};
	std::atomic<std::uint32_t> misuses_[static_cast<std::size_t>(guest_error::count)] = {};
};

} // namespace atom::model
