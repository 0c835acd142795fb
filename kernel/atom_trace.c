// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The code behind the trace events of atom_trace.h. */
#define CREATE_TRACE_POINTS
#include "atom_trace.h"
