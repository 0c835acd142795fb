// SPDX-License-Identifier: MIT
#include "core/outcome.hpp"

#include <cerrno>

#include "atom/error.hpp"

namespace atom::core {
namespace {

// Of a job that the state says failed: the first one, or one behind it.
errc cause_of(std::uint64_t sequence, const queue_state &state)
{
	if (state.device_lost)
		return errc::device_lost;
	if (sequence != state.first_failed)
		return state.innocent && !state.banned ? errc::device_reset : errc::canceled;
	if (state.faulted)
		return errc::job_fault;
	if (state.timed_out)
		return errc::job_timed_out;
	if (state.innocent)
		return errc::device_reset;
	switch (state.error) {
	case ETIME:
	case ETIMEDOUT:
		return errc::job_timed_out;
	case ENODEV:
	case EIO:
		return errc::device_lost;
	default:
		return errc::canceled;
	}
}

} // namespace

completion completion_of(const atom_cpl_record &record)
{
	completion c;
	c.sequence = record.seq;
	c.cookie = record.cookie;
	c.has_times = true;
	c.start_ns = record.start_ns;
	c.end_ns = record.end_ns;
	c.modelled_ns = record.modelled_ns;
	return c;
}

completion completion_of(std::uint64_t sequence, const std::optional<atom_cpl_record> &record,
                         const queue_state &state)
{
	completion c;
	if (record)
		c = completion_of(*record);
	c.sequence = sequence;
	c.first_failed = state.first_failed;
	if (record && record->status == ATOM_CPL_FAULT) {
		c.error = errc::job_fault;
		c.fault = fault{record->fault_code,
		                record->fault_where,
		                record->fault_opcode,
		                record->fault_command,
		                record->fault_field,
		                record->fault_va,
		                0};
		if (state.first_failed == sequence)
			c.fault->access = state.fault.access;
		return c;
	}
	if (!record) {
		const bool good = state.first_failed == 0 || sequence < state.first_failed;
		if (good && state.completed >= sequence)
			return c;
		if (state.first_failed == 0) {
			c.error = state.device_lost ? errc::device_lost : errc::canceled;
			return c;
		}
	}
	c.error = cause_of(sequence, state);
	if (state.faulted && state.first_failed != 0 && sequence >= state.first_failed)
		c.fault = state.fault;
	return c;
}

std::string reason_of(const queue_state &state)
{
	switch (cause_of(state.first_failed, state)) {
	case errc::job_fault:
		return to_string(state.fault);
	case errc::job_timed_out:
		return "it made no progress in time";
	case errc::device_lost:
		return "the device was lost";
	case errc::device_reset:
		return "another queue caused a reset";
	default:
		return "it was canceled";
	}
}

} // namespace atom::core
