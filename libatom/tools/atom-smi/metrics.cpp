// SPDX-License-Identifier: MIT
// atom-smi metrics: for Prometheus, once or as a server on this machine's own addresses.
#include "commands.hpp"
#include "metrics_server.hpp"
#include "metrics_text.hpp"

namespace smi {

exit_status show_metrics(const request &r)
{
	if (!r.listen.empty()) {
		// Devices may come and go.
		serve_metrics(r.listen,
		              [&r] { return metrics_text(matching_npus(r.files, r.device)); });
	}
	const std::vector<npu> devices = select_npus(r.files, r.device);
	std::cout << metrics_text(devices);
	return health(devices);
}

} // namespace smi
