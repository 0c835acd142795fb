/* SPDX-License-Identifier: MIT */
/*
 * What a program can ask the backend of llama.cpp, beyond ggml's interface:
 *
 *   atom_get_statistics_t get = (atom_get_statistics_t)
 *           ggml_backend_reg_get_proc_address(registry, ATOM_GET_STATISTICS);
 */
#ifndef GGML_ATOM_STATISTICS_H
#define GGML_ATOM_STATISTICS_H

#include <stdint.h>

#include "ggml-backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counters, which start when the backend is loaded. Take two and subtract. */
struct atom_statistics {
	uint64_t graphs;        /* given to the device, each as one job */
	uint64_t failed;        /* of these: what came after is wrong until the next error */
	uint64_t busy_ns;       /* time that the device worked on them */
	uint64_t modelled_ns;   /* time that the modelled silicon takes for them */
	uint64_t refused_bytes; /* size of the last buffer that did not fit, or 0 */
	uint64_t energy_uj;     /* of the whole device, whoever uses it, since power on */
};

#define ATOM_GET_STATISTICS "atom_get_statistics"

/* Counts what has been waited for (ggml_backend_synchronize). Thread-safe. */
typedef void (*atom_get_statistics_t)(ggml_backend_dev_t device, struct atom_statistics *to);

#ifdef __cplusplus
}
#endif

#endif
