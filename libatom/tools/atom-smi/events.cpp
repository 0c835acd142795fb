// SPDX-License-Identifier: MIT
// atom-smi events: what went wrong, and what comes and goes.
#include <poll.h>

#include "atom/device_monitor.hpp"
#include "commands.hpp"
#include "event_log.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

void print_events(const request &r, const std::vector<event> &events)
{
	const std::string time = answer("events")["time"];
	for (const event &e : events) {
		if (r.json) {
			auto out = answer("events");
			out["event"] = to_json(e);
			print_line(out);
		} else {
			std::cout << printable(time + "  " + e.device + "  " + e.kind + ": " +
			                       e.what)
				  << std::endl;
		}
	}
}

/** Sleeps for an interval; less if a device comes, goes or fails meanwhile. */
class alarm_clock {
public:
	explicit alarm_clock(const request &r) : interval_(r.interval)
	{
		// Without udev there is the interval.
		std::error_code error;
		if (r.files.of_this_machine() && !in_process())
			monitor_ = atom::device_monitor::create(error);
	}

	void sleep()
	{
		pollfd file{monitor_ ? monitor_->fd() : -1, POLLIN, 0};
		if (::poll(&file, 1, static_cast<int>(interval_.count())) <= 0)
			return;
		// They are told from what is seen; this only empties the file.
		std::error_code error;
		while (monitor_->next(error))
			;
		if (error)
			monitor_.reset();
	}

private:
	std::chrono::milliseconds interval_;
	std::optional<atom::device_monitor> monitor_;
};

} // namespace

exit_status show_events(const request &r)
{
	if (!r.follow) {
		const std::vector<event> events = happened(select_npus(r.files, r.device));
		print_events(r, events);
		if (events.empty() && !r.json)
			std::cout << "Nothing went wrong since the driver was bound.\n";
		return exit_status::ok;
	}
	alarm_clock clock(r);
	std::vector<npu> before = matching_npus(r.files, r.device);
	print_events(r, happened(before));
	while (std::cout) {
		clock.sleep();
		std::vector<npu> now = matching_npus(r.files, r.device);
		print_events(r, differences(before, now));
		before = std::move(now);
	}
	return exit_status::failed;
}

} // namespace smi
