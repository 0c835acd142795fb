// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "atom/device.hpp"
#include "core/logger.hpp"
#include "core/shared_handles.hpp"

namespace atom::core {

std::vector<device_node> enumerate(sys::os &system);

/** An open device file and what the driver said about it. Thread-safe. */
class device {
public:
	/** @p which: path, PCI address or index. */
	static std::shared_ptr<device> open(const std::shared_ptr<sys::os> &system,
	                                    std::string_view which);

	[[nodiscard]] const kmd::node &node() const { return node_; }
	[[nodiscard]] const std::shared_ptr<sys::os> &system() const
	{
		return node_.shared_system();
	}
	[[nodiscard]] const device_info &info() const { return info_; }

	/** Whether this process opened it. Objects of a parent must be left alone. */
	[[nodiscard]] bool owned() const { return node_.system().process_id() == process_; }
	[[nodiscard]] shared_handles &handles() { return handles_; }
	/** Throws; the old sink stays then. */
	void set_log_sink(log_sink sink, log_level up_to);
	/**
	 * Tells the sink what @p sentence returns, which is called only if somebody hears it. No
	 * lock may be held that a call of the library takes.
	 */
	template <class F>
	void say(log_level level, F &&sentence) const noexcept
	{
		if (!log_.wants(level) || !owned())
			return;
		try {
			log_.tell(level, sentence());
		} catch (...) { // NOLINT(bugprone-empty-catch): no memory for a sentence
		}
	}
	/** Throws. */
	std::optional<device_event> next_event();
	/** Throws forked_child if it did not. */
	void check_process(const char *operation) const;

private:
	device(kmd::node node, device_info info);

	kmd::node node_;
	device_info info_;
	int process_;
	shared_handles handles_;
	logger log_;
	std::mutex events_mutex_; // held while an event is read
};

} // namespace atom::core
