// SPDX-License-Identifier: MIT
/**
 * @file device_monitor.hpp
 * @brief NPUs that come, go and change while the program runs.
 */
#ifndef ATOM_DEVICE_MONITOR_HPP
#define ATOM_DEVICE_MONITOR_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "atom/device.hpp"

namespace atom {
namespace core {
struct access;
class device_monitor;
} // namespace core

inline namespace v1 {

/** What has happened to a device. */
enum class device_change_kind : std::uint8_t {
	added = 0,   ///< it can be opened
	removed = 1, ///< it is gone: what was made on it fails with device_lost
	changed = 2, ///< something about it: ask it
	wedged = 3,  ///< it is dead until somebody does what device_change::remedies says
};

/** Something that has happened to a device. */
struct device_change {
	device_change_kind what = device_change_kind::changed; ///< kind of the change
	device_node device; ///< index is its place in the monitor's devices(), 0 if it was removed
	std::string remedies{}; ///< with wedged: "rebind,bus-reset", as the kernel's uevent has it
};

/**
 * Follows the NPUs of this machine. Moves, does not copy; not thread-safe.
 *
 * devices() holds what there was when it was made; from then on next() tells every change, none
 * of them twice. So no device is missed, whenever it is plugged in.
 *
 * Resets that a device survives are no change here: the queues that they hit tell of them
 * (queue_state::generation).
 */
class ATOM_API device_monitor {
public:
	/** Blocks only for reads of sysfs. @throws system_error out_of_host_memory and the system's
	 */
	device_monitor();
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static std::optional<device_monitor> create(std::error_code &ec) noexcept;
	/** Takes what the other has, which is empty afterwards. */
	device_monitor(device_monitor &&other) noexcept;
	/** Lets go of what it had, and takes what the other has. */
	device_monitor &operator=(device_monitor &&other) noexcept;
	~device_monitor();

	/** Those that are there, as far as next() has told. @throws invalid_argument if moved from
	 */
	[[nodiscard]] const std::vector<device_node> &devices() const;

	/** Readable (POLLIN) when next() has something. Owned by the monitor; never close it. */
	[[nodiscard]] int fd() const;

	/** The next change; nothing if there is none yet. Does not block. */
	[[nodiscard]] std::optional<device_change> next();
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] std::optional<device_change> next(std::error_code &ec) noexcept;

private:
	friend struct core::access;
	explicit device_monitor(std::unique_ptr<core::device_monitor> impl) noexcept;
	std::unique_ptr<core::device_monitor> impl_;
};

} // namespace v1
} // namespace atom

#endif
