// SPDX-License-Identifier: MIT
/**
 * @file device.hpp
 * @brief Finding and opening NPUs, and asking them what they are and how they do.
 */
#ifndef ATOM_DEVICE_HPP
#define ATOM_DEVICE_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "atom/config.hpp"
#include "atom/dtype.hpp"
#include "atom/fault.hpp"
#include "atom/log.hpp"

namespace atom {
namespace core {
class device;
struct access;
} // namespace core

inline namespace v1 {

/** One NPU of this machine, found but not opened. */
struct device_node {
	unsigned index = 0; ///< position in enumerate(); changes when devices come and go
	std::string path;   ///< "/dev/accel/accel0"
	std::string bdf;    ///< PCI address "0000:01:00.0"
	int numa_node = -1; ///< -1 if unknown
};

/** What a device is and what it can do. Constant as long as the device is open. */
struct device_info {
	std::string path;                        ///< as in device_node
	std::string bdf;                         ///< as in device_node
	int numa_node = -1;                      ///< as in device_node
	std::string driver_version;              ///< of the kernel driver, "1.0.0"
	unsigned interface_major = 0;            ///< of the device
	unsigned interface_minor = 0;            ///< of the device
	std::uint32_t firmware_version = 0;      ///< of the device, for people
	std::uint64_t device_caps = 0;           ///< ATOM_CAP_* of atom/hw/regs.h
	std::uint64_t kernel_caps = 0;           ///< DRM_ATOM_CAP_* of drm/atom_accel.h
	std::array<std::uint64_t, 4> opcodes{};  ///< bit n = command n works
	std::uint64_t dtypes = 0;                ///< bit n = dtype n works
	std::uint64_t serial = 0;                ///< serial number
	std::array<std::uint8_t, 16> uuid{};     ///< of the card, RFC 4122 order
	bool emulated = false;                   ///< for information only
	std::uint32_t generation = 0;            ///< resets of the device when it was opened
	std::uint64_t va_start = 0;              ///< first device address that can be used
	std::uint64_t va_end = 0;                ///< first one behind
	std::uint64_t page_sizes = 0;            ///< bit n = pages of 2^n bytes
	std::uint32_t queues_max = 0;            ///< queues for all users
	std::uint32_t contexts_max = 0;          ///< address spaces for all users
	std::uint32_t ring_entries = 0;          ///< jobs that a queue holds before submit() waits
	std::uint32_t submit_jobs_max = 0;       ///< jobs in one submit()
	std::uint32_t syncs_max = 0;             ///< waits and signals of one job
	std::uint32_t command_bytes_max = 0;     ///< bytes of a command buffer
	std::uint32_t arguments_max = 0;         ///< entries of an argument table
	std::chrono::milliseconds job_timeout{}; ///< default of queues
	std::chrono::milliseconds job_timeout_max{}; ///< largest that a queue may ask for
	std::uint32_t engines = 0;                   ///< neural engines
	std::uint32_t macs_log2_max = 0;             ///< multiply-accumulates of one command, log2

	/** Whether commands with this opcode (enum atom_opcode) work. */
	[[nodiscard]] bool has_opcode(std::uint8_t opcode) const noexcept
	{
		return (opcodes[opcode / 64] >> (opcode % 64) & 1) != 0;
	}
	/** Whether elements of this type work. */
	[[nodiscard]] bool has_dtype(dtype type) const noexcept
	{
		const auto bit = static_cast<unsigned>(type);
		return bit < 64 && (dtypes >> bit & 1) != 0;
	}
};

/** Memory of the device in bytes, of the moment, for all its users. */
struct memory_info {
	std::uint64_t local_size = 0;         ///< device memory that buffers can have
	std::uint64_t local_used = 0;         ///< in use
	std::uint64_t local_visible_size = 0; ///< part that the CPU can map
	std::uint64_t local_visible_used = 0; ///< of that, in use
	std::uint64_t shm_size = 0;           ///< shared on-chip memory
	std::uint64_t shm_used = 0;           ///< in use
};

/** Readings of the moment. Counters run from power on. */
struct telemetry {
	std::int32_t temperature_millidegrees = 0;          ///< Celsius
	std::int32_t throttle_temperature_millidegrees = 0; ///< above it clocks drop
	std::int32_t abort_temperature_millidegrees = 0;    ///< above it jobs are aborted
	std::int32_t shutdown_temperature_millidegrees = 0; ///< above it the device turns off
	std::uint32_t power_milliwatts = 0;                 ///< of the card, mean of a second
	std::uint32_t pstate = 0;                           ///< 2, 4, 6, 10, 12 or 14
	std::uint32_t throttle = 0;                         ///< ATOM_THROTTLE_* of atom/hw/regs.h
	std::uint32_t utilisation_permille = 0;             ///< of the last second
	std::uint64_t energy_microjoules = 0;               ///< of the card
	std::array<std::uint32_t, 5> clocks_khz{}; ///< command processor, NE 0, NE 1, bus, SHM
	std::uint32_t ecc_corrected = 0;           ///< memory errors corrected
	std::uint32_t ecc_uncorrected = 0;         ///< memory errors that ended a job
	std::uint64_t busy_compute_ns = 0;         ///< neural engines at work
	std::uint64_t busy_dma_ns = 0;             ///< copy engines at work
	std::uint64_t modelled_ns = 0;             ///< time that the silicon takes
	std::uint64_t dram_read_bytes = 0;         ///< device memory read
	std::uint64_t dram_written_bytes = 0;      ///< device memory written
	std::uint64_t dma_read_bytes = 0;          ///< host to device
	std::uint64_t dma_written_bytes = 0;       ///< device to host
	std::uint64_t jobs_done = 0;               ///< retired, well or not
	std::uint64_t macs = 0;                    ///< multiply-accumulates done
};

/** The device's clock and the host's at one moment. */
struct clock_sample {
	std::uint64_t device_ns = 0;                ///< clock of completions and TIMESTAMP
	std::chrono::steady_clock::time_point host; ///< the same moment
	std::chrono::nanoseconds uncertainty{};     ///< the moments differ by at most this

	/** Host time of a device time; good near the sample, the clocks drift apart slowly. */
	[[nodiscard]] std::chrono::steady_clock::time_point
	to_host(std::uint64_t device_time_ns) const noexcept
	{
		// Modulo 2^64, as both clocks count: no time is too far away to be told.
		const auto at = std::chrono::nanoseconds(host.time_since_epoch()).count();
		return std::chrono::steady_clock::time_point(
			std::chrono::nanoseconds(static_cast<std::int64_t>(
				static_cast<std::uint64_t>(at) + (device_time_ns - device_ns))));
	}
};

/** What an event of a device tells. */
enum class device_event_kind : std::uint8_t {
	queue_fault = 1,  ///< a queue is banned, and all its jobs have ended
	device_reset = 2, ///< the device was reset, and takes jobs again
};

/**
 * What has befallen an open device or a queue on it. A hint: the driver drops events that nobody
 * takes (it keeps 4 KiB of them), and queue::state() is the authority.
 */
struct device_event {
	device_event_kind what = device_event_kind::queue_fault; ///< its kind
	std::uint32_t generation = 0;   ///< device_reset: resets of the device, this one included
	std::uint32_t queue_id = 0;     ///< queue_fault: queue::id()
	bool faulted = false;           ///< queue_fault: as in queue_state
	bool timed_out = false;         ///< queue_fault: as in queue_state
	bool device_lost = false;       ///< queue_fault: as in queue_state
	std::uint64_t first_failed = 0; ///< queue_fault: sequence of the first failed job, or 0
	atom::fault fault;              ///< queue_fault: code, command and address; the rest is 0
};

/**
 * NPUs of this machine in the order of their device nodes.
 *
 * An empty list is no error. Does not open the devices and needs no permission.
 * Thread-safe. Blocks only for reads of sysfs.
 */
ATOM_API std::vector<device_node> enumerate();
/** The same; @p ec tells what went wrong, and is cleared otherwise. */
ATOM_API std::vector<device_node> enumerate(std::error_code &ec) noexcept;

/**
 * An open NPU. A cheap handle: copies share the same open file, and whatever
 * is made from a device keeps it open.
 *
 * Thread-safe, all of it. Files are opened with O_CLOEXEC. After fork() the
 * child must not use what the parent opened: calls fail with
 * errc::forked_child, destructors leave the parent's objects alone.
 */
class ATOM_API device {
public:
	/** An empty handle; only assignment, copying and operator bool work. */
	device() noexcept = default;

	/**
	 * Opens the device number @p index of enumerate().
	 * @throws system_error no_device, permission_denied, incompatible_kernel
	 */
	[[nodiscard]] static device open(unsigned index = 0);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static device open(unsigned index, std::error_code &ec) noexcept;

	/**
	 * Opens a device by path ("/dev/accel/accel0"), PCI address ("0000:01:00.0",
	 * "01:00.0") or index in digits ("0").
	 * @throws system_error as open(unsigned), and invalid_argument
	 */
	[[nodiscard]] static device open(std::string_view which);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static device open(std::string_view which, std::error_code &ec) noexcept;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

	/** What it is. Does not block. @throws system_error invalid_argument if empty */
	[[nodiscard]] const device_info &info() const;

	/** Reads memory sizes and use. One system call. */
	[[nodiscard]] memory_info memory() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] memory_info memory(std::error_code &ec) const noexcept;

	/** Reads sensors and counters. One system call. */
	[[nodiscard]] atom::telemetry read_telemetry() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] atom::telemetry read_telemetry(std::error_code &ec) const noexcept;

	/** Reads the device's clock together with the host's. One system call. */
	[[nodiscard]] clock_sample clock() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] clock_sample clock(std::error_code &ec) const noexcept;

	/**
	 * The next event of the queues made from this device, or of the device; nothing if there is
	 * none yet. All copies of the handle share the events: each goes to one who asks. Does not
	 * block. A device that is unplugged or dead tells nothing more: device_monitor does.
	 * @throws system_error unsupported (driver without events), invalid_argument, forked_child
	 */
	[[nodiscard]] std::optional<device_event> next_event() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] std::optional<device_event> next_event(std::error_code &ec) const noexcept;

	/**
	 * Names who is told what happens on this device and what is made from it, up to @p up_to;
	 * at first nobody, and an empty sink ends it. All copies of the handle share it. A call
	 * that runs at that moment in another thread may still tell the old sink, which is
	 * destroyed when nobody does any more, at the latest with the device: a sink that holds
	 * a handle of the device, or of what is made from it, keeps it open until another is
	 * named. A forked child tells nothing.
	 * @throws system_error invalid_argument, forked_child, out_of_host_memory: the old sink
	 *         stays
	 */
	void set_log_sink(log_sink sink, log_level up_to = log_level::warning) const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	void set_log_sink(log_sink sink, log_level up_to, std::error_code &ec) const noexcept;

	/**
	 * The open file, for poll() and the like: readable (POLLIN) when next_event() has
	 * something. Owned by the device; never close it, and leave the reading to next_event().
	 */
	[[nodiscard]] int fd() const;

private:
	friend struct core::access;
	explicit device(std::shared_ptr<core::device> impl) noexcept : impl_(std::move(impl)) {}
	std::shared_ptr<core::device> impl_;
};

} // namespace v1
} // namespace atom

#endif
