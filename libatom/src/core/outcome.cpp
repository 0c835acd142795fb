// SPDX-License-Identifier: MIT
#include "core/outcome.hpp"

#include <cerrno>

#include "atom/error.hpp"

namespace atom::core {
namespace {

// Of a job that failed: one that a reset of the device took, the first that failed, or one behind.
errc cause_of(std::uint64_t sequence, const queue_state &state)
{
	if (sequence <= state.last_lost)
		return errc::device_reset;
	if (state.device_lost)
		return errc::device_lost;
	if (sequence != state.first_failed)
		return state.innocent && !state.faulted && !state.timed_out ? errc::device_reset
		                                                            : errc::canceled;
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

// Of a job that is over and has no record, as far as the state knows.
bool ended_well(std::uint64_t sequence, const kmd::queue_report &state)
{
	if (sequence > state.completed)
		return false;
	if (state.first_failed == 0)
		return true;
	// Which of these an earlier reset took is forgotten.
	if (sequence <= state.lost_before)
		return false;
	if (state.first_failed <= state.last_lost)
		return sequence < state.first_failed || sequence > state.last_lost;
	// The queue has failed by itself since: where the loss began is forgotten.
	return sequence > state.last_lost && sequence < state.first_failed;
}

} // namespace

completion completion_of(const atom_cpl_record &record)
{
	completion c;
	c.sequence = record.seq;
	c.cookie = record.cookie;
	c.has_times = record.end_ns != 0; // a lost job has none
	c.start_ns = record.start_ns;
	c.end_ns = record.end_ns;
	c.modelled_ns = record.modelled_ns;
	return c;
}

completion completion_of(std::uint64_t sequence, const std::optional<atom_cpl_record> &record,
                         bool passed_over, const kmd::queue_report &state)
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
		if (!passed_over && ended_well(sequence, state))
			return c;
		if (state.first_failed == 0) {
			c.error = state.device_lost ? errc::device_lost : errc::canceled;
			return c;
		}
	}
	c.error = cause_of(sequence, state);
	if (state.faulted && sequence > state.last_lost && sequence >= state.first_failed)
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
