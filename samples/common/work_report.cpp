// SPDX-License-Identifier: MIT
#include <iomanip>
#include <sstream>

#include "work_report.hpp"

namespace samples {

namespace {

double ms(std::uint64_t ns) { return static_cast<double>(ns) * 1e-6; }

} // namespace

void stopwatch::start()
{
	if (device_)
		before_ = device_.read_telemetry();
	begin_ = std::chrono::steady_clock::now();
}

double stopwatch::stop()
{
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
	if (device_) {
		const atom::telemetry after = device_.read_telemetry();
		busy_ms_ += ms(after.busy_compute_ns - before_.busy_compute_ns) +
		            ms(after.busy_dma_ns - before_.busy_dma_ns);
		modelled_ms_ += ms(after.modelled_ns - before_.modelled_ns);
	}
	seconds_ += took.count();
	++runs_;
	return took.count();
}

std::string work_report::sentence() const
{
	std::ostringstream text;
	text << std::fixed << std::setprecision(1) << model << " on " << device << ": "
	     << networks.operators.on_npu << " of " << networks.operators.nodes
	     << " operators on the NPU, " << watch.runs() / watch.seconds() << " images/s";
	if (watch.has_device())
		text << "; for an image " << watch.busy_ms() / watch.runs() << " ms of the device, "
		     << std::setprecision(2) << watch.modelled_ms() / watch.runs()
		     << " ms modelled on silicon";
	return text.str();
}

nlohmann::ordered_json work_report::json() const
{
	nlohmann::ordered_json out{{"model", model},
	                           {"device", device},
	                           {"operators", networks.operators.nodes},
	                           {"operators_on_npu", networks.operators.on_npu},
	                           {"images", watch.runs()},
	                           {"images_per_second", watch.runs() / watch.seconds()},
	                           {"networks_ms", networks.seconds * 1e3 / watch.runs()}};
	if (watch.has_device()) {
		out["multiplications"] = networks.operators.multiplications;
		out["multiplications_on_npu"] = networks.operators.multiplications_on_npu;
		out["device_ms"] = watch.busy_ms() / watch.runs();
		out["modelled_ms"] = watch.modelled_ms() / watch.runs();
	}
	return out;
}

} // namespace samples
