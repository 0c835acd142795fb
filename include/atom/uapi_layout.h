/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Proves the layout of the uapi structures. Included by one source file of the
 * kernel module and one of libatom, after drm/atom_accel.h, so that both sides
 * refuse to build when the contract drifts.
 */
#ifndef ATOM_UAPI_LAYOUT_H
#define ATOM_UAPI_LAYOUT_H

#include "hw/layout.h"

ATOM_HW_LAYOUT(struct drm_atom_obj_array, 16);
ATOM_HW_LAYOUT(struct drm_atom_sync, 16);
ATOM_HW_LAYOUT(struct drm_atom_dev_query, 16);
ATOM_HW_LAYOUT(struct drm_atom_dev_info, 168);
ATOM_HW_OFFSET(struct drm_atom_dev_info, va_start, 96);
ATOM_HW_LAYOUT(struct drm_atom_dev_memory, 48);
ATOM_HW_LAYOUT(struct drm_atom_dev_timestamp, 24);
ATOM_HW_LAYOUT(struct drm_atom_dev_telemetry, 144);
ATOM_HW_OFFSET(struct drm_atom_dev_telemetry, busy_compute_ns, 72);
ATOM_HW_LAYOUT(struct drm_atom_bo_create, 24);
ATOM_HW_LAYOUT(struct drm_atom_bo_mmap_offset, 16);
ATOM_HW_LAYOUT(struct drm_atom_bo_info, 24);
ATOM_HW_LAYOUT(struct drm_atom_bo_set_label, 16);
ATOM_HW_LAYOUT(struct drm_atom_vm_create, 8);
ATOM_HW_LAYOUT(struct drm_atom_vm_destroy, 8);
ATOM_HW_LAYOUT(struct drm_atom_vm_bind_op, 40);
ATOM_HW_LAYOUT(struct drm_atom_vm_bind, 40);
ATOM_HW_LAYOUT(struct drm_atom_queue_create, 80);
ATOM_HW_OFFSET(struct drm_atom_queue_create, completion_offset, 56);
ATOM_HW_LAYOUT(struct drm_atom_queue_destroy, 8);
ATOM_HW_LAYOUT(struct drm_atom_queue_get_state, 88);
ATOM_HW_OFFSET(struct drm_atom_queue_get_state, busy_ns, 64);
ATOM_HW_OFFSET(struct drm_atom_queue_get_state, lost_seqno, 72);
ATOM_HW_OFFSET(struct drm_atom_queue_get_state, lost_before, 80);
ATOM_HW_LAYOUT(struct drm_atom_job, 64);
ATOM_HW_OFFSET(struct drm_atom_job, syncs, 48);
ATOM_HW_LAYOUT(struct drm_atom_submit, 32);
ATOM_HW_LAYOUT(struct drm_atom_perf_open, 56);
ATOM_HW_LAYOUT(struct drm_atom_perf_record, 120);
ATOM_HW_LAYOUT(struct drm_atom_event_queue_fault, 40);
ATOM_HW_LAYOUT(struct drm_atom_event_device_reset, 16);

#endif
