// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atom/device_monitor.hpp"
#include "sys/os.hpp"

namespace atom::core {

/** The devices that are known, and what becomes of them. Not thread-safe. */
class device_monitor {
public:
	explicit device_monitor(std::shared_ptr<sys::os> system);

	[[nodiscard]] const std::vector<device_node> &devices() const { return devices_; }
	[[nodiscard]] int fd() const { return source_->fd(); }
	/** Throws. */
	std::optional<device_change> next();

private:
	std::optional<device_change> apply(const sys::node_event &event);
	[[nodiscard]] std::vector<device_node>::iterator find(const std::string &path);
	void number_from(std::vector<device_node>::iterator first);

	std::shared_ptr<sys::os> os_;
	std::unique_ptr<sys::node_monitor> source_;
	std::vector<device_node> devices_; // as enumerate() sorts them
};

} // namespace atom::core
