// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The bodies of the trace events.
 */
#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "atom_trace.h"
#endif
