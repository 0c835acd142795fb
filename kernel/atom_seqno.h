/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_SEQNO_H
#define ATOM_SEQNO_H

#include <linux/types.h>

/**
 * atom_seqno_is_credible() - can a device that tells the truth say so?
 * @seqno: last job retired, as the device says
 * @completed: last job retired, as we know
 * @emitted: last job put on the ring
 *
 * Return: whether @seqno lies in [@completed, @emitted], also where the count
 * wraps.
 */
static inline bool atom_seqno_is_credible(u64 seqno, u64 completed, u64 emitted)
{
	return seqno - completed <= emitted - completed;
}

/**
 * atom_seqno_slot() - where a job lies on a ring
 * @seqno: job, counted from 1
 * @entries: slots, a power of two
 *
 * Return: index of its slot.
 */
static inline u32 atom_seqno_slot(u64 seqno, u32 entries)
{
	return (seqno - 1) & (entries - 1);
}

#endif
