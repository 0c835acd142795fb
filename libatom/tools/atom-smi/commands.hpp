// SPDX-License-Identifier: MIT
// The commands; each in a file of its name.
#pragma once

#include "exit_status.hpp"
#include "request.hpp"

namespace smi {

exit_status show_status(const request &r);
exit_status show_info(const request &r);
exit_status show_processes(const request &r);
exit_status show_version(const request &r);
exit_status run_doctor(const request &r);
exit_status run_top(const request &r);
exit_status show_topology(const request &r);
exit_status show_events(const request &r);
exit_status show_metrics(const request &r);
exit_status reset_device(const request &r);
exit_status change_setting(const request &r);
exit_status validate_device(const request &r);
exit_status show_cdi(const request &r);

/** unhealthy if one of them is dead or has no driver. */
exit_status health(const std::vector<npu> &devices);

} // namespace smi
