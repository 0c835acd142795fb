// SPDX-License-Identifier: MIT
// What the handles of the C interface hold.
#pragma once

#include <mutex>

#include "atom/atom.h"
#include "atom/atom.hpp"
#include "c/job_list.hpp"

struct atom_device {
	atom::device value;
};

struct atom_device_monitor {
	atom::device_monitor value;
};

struct atom_context {
	atom::context value;
};

struct atom_buffer {
	atom::buffer value;
	std::mutex mutex{};     // protects mapped
	atom::mapping mapped{}; // by the first call that asks for it
};

struct atom_builder {
	atom::command_builder value;
};

struct atom_commands {
	atom::command_buffer value;
};

struct atom_queue {
	atom::queue value;
	std::mutex mutex; // protects jobs
	atom::c::job_list jobs;
};

struct atom_timeline {
	atom::timeline value;
};

struct atom_notifier {
	atom::notifier value;
};
