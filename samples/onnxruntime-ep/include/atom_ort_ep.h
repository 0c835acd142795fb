/* SPDX-License-Identifier: MIT */
/**
 * @file atom_ort_ep.h
 * @brief What a program can ask the ONNX Runtime plug-in for the NPU, beyond ONNX Runtime's interface.
 *
 * The plug-in is loaded by ONNX Runtime; a program finds the function with
 * dlsym(dlopen(path, RTLD_NOW | RTLD_NOLOAD), ATOM_ORT_EP_GET_STATISTICS), or links the library.
 */
#ifndef ATOM_ORT_EP_H
#define ATOM_ORT_EP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Name of the execution provider. Options of a session: "device", see README.md. */
#define ATOM_ORT_EP_NAME "AtomExecutionProvider"

/** Counters of this process, from the load of the plug-in on. Take two and subtract. */
struct atom_ort_ep_statistics {
	uint64_t nodes;          /**< of the graphs that sessions were made of */
	uint64_t nodes_on_npu;   /**< of these */
	uint64_t parts;          /**< subgraphs that run on an NPU, each as one job */
	uint64_t programs;       /**< command buffers built: one for each part and shape of its inputs */
	uint64_t jobs;           /**< given to a device and done */
	uint64_t failed;         /**< of these */
	uint64_t busy_ns;        /**< time that devices worked on them */
	uint64_t modelled_ns;    /**< time that the modelled silicon takes for them */
	uint64_t weight_bytes;   /**< in device memory at the moment */
	uint64_t energy_uj;      /**< of the devices in use, whoever uses them, since power on */
	/** Of the graphs: in convolutions, products of matrices, recurrences and attention, with sizes assumed that a model leaves open. */
	double multiplications;
	double multiplications_on_npu; /**< of these */
};

#define ATOM_ORT_EP_GET_STATISTICS "atom_ort_ep_get_statistics"

/**
 * Counts jobs that have been waited for. Thread-safe.
 * @param bytes sizeof of the structure as the caller knows it; no more is written
 */
void atom_ort_ep_get_statistics(struct atom_ort_ep_statistics *to, size_t bytes);
typedef void (*atom_ort_ep_get_statistics_t)(struct atom_ort_ep_statistics *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
